// Probe: one function per element type that runs a Vec operation by number, so that tests can call every instruction
// set.
#pragma once

#include <stdint.h>

namespace hearth::cpu::probe {

enum Op : int {
  add,
  sub,
  mul,
  div,
  negate,
  fused,
  maximum,
  minimum,
  maximum_nan,
  minimum_nan,
  square_root,
  absolute,
  copy_sign,
  floor_,
  ceil_,
  trunc_,
  round_,
  less,
  less_equal,
  greater,
  greater_equal,
  equal,
  not_equal,
  mask_logic,
  exp_,
  exp2_,
  expm1_,
  log_,
  log2_,
  log10_,
  log1p_,
  sin_,
  cos_,
  tan_,
  sinh_,
  cosh_,
  tanh_,
  asin_,
  acos_,
  atan_,
  asinh_,
  acosh_,
  atanh_,
  erf_,
  erfc_,
  sigmoid_,
  pow_,
  atan2_,
  sum_lanes,
  max_lanes,
  min_lanes,
  op_count
};

/// out[0, n) = op(a, b, c) on the first n lanes; comparisons give 1 or 0; lane sums fill out[0].
struct Table {
  int float_size, double_size;
  void (*run_float)(Op op, const float* a, const float* b, const float* c, float* out, int n);
  void (*run_double)(Op op, const double* a, const double* b, const double* c, double* out, int n);
  void (*from_bf16)(const uint16_t* in, float* out, int n);
  void (*to_bf16)(const float* in, uint16_t* out, int n);
  void (*from_f16)(const uint16_t* in, float* out, int n);
  void (*to_f16)(const float* in, uint16_t* out, int n);
  void (*widen)(const float* in, double* out, int n);
  void (*narrow)(const double* in, float* out, int n);
};

/// The table of one set, or null where the program was built without it.
const Table* generic_table();
const Table* avx2_table();
const Table* avx512_table();

}  // namespace hearth::cpu::probe
