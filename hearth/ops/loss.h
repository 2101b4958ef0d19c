// Losses as PyTorch's nn.functional has them; composed of differentiable ops.
#pragma once

#include "hearth/core/tensor.h"

namespace hearth {

/// What becomes of one loss per element; batchmean (sum over the first size) is for kl_div only.
enum class Reduction { none, mean, sum, batchmean };

struct ClassOptions {
  Tensor weight{};  ///< one factor per class, or undefined
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;  ///< mean divides by the sum of the targets' weights
  double label_smoothing = 0;             ///< cross_entropy only; in [0, 1]
};

/// -log softmax(x)[target]. x [N, C, ...] or [C]; target class ids [N, ...] (integral; ignore_index counts nothing) or
/// probabilities of x's shape. label_smoothing mixes the target with the uniform distribution.
/// Raises IndexError for an id outside the classes, ShapeError, DtypeError, ValueError.
/// Example: Tensor loss = cross_entropy(logits, labels, {.label_smoothing = 0.1});
Tensor cross_entropy(const Tensor& x, const Tensor& target, const ClassOptions& options = {});
/// The same on log-probabilities, class ids only.
Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const ClassOptions& options = {});

/// (x - y)^2, broadcast.
Tensor mse_loss(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean);
/// |x - y|; the gradient where they are equal is 0.
Tensor l1_loss(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean);
/// d^2 / (2 beta) where d = |x - y| < beta, else d - beta / 2. beta 0 is l1_loss.
Tensor smooth_l1_loss(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean, double beta = 1);
/// d^2 / 2 where d = |x - y| < delta, else delta (d - delta / 2).
Tensor huber_loss(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean, double delta = 1);

/// -(y log x + (1 - y) log(1 - x)) times weight; logarithms are cut at -100. Raises ValueError for x outside [0, 1].
Tensor binary_cross_entropy(const Tensor& x, const Tensor& y, const Tensor& weight = {},
                            Reduction reduction = Reduction::mean);
/// The same of sigmoid(x), exact for large |x|; pos_weight multiplies the first term, broadcast.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& y, const Tensor& weight = {},
                                        Reduction reduction = Reduction::mean, const Tensor& pos_weight = {});
/// y (log y - x), x being log-probabilities; y is given as its logarithm with log_target. 0 where y is 0.
Tensor kl_div(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean, bool log_target = false);
/// exp(x) - y x (x - y log(x + eps) unless log_input), plus Stirling's term for y > 1 when full.
Tensor poisson_nll_loss(const Tensor& x, const Tensor& y, bool log_input = true, bool full = false, double eps = 1e-8,
                        Reduction reduction = Reduction::mean);
/// (log v + (x - y)^2 / v) / 2 with v = max(var, eps), plus log(2 pi) / 2 when full. Raises ValueError for var < 0.
Tensor gaussian_nll_loss(const Tensor& x, const Tensor& y, const Tensor& var, bool full = false, double eps = 1e-6,
                         Reduction reduction = Reduction::mean);

/// x where y is 1, max(0, margin - x) where y is -1.
Tensor hinge_embedding_loss(const Tensor& x, const Tensor& y, double margin = 1, Reduction reduction = Reduction::mean);
/// 1 - cos(a, b) where y is 1, max(0, cos(a, b) - margin) where y is -1. a, b [N, D] or [D].
Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& y, double margin = 0,
                             Reduction reduction = Reduction::mean);
/// max(0, margin - y (a - b)).
Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& y, double margin = 0,
                           Reduction reduction = Reduction::mean);
/// max(0, d(anchor, positive) - d(anchor, negative) + margin), d the p-norm of the difference plus eps over the last
/// dimension; with swap the smaller of the two distances to the negative.
Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, double margin = 1,
                           double p = 2, double eps = 1e-6, bool swap = false, Reduction reduction = Reduction::mean);
/// log(1 + exp(-y x)).
Tensor soft_margin_loss(const Tensor& x, const Tensor& y, Reduction reduction = Reduction::mean);
/// sum over j != y of max(0, margin - x[y] + x[j])^p / C, times weight[y]. x [N, C] or [C]; p 1 or 2.
Tensor multi_margin_loss(const Tensor& x, const Tensor& y, int p = 1, double margin = 1, const Tensor& weight = {},
                         Reduction reduction = Reduction::mean);

}  // namespace hearth
