// Long work: lets a front end with a lock of its own (Python's) let go of it while kernels run, and stop a backward.
#pragma once

namespace hearth {

struct LongWorkHooks {
  void* (*begin)() = nullptr;    ///< called before long work; what it returns is given to `end`
  void (*end)(void*) = nullptr;  ///< called after it, on the same thread
  void (*check)() = nullptr;     ///< called between steps of backward; may throw to stop it
};

/// Set once at start-up by a front end.
void set_long_work_hooks(const LongWorkHooks& hooks);

/// Throws what the front end wants to stop the work with (Ctrl-C).
void check_interrupt();

/// While one lives, the front end's lock is free. Nests.
class LongWork {
 public:
  LongWork();
  ~LongWork();
  LongWork(const LongWork&) = delete;
  LongWork& operator=(const LongWork&) = delete;

 private:
  void* state_ = nullptr;
};

/// While one lives, long work on this thread keeps the front end's lock: for code that holds a lock of its own.
class ShortWork {
 public:
  ShortWork();
  ~ShortWork();
  ShortWork(const ShortWork&) = delete;
  ShortWork& operator=(const ShortWork&) = delete;
};

}  // namespace hearth
