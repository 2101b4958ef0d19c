// Row scores: what is read off rows of logits, many rows at once over threads.
#pragma once

#include <exception>
#include <span>

#include "llm/sample/sample_batch.h"
#include "llm/sample/sampler.h"

namespace hearth::llm {

/// One token to be chosen from one row of logits, and what comes of it.
struct RowDraw {
  int64_t row = 0;
  Sampler* sampler = nullptr;
  double temperature = 1;
  int64_t top_k = 0;  ///< entries of `top`

  int32_t token = 0;
  float logprob = 0;
  TokenTable top;  ///< one row
  std::exception_ptr error;
};

/// Chooses for each draw among the first `allowed` tokens of its row of logits [rows, vocab]. Errors (no finite logit)
/// are put into the draw. A draw depends on its row and its sampler only.
void draw_tokens(const Tensor& logits, int64_t allowed, std::span<RowDraw> draws);

/// Row `row` of [rows, n] as [1, n]. Unlike a view of autograd's, it may be made on many threads at once.
Tensor row_of(const Tensor& x, int64_t row);

/// log softmax(logits[row] / temperature), float32 [1, vocab]; temperatures 0 and 1 leave the logits as they are, so
/// that the bits are those of CausalLm::log_probs. Raises ValueError when they hold NaN.
Tensor row_log_probs(const Tensor& logits, int64_t row, double temperature);

/// Writes the k most likely tokens into cells [at, at + k) of a table; cells left over stay as they are.
void write_top(const Tensor& log_probs, int64_t k, TokenTable& table, int64_t at);

/// A table of `rows` rows of cells that are not used.
TokenTable unused_table(int64_t rows, int64_t k);

}  // namespace hearth::llm
