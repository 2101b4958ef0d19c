// The CPU's caching allocator.
#pragma once

#include "hearth/core/allocator.h"

namespace hearth::cpu {

/// Keeps freed blocks in size classes, since touching fresh pages costs many times what using warm ones costs. Blocks
/// of 1 MiB and more are mapped on huge pages. The environment variable HEARTH_MEMORY_LIMIT (bytes, or with a suffix
/// K, M, G) caps what is in use; without it the cap is the machine's memory.
Allocator& cpu_allocator();

}  // namespace hearth::cpu
