// PromptScores: what a request wants to know about its prompt, filled in as the prompt is computed piece by piece.
#pragma once

#include "llm/models/causal_lm.h"
#include "llm/sample/sample_batch.h"

namespace hearth::llm {

/// Row p of the prompt's hidden states scores position p + 1.
class PromptScores {
 public:
  /// Sizes the result's fields for a request that was checked; the request must outlive this.
  PromptScores(const SampleRequest& request, SampleResult& result);

  /// The first row that is still to be scored; the prompt's last one (which scores nothing) when all is done.
  int64_t next_row() const { return next_; }
  bool done() const { return next_ >= last_; }

  /// Writes the targets of rows [first, end) of the prompt that need their own token's log-probability and nothing
  /// else: it is computed for all requests together. Others stay as they are.
  void want_targets(int64_t first, int64_t end, int64_t* targets) const;
  /// Takes these log-probabilities, one for each row of [first, end).
  void take_log_probs(int64_t first, int64_t end, const float* log_probs);
  /// Scores that need whole rows of logits. hidden: rows [first, end) of the prompt.
  void score_rows(const CausalLm& model, const RowAdapters& adapters, const Tensor& hidden, int64_t first, int64_t end,
                  int64_t allowed);
  /// Rows before `end` are scored now.
  void advance(int64_t end);

 private:
  bool whole_rows() const;
  void score_row(const Tensor& logits, int64_t row, int64_t position, int64_t allowed);
  void draw_alternatives(const Tensor& logits, int64_t row, int64_t position, int64_t allowed);

  const SampleRequest& request_;
  SampleResult& result_;
  int64_t last_;   ///< rows that can score anything
  int64_t first_;  ///< the first row whose own token is scored
  int64_t next_;
};

}  // namespace hearth::llm
