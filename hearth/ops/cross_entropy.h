// Cross-entropy of a language model's head, in chunks of tokens: the logits of all tokens are never stored.
#pragma once

#include "hearth/core/tensor.h"
#include "hearth/ops/linear.h"
#include "hearth/ops/lora.h"

namespace hearth {

/// Targets that stand for "no target": log-probability 0, no gradient, and no work spent on their logits.
inline constexpr int64_t ignored_token = -100;

/// log softmax(logits)[target] of each token, for logits that are stored: [tokens], float32 (float64 for float64), 0
/// where the target is -100. Shapes: logits [tokens, vocab], targets int64 [tokens]. The bits of log_softmax in float32
/// and float64; differentiable. Raises ShapeError, DtypeError, IndexError for a target outside the vocabulary. Example:
/// Tensor logp = token_log_probs(linear(hidden, head), targets);
Tensor token_log_probs(const Tensor& logits, const Tensor& targets);

/// log softmax(hidden weight^T)[target] of each token: [tokens], float32 (float64 for float64), 0 where ignored.
/// Shapes: hidden [tokens, dim], weight [vocab, dim], targets int64 [tokens], each in [0, vocab) or -100.
/// One floating dtype, or hidden float32 and weight bfloat16 or float16 (widened exactly, logits float32).
/// A token's bits do not depend on other tokens and, in float32 and float64, are those of
/// log_softmax(matmul(hidden, weight^T)). Differentiable in hidden and weight; the backward computes the logits again.
/// Raises ShapeError, DtypeError, IndexError for a target outside the vocabulary.
/// Low-rank paths beside the head belong to rows of hidden, which is float32 then; their a and b get gradients whose
/// bits, like those of a token, do not depend on the rest of the pass. The logits are those of lora_linear.
/// Several candidates a token: targets [tokens, k], all in the vocabulary, give [tokens, k], each with the bits that it
/// has alone; a token's logits are computed once for all of them.
/// Example: Tensor logp = linear_log_probs(hidden, head, targets);
Tensor linear_log_probs(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                        const LoraSegments& segments = {});

/// The same with a frozen head that was packed once: no gradient for it. hidden float32.
Tensor linear_log_probs(const Tensor& hidden, const PackedLinear& head, const Tensor& targets,
                        const LoraSegments& segments = {});

struct CrossEntropy {
  Tensor loss;       ///< 0-dim: -sum over targets of token_weight * log-probability
  Tensor log_probs;  ///< of targets' shape, without history
};

/// Weighted cross-entropy of targets under softmax(hidden weight^T). token_weights: float32 (float64 for
/// float64 hidden) of targets' shape or undefined (1); divide by their sum beforehand for a mean. Arguments, bits and
/// errors as in linear_log_probs; the log-probabilities have the same bits. Faster than it in training: gradients are
/// computed with the loss, chunk by chunk, so that no logit is computed twice; memory for them is that of hidden (and
/// of weight, if it is trained, and of the paths). Example: CrossEntropy c = linear_cross_entropy(hidden, head,
/// targets, weights); backward(c.loss);
CrossEntropy linear_cross_entropy(const Tensor& hidden, const Tensor& weight, const Tensor& targets,
                                  const Tensor& token_weights = {}, const LoraSegments& segments = {});
CrossEntropy linear_cross_entropy(const Tensor& hidden, const PackedLinear& head, const Tensor& targets,
                                  const Tensor& token_weights = {}, const LoraSegments& segments = {});

}  // namespace hearth
