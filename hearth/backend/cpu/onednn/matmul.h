// oneDNN matrix products with packed weights, only through implementations that are known to be row-invariant.
#pragma once

#include <cstdint>
#include <memory>

#include "hearth/backend/cpu/gemm.h"

namespace hearth::cpu::onednn {

/// B[k, n] in the layout that oneDNN asked for. Types: f32 x f32 -> f32, or bf16 x bf16 -> f32 or bf16.
class PackedWeight {
 public:
  /// Packs B, or returns null where oneDNN has no known good implementation for it: the set is not avx512, the
  /// processor lacks bfloat16 products, or the shape gets another implementation. `input` and `output` are the types of
  /// A and C. Depends on k, n, types and processor only, so a weight is always multiplied the same way.
  static std::unique_ptr<PackedWeight> make(const GemmOperand& b, int64_t k, int64_t n, Storage input, Storage output);
  ~PackedWeight();

  /// C[m, n] = (accumulate ? C : 0) + A[m, k] * B + bias; A and C dense rows, bias float[n] or null. Same bits for a
  /// row whatever m, its position and the number of threads. Any thread may call it, several at once too.
  void multiply(int64_t m, const void* a, void* c, bool accumulate, const float* bias) const;

  size_t bytes() const;

 private:
  struct Impl;
  explicit PackedWeight(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Primitives made so far in this process; tests look at it.
int64_t primitives_made();

}  // namespace hearth::cpu::onednn
