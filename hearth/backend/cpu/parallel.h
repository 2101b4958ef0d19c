// Parallel loops: the only place where CPU kernels get threads from. Ranges are cut by shape, never by thread count.
#pragma once

#include <cstdint>
#include <memory>
#include <type_traits>

namespace hearth::cpu {

/// Threads that a parallel loop may use, the caller included: `set_num_threads`, else the environment variable
/// HEARTH_NUM_THREADS, else OpenMP's own default (OMP_NUM_THREADS or the processors that the process may run on).
/// Raises ValueError if HEARTH_NUM_THREADS is not a whole number from 1 to 1024.
int num_threads();

/// Sets the number of threads for the whole process. Raises ValueError unless 1 <= count <= 1024.
void set_num_threads(int count);

/// Whether the calling thread is inside a parallel loop (a loop started now would run serially).
bool in_parallel();

/// Threads that a parallel loop started here would use: 1 inside another loop, else `num_threads()`. Also makes
/// OpenMP libraries (oneDNN) that the calling thread enters next use that many.
int apply_num_threads();

/// While one lives, loops that the calling thread starts run serially and `apply_num_threads()` is 1.
class SerialScope {
 public:
  SerialScope();
  ~SerialScope();
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;

 private:
  bool before_;
};

namespace detail {
using ChunkFunction = void (*)(void* context, int64_t chunk);
/// Calls function(context, i) once for each i in [0, chunks), on up to `num_threads()` threads, and waits.
void run_chunks(int64_t chunks, ChunkFunction function, void* context);
}  // namespace detail

/// Calls f(b, e) for consecutive ranges that cover [begin, end): each `grain` long (the last may be shorter), whatever
/// the number of threads, in no particular order and possibly at the same time. One range runs on the calling thread
/// without any overhead, so choose a grain of 5 us of work or more. Loops inside f run serially. If f throws, remaining
/// ranges may be skipped and the exception of the earliest failed range is thrown to the caller.
/// Example: parallel_for(0, rows, 16, [&](int64_t b, int64_t e) { softmax_rows(x, b, e); });
template <class F>
void parallel_for(int64_t begin, int64_t end, int64_t grain, F&& f) {
  if (end <= begin) return;
  if (grain < 1) grain = 1;
  const int64_t chunks = (end - begin - 1) / grain + 1;
  if (chunks == 1) {
    f(begin, end);
    return;
  }
  using Function = std::remove_reference_t<F>;
  struct Context {
    Function* f;
    int64_t begin, end, grain;
  } context{std::addressof(f), begin, end, grain};
  detail::run_chunks(
      chunks,
      [](void* opaque, int64_t chunk) {
        const Context& c = *static_cast<Context*>(opaque);
        const int64_t b = c.begin + chunk * c.grain;
        (*c.f)(b, c.end - b < c.grain ? c.end : b + c.grain);
      },
      &context);
}

}  // namespace hearth::cpu
