// Log-probabilities of targets on the CPU: one row of logits at a time, with the row statistics of log_softmax.
#include "hearth/backend/kernels/cross_entropy.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/backend/cpu/select.h"
#include "hearth/backend/cpu/simd/softmax.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::TokenLogProbsFn token_log_probs;

namespace {

/// One row; C is the type of the arithmetic. `coefficient` null: no gradient.
template <class S, class C>
C token_row(const SoftmaxRows& kernel, S* row, int64_t vocab, int64_t target, const C* coefficient) {
  if (target == kernels::ignored_target) {
    if (coefficient) std::fill(row, row + vocab, S());
    return 0;
  }
  const SoftmaxStatistics statistics = kernel.statistics(row, vocab);
  const C result = (C(row[target]) - C(statistics.max)) - C(statistics.log_sum);
  if (coefficient) {
    kernel.log_probability_gradient(row, vocab, statistics, double(*coefficient));
    // Not by adding c to what the row holds: that is -c * p rounded, perhaps to 16 bits, and 1 - p may be small.
    row[target] = S(*coefficient * C(-std::expm1(double(result))));
  }
  return result;
}

}  // namespace

void token_log_probs(const Tensor& log_probs, const Tensor& logits, const Tensor& targets, const Tensor& coefficients) {
  const SoftmaxRows& kernel = select(generic::softmax_rows, avx2::softmax_rows,
                                     avx512::softmax_rows)[float_index(logits.dtype(), "token_log_probs")];
  const int64_t vocab = logits.size(1);
  const int64_t* target = targets.data<int64_t>();
  dispatch(FloatTypes{}, logits.dtype(), "token_log_probs", [&]<class S>() {
    using C = std::conditional_t<std::is_same_v<S, double>, double, float>;
    S* rows = logits.data<S>();
    C* results = log_probs.data<C>();
    const C* factors = coefficients.defined() ? coefficients.data<C>() : nullptr;
    parallel_for(0, logits.size(0), std::max<int64_t>(1, 8192 / vocab), [&](int64_t b, int64_t e) {
      for (int64_t t = b; t < e; ++t)
        results[t] = token_row(kernel, rows + t * vocab, vocab, target[t], factors ? factors + t : nullptr);
    });
  });
}

}  // namespace hearth::cpu
