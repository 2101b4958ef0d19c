// Grad mode, per thread.
#include "hearth/core/grad_mode.h"

namespace hearth {

namespace {
thread_local bool enabled_here = true;
}

bool grad_enabled() { return enabled_here; }
void set_grad_enabled(bool enabled) { enabled_here = enabled; }

}  // namespace hearth
