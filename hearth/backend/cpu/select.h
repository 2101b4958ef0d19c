// Select: the object of the running instruction set out of the three that were compiled.
#pragma once

#include "hearth/backend/cpu/isa.h"
#include "hearth/core/dtype.h"
#include "hearth/core/error.h"

namespace hearth::cpu {

/// The object compiled for `isa()`. Example: const SwigluRows* rows = select(generic::swiglu_rows, avx2::...,
/// avx512::...);
template <class T>
const T& select(const T& generic, const T& avx2, const T& avx512) {
  const Isa now = isa();
  return now == Isa::avx512 ? avx512 : now == Isa::avx2 ? avx2 : generic;
}

/// Place of a floating dtype in a per-ISA table of four. Raises DtypeError naming `op` for any other dtype.
inline int float_index(Dtype dtype, const char* op) {
  static_assert(int(Dtype::bfloat16) == int(Dtype::float16) + 1 && int(Dtype::float32) == int(Dtype::float16) + 2 &&
                int(Dtype::float64) == int(Dtype::float16) + 3);
  check<DtypeError>(is_floating(dtype), op, ": dtype ", dtype,
                    " is not supported; expected one of: float32 float64 bfloat16 float16");
  return int(dtype) - int(Dtype::float16);
}

}  // namespace hearth::cpu
