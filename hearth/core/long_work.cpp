// The hooks of the front end, none unless one is loaded.
#include "hearth/core/long_work.h"

namespace hearth {

namespace {
LongWorkHooks hooks;
thread_local int depth = 0;  ///< above 0: inside long work already, or told to keep the lock
}  // namespace

void set_long_work_hooks(const LongWorkHooks& chosen) { hooks = chosen; }

void check_interrupt() {
  if (hooks.check) hooks.check();
}

LongWork::LongWork() {
  if (hooks.begin && depth == 0) state_ = hooks.begin();
  ++depth;
}
LongWork::~LongWork() {
  --depth;
  if (state_) hooks.end(state_);
}

ShortWork::ShortWork() { ++depth; }
ShortWork::~ShortWork() { --depth; }

}  // namespace hearth
