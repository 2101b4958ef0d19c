// Attention backward for one key block, on one instruction set.
#pragma once

#include "hearth/backend/cpu/simd/attention.h"

#ifdef HEARTH_ISA
namespace hearth::cpu::HEARTH_ISA {

void attention_backward(const AttentionRows& rows, const float* const* dout, const float* lse, const float* delta,
                        const float* k, const float* kt, const float* vt, int64_t first, int64_t keys, float* const* dq,
                        float* dk, float* dv, float* work);

}  // namespace hearth::cpu::HEARTH_ISA
#endif
