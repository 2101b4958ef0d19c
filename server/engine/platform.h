// Which machine and build compute: two that say the same compute the same bits.
#pragma once

#include <string>

namespace hearth::server {

/// The instruction sets that kernels use, e.g. "avx512 bf16".
std::string cpu_kind();
/// The program's build id, or the compiler where the linker wrote none.
std::string build_id();

}  // namespace hearth::server
