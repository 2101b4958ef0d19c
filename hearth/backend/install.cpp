// The backends of this build. The only place that names them all.
#include <mutex>

#include "hearth/backend/cpu/table.h"
#include "hearth/core/allocator.h"

namespace hearth {

void install_backends() {
  static std::once_flag once;
  std::call_once(once, [] { cpu::install(); });
}

}  // namespace hearth
