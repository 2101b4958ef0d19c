// Isa: which of the compiled instruction sets the CPU kernels run on, and which matrix extensions the machine has.
#pragma once

#include <string_view>

namespace hearth::cpu {

/// The instruction sets that the kernels are compiled for, weakest first (a larger value includes the smaller ones).
/// generic = x86-64-v2 or aarch64, avx2 = x86-64-v3, avx512 = x86-64-v4 (F, BW, CD, DQ, VL).
enum class Isa { generic, avx2, avx512 };

/// "generic", "avx2" or "avx512".
std::string_view isa_name(Isa isa);

/// The best set that this processor and operating system support, whatever the environment says.
Isa best_isa();

/// The set that kernels run on: `best_isa()`, capped downwards by the environment variable HEARTH_ISA.
/// Raises ValueError if HEARTH_ISA names no set. Example: HEARTH_ISA=avx2 on an AVX-512 machine gives Isa::avx2.
Isa isa();

/// Changes what `isa()` answers, for tests that compare sets in one process; not while kernels run.
/// Raises ValueError if the processor lacks the set.
void set_isa(Isa isa);

/// Whether `vdpbf16ps` may be used: the processor has AVX512_BF16 and `isa()` is avx512.
bool has_avx512_bf16();

/// Whether the processor has AMX bfloat16 tiles, the operating system saves them, and `isa()` is avx512.
/// A process must still ask for tile permission (arch_prctl) before its first tile instruction.
bool has_amx_bf16();

}  // namespace hearth::cpu
