// Row scores: each row is one task that stays in a core's own cache.
#include "llm/sample/row_scores.h"

#include <algorithm>
#include <cmath>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/error.h"
#include "hearth/core/grad_mode.h"
#include "hearth/ops/create.h"
#include "hearth/ops/cross_entropy.h"
#include "hearth/ops/softmax.h"

namespace hearth::llm {

namespace {

std::span<const float> numbers(const Tensor& row) { return {row.data<float>(), size_t(row.numel())}; }

/// The row as the softmax sees it.
Tensor scaled_row(const Tensor& logits, int64_t row, double temperature) {
  const Tensor plain = row_of(logits, row);
  if (temperature == 0 || temperature == 1) return plain;
  // Shifted first: a tiny temperature must not make all numbers infinite.
  const std::span<const float> from = numbers(plain);
  const float most = from[size_t(best_token(from))], factor = float(std::min(1 / temperature, 1e38));
  const Tensor scaled = Tensor::empty(plain.shape());
  float* to = scaled.data<float>();
  for (size_t i = 0; i < from.size(); ++i) to[i] = (from[i] - most) * factor;
  return scaled;
}

void draw(const Tensor& logits, int64_t allowed, RowDraw& d) {
  const std::span<const float> row = numbers(row_of(logits, d.row));
  d.token = d.sampler->choose(row.first(size_t(std::min(allowed, logits.size(1)))));
  if (d.top_k > 0) {
    const Tensor all = row_log_probs(logits, d.row, d.temperature);
    d.logprob = numbers(all)[size_t(d.token)];
    d.top = unused_table(1, d.top_k);
    write_top(all, d.top_k, d.top, 0);
  } else {
    const Tensor target = from_values<int64_t>({int64_t(d.token)});
    d.logprob = numbers(token_log_probs(scaled_row(logits, d.row, d.temperature), target))[0];
  }
  check<ValueError>(!std::isnan(d.logprob), "sample: a logit is not a number; the weights hold NaN or infinity");
}

}  // namespace

Tensor row_of(const Tensor& x, int64_t row) {
  // `narrow` would note the view in the tensor that all threads share.
  return x.alias({1, x.size(1)}, {x.size(1), 1}, x.offset() + row * x.size(1));
}

Tensor row_log_probs(const Tensor& logits, int64_t row, double temperature) {
  const Tensor all = log_softmax(scaled_row(logits, row, temperature), -1);
  // One NaN among the logits makes the sum, and so every number, NaN.
  check<ValueError>(!std::isnan(numbers(all)[0]), "sample: a logit is not a number; the weights hold NaN or infinity");
  return all;
}

void write_top(const Tensor& log_probs, int64_t k, TokenTable& table, int64_t at) {
  const std::span<const float> scores = numbers(log_probs);
  for (int32_t token : top_tokens(scores, k)) {
    table.tokens[size_t(at)] = token;
    table.logprobs[size_t(at++)] = scores[size_t(token)];
  }
}

TokenTable unused_table(int64_t rows, int64_t k) {
  const size_t cells = size_t(rows * k);
  return {k, std::vector<int32_t>(cells, 0), std::vector<float>(cells, TokenTable::unused)};
}

void draw_tokens(const Tensor& logits, int64_t allowed, std::span<RowDraw> draws) {
  cpu::parallel_for(0, int64_t(draws.size()), 1, [&](int64_t begin, int64_t end) {
    NoGrad guard;
    for (int64_t i = begin; i < end; ++i) try {
        draw(logits, allowed, draws[size_t(i)]);
      } catch (...) {
        draws[size_t(i)].error = std::current_exception();
      }
  });
}

}  // namespace hearth::llm
