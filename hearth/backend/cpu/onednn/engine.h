// oneDNN engine: one CPU engine and one stream a thread, with the instruction sets capped before the first primitive.
#pragma once

#include <oneapi/dnnl/dnnl.hpp>

namespace hearth::cpu::onednn {

/// Whether oneDNN may be used at all: `isa()` is avx512. Its products for lesser sets are not row-invariant.
bool usable();

/// The CPU engine. The first call caps oneDNN at AVX-512 with bfloat16, which leaves out AMX (not row-invariant there).
/// Raises ValueError if the cap comes too late, i.e. somebody else in the process used oneDNN before.
const dnnl::engine& cpu_engine();

/// The calling thread's stream.
dnnl::stream& cpu_stream();

}  // namespace hearth::cpu::onednn
