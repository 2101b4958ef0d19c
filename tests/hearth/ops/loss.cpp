// Losses: PyTorch's values, derivatives, extremes, wrong input.
#include "hearth/ops/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "frozen.h"
#include "fused_check.h"
#include "hearth/autograd/gradcheck.h"

namespace hearth {
namespace {

using frozen::Keywords;
using fused_check::random;

Reduction reduction_of(const Keywords& k) {
  const std::string name = k.text("reduction", "mean");
  return name == "none"   ? Reduction::none
         : name == "sum"  ? Reduction::sum
         : name == "mean" ? Reduction::mean
                          : Reduction::batchmean;
}

ClassOptions classes_of(const TensorList& x, const Keywords& k) {
  ClassOptions o;
  if (x.size() > 2) o.weight = x[2];
  o.ignore_index = k.integer("ignore_index", -100);
  o.reduction = reduction_of(k);
  o.label_smoothing = k.number("label_smoothing", 0);
  return o;
}

Tensor at(const TensorList& x, size_t i) { return i < x.size() ? x[i] : Tensor(); }

TEST(Loss, ClassesAgreeWithPyTorch) {
  frozen::check_op("cross_entropy", [](const TensorList& x, const Keywords& k) {
    return TensorList{cross_entropy(x[0], x[1], classes_of(x, k))};
  });
  frozen::check_op("nll_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{nll_loss(x[0], x[1], classes_of(x, k))};
  });
  frozen::check_op("multi_margin_loss",
                   [](const TensorList& x, const Keywords&) { return TensorList{multi_margin_loss(x[0], x[1])}; });
}

TEST(Loss, NumbersAgreeWithPyTorch) {
  frozen::check_op("mse_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{mse_loss(x[0], x[1], reduction_of(k))};
  });
  frozen::check_op("l1_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{l1_loss(x[0], x[1], reduction_of(k))};
  });
  frozen::check_op("smooth_l1_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{smooth_l1_loss(x[0], x[1], reduction_of(k), k.number("beta", 1))};
  });
  frozen::check_op("huber_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{huber_loss(x[0], x[1], reduction_of(k), k.number("delta", 1))};
  });
  frozen::check_op("binary_cross_entropy", [](const TensorList& x, const Keywords& k) {
    return TensorList{binary_cross_entropy(x[0], x[1], at(x, 2), reduction_of(k))};
  });
  frozen::check_op("binary_cross_entropy_with_logits", [](const TensorList& x, const Keywords& k) {
    return TensorList{binary_cross_entropy_with_logits(x[0], x[1], at(x, 2), reduction_of(k), at(x, 3))};
  });
  frozen::check_op("kl_div", [](const TensorList& x, const Keywords& k) {
    return TensorList{kl_div(x[0], x[1], reduction_of(k), k.flag("log_target", false))};
  });
  frozen::check_op("poisson_nll_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{poisson_nll_loss(x[0], x[1], k.flag("log_input", true), k.flag("full", false))};
  });
  frozen::check_op("gaussian_nll_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{gaussian_nll_loss(x[0], x[1], x[2], k.flag("full", false))};
  });
}

TEST(Loss, PairsAgreeWithPyTorch) {
  frozen::check_op("hinge_embedding_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{hinge_embedding_loss(x[0], x[1], k.number("margin", 1))};
  });
  frozen::check_op("cosine_embedding_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{cosine_embedding_loss(x[0], x[1], x[2], k.number("margin", 0))};
  });
  frozen::check_op("margin_ranking_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{margin_ranking_loss(x[0], x[1], x[2], k.number("margin", 0))};
  });
  frozen::check_op("triplet_margin_loss", [](const TensorList& x, const Keywords& k) {
    return TensorList{triplet_margin_loss(x[0], x[1], x[2], k.number("margin", 1))};
  });
  frozen::check_op("soft_margin_loss",
                   [](const TensorList& x, const Keywords&) { return TensorList{soft_margin_loss(x[0], x[1])}; });
}

TEST(Loss, Derivatives) {
  const Tensor x = random({4, 3}, 1, Dtype::float64).set_requires_grad();
  const Tensor y = random({4, 3}, 2, Dtype::float64).set_requires_grad();
  const Tensor ids = from_values<int64_t>({2, 0, -100, 1}), sign = from_values<double>({1, -1, -1, 1});
  const Tensor weight = from_values<double>({0.5, 2, 1});
  const std::vector<TensorFunction> functions = {
      [&](const TensorList& v) {
        return TensorList{cross_entropy(v[0] * v[1], ids, {.weight = weight, .label_smoothing = 0.2})};
      },
      [&](const TensorList& v) { return TensorList{cross_entropy(v[0], v[1] * v[1], {.weight = weight})}; },
      [](const TensorList& v) { return TensorList{mse_loss(v[0], v[1])}; },
      [](const TensorList& v) { return TensorList{smooth_l1_loss(v[0] * v[0], v[1], Reduction::none, 0.3)}; },
      [](const TensorList& v) { return TensorList{huber_loss(v[0] * v[0], v[1], Reduction::none, 0.3)}; },
      [](const TensorList& v) { return TensorList{binary_cross_entropy(sigmoid(v[0]), sigmoid(v[1]))}; },
      [](const TensorList& v) {
        return TensorList{binary_cross_entropy_with_logits(v[0], sigmoid(v[1]), {}, Reduction::none, v[1] * v[1])};
      },
      [](const TensorList& v) { return TensorList{kl_div(v[0], v[1] * v[1], Reduction::batchmean)}; },
      [](const TensorList& v) { return TensorList{kl_div(v[0], v[1], Reduction::sum, true)}; },
      [](const TensorList& v) { return TensorList{poisson_nll_loss(v[0] * v[0], v[1] * v[1] * 9, false, true)}; },
      [](const TensorList& v) {
        return TensorList{gaussian_nll_loss(v[0], v[1], v[0] * v[1] * v[0] * v[1] + 0.1, true)};
      },
      [&](const TensorList& v) { return TensorList{cosine_embedding_loss(v[0], v[1], sign, -0.9)}; },
      [&](const TensorList& v) { return TensorList{triplet_margin_loss(v[0], v[1], v[0] * v[1], 2, 2, 1e-6, true)}; },
      [](const TensorList& v) { return TensorList{soft_margin_loss(v[0] * v[1], v[1])}; },
  };
  for (size_t i = 0; i < functions.size(); ++i) {
    EXPECT_LT(gradcheck(functions[i], {x, y}), 1e-6) << i;
    EXPECT_LT(gradgradcheck(functions[i], {x, y}), 1e-6) << i;
  }
}

TEST(Loss, Extremes) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor logits = from_values<double>({1000, -1000, 0, 0}, {2, 2}).set_requires_grad();
  const Tensor loss = cross_entropy(logits, from_values<int64_t>({1, 0}), {.reduction = Reduction::none});
  EXPECT_EQ(to_vector<double>(loss.detach())[0], 2000);
  // A row that is ignored may hold anything.
  const Tensor wild = from_values<double>({-infinity, -infinity, 1, 2}, {2, 2}).set_requires_grad();
  const Tensor kept = nll_loss(wild, from_values<int64_t>({-100, 1}));
  EXPECT_EQ(kept.item(), -2);
  EXPECT_EQ(to_vector<double>(grad({kept}, {wild})[0]), (std::vector<double>{0, 0, 0, -1}));
  EXPECT_TRUE(std::isnan(cross_entropy(zeros({1, 2}), from_values<int64_t>({-100})).item()));
  const Tensor sure = binary_cross_entropy_with_logits(from_values<double>({800, -800}), from_values<double>({0, 1}),
                                                       {}, Reduction::none);
  EXPECT_EQ(to_vector<double>(sure), (std::vector<double>{800, 800}));
  EXPECT_EQ(
      to_vector<double>(soft_margin_loss(from_values<double>({-900, 900}), ones({2}, Dtype::float64), Reduction::none)),
      (std::vector<double>{900, 0}));
}

TEST(Loss, RefusesWrongInput) {
  const Tensor x = zeros({2, 3}), ids = from_values<int64_t>({0, 3});
  EXPECT_THROW(cross_entropy(x, ids), IndexError);
  EXPECT_THROW(cross_entropy(x, from_values<int64_t>({0, -1})), IndexError);
  EXPECT_THROW(cross_entropy(x, from_values<int64_t>({0})), ShapeError);
  EXPECT_THROW(cross_entropy(x, zeros({2, 2})), ShapeError);
  EXPECT_THROW(cross_entropy(to(x, Dtype::int64), ids), DtypeError);
  EXPECT_THROW(cross_entropy(x, zeros({2}, Dtype::boolean)), DtypeError);
  EXPECT_THROW(cross_entropy(x, ids, {.weight = zeros({2})}), ShapeError);
  EXPECT_THROW(cross_entropy(x, from_values<int64_t>({0, 1}), {.label_smoothing = 2}), ValueError);
  EXPECT_THROW(mse_loss(x, zeros({2, 4})), ShapeError);
  EXPECT_THROW(mse_loss(x, x, Reduction::batchmean), ValueError);
  EXPECT_THROW(binary_cross_entropy(full({2}, 1.5), zeros({2})), ValueError);
  EXPECT_THROW(gaussian_nll_loss(x, x, full({2, 3}, -1.0)), ValueError);
  EXPECT_THROW(huber_loss(x, x, Reduction::mean, 0), ValueError);
  EXPECT_THROW(multi_margin_loss(x, ids), IndexError);
  EXPECT_THROW(multi_margin_loss(x, from_values<int64_t>({0, 1}), 3), ValueError);
}

}  // namespace
}  // namespace hearth
