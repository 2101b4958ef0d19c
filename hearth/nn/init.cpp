// Initial values.
#include "hearth/nn/init.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/random.h"
#include "hearth/ops/view.h"

namespace hearth::nn::init {
namespace {

double fan_of(const Tensor& x, Fan fan) {
  const Fans both = fans(x);
  return double(fan == Fan::in ? both.in : both.out);
}

/// Makes the columns of a row-major matrix orthonormal, each from the ones before it: the factor Q of a QR
/// decomposition whose R has a positive diagonal. Two passes keep it orthogonal to the last digit.
void orthonormalize(std::vector<double>& a, int64_t rows, int64_t columns) {
  const auto at = [&](int64_t i, int64_t j) -> double& { return a[size_t(i * columns + j)]; };
  for (int64_t j = 0; j < columns; ++j) {
    for (int pass = 0; pass < 2; ++pass)
      for (int64_t k = 0; k < j; ++k) {
        double dot = 0;
        for (int64_t i = 0; i < rows; ++i) dot += at(i, k) * at(i, j);
        for (int64_t i = 0; i < rows; ++i) at(i, j) -= dot * at(i, k);
      }
    double norm = 0;
    for (int64_t i = 0; i < rows; ++i) norm += at(i, j) * at(i, j);
    norm = std::sqrt(norm);
    for (int64_t i = 0; i < rows; ++i) at(i, j) /= norm;
  }
}

// Truncated normal numbers are drawn in PyTorch's two ways, so that the generator moves as there: every round draws a
// whole tensor, of which only the places that are still open take something.

/// Normal numbers, drawn again where they lie outside.
Tensor redrawn_normal(const Tensor& like, double mean, double deviation, double low, double high,
                      Generator* generator) {
  const double first = full({}, low, like.dtype()).item(), last = full({}, high, like.dtype()).item();
  std::vector<double> values;
  for (bool open = true; open;) {
    const std::vector<double> fresh = to_vector<double>(normal(mean, deviation, like.shape(), like.dtype(), generator));
    if (values.empty()) values = fresh;
    open = false;
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] < first || values[i] > last) values[i] = fresh[i];
      open = open || values[i] < first || values[i] > last;
    }
  }
  return from_values<double>(values, like.shape());
}

/// Uniform numbers, each taken with a chance in proportion to its density.
Tensor accepted_uniform(const Tensor& like, double mean, double deviation, double low, double high,
                        Generator* generator) {
  const auto exponent = [&](double value) { return -0.5 * (value - mean) / deviation * (value - mean) / deviation; };
  const double peak = exponent(std::clamp(mean, low, high));
  std::vector<double> values(size_t(like.numel()));
  std::vector<bool> open(values.size(), true);
  for (bool any = true; any;) {
    const Tensor drawn = empty(like.shape(), like.dtype()), chance = empty(like.shape(), like.dtype());
    hearth::uniform_(drawn, low, high, generator);
    hearth::uniform_(chance, 0, 1, generator);
    const std::vector<double> candidates = to_vector<double>(drawn), chances = to_vector<double>(chance);
    any = false;
    for (size_t i = 0; i < values.size(); ++i) {
      if (!open[i]) continue;
      values[i] = candidates[i];
      open[i] = std::log(chances[i]) > exponent(candidates[i]) - peak;
      any = any || open[i];
    }
  }
  return from_values<double>(values, like.shape());
}

}  // namespace

Fans fans(const Tensor& weight) {
  check<ShapeError>(weight.dim() >= 2, "init::fans: a weight has at least two dimensions: ", weight.shape());
  int64_t field = 1;
  for (int d = 2; d < weight.dim(); ++d) field *= weight.size(d);
  return {weight.size(1) * field, weight.size(0) * field};
}

double gain(Nonlinearity nonlinearity, double slope) {
  switch (nonlinearity) {
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid:
      return 1;
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::sqrt(2.0);
    case Nonlinearity::leaky_relu:
      return std::sqrt(2.0 / (1 + slope * slope));
    case Nonlinearity::selu:
      return 0.75;
  }
  fail<ValueError>("init::gain: unknown nonlinearity: ", int(nonlinearity));
}

const Tensor& uniform_(const Tensor& x, double low, double high, Generator* generator) {
  NoGrad guard;
  hearth::uniform_(x, low, high, generator);
  return x;
}

const Tensor& normal_(const Tensor& x, double mean, double deviation, Generator* generator) {
  NoGrad guard;
  hearth::normal_(x, mean, deviation, generator);
  return x;
}

const Tensor& trunc_normal_(const Tensor& x, double mean, double deviation, double low, double high,
                            Generator* generator) {
  check<ValueError>(deviation > 0 && low < high,
                    "init::trunc_normal_: deviation must be positive and low below high: ", deviation, ", ", low, ", ",
                    high);
  NoGrad guard;
  const auto below = [&](double value) { return (1 + std::erf((value - mean) / deviation / std::sqrt(2.0))) / 2; };
  const bool mostly_inside = below(high) - below(low) > 0.3;
  const Tensor drawn = mostly_inside ? redrawn_normal(x, mean, deviation, low, high, generator)
                                     : accepted_uniform(x, mean, deviation, low, high, generator);
  copy_(x, drawn);
  return x;
}

const Tensor& constant_(const Tensor& x, double value) {
  NoGrad guard;
  fill_(x, value);
  return x;
}

const Tensor& zeros_(const Tensor& x) { return constant_(x, 0); }
const Tensor& ones_(const Tensor& x) { return constant_(x, 1); }

const Tensor& eye_(const Tensor& x) {
  check<ShapeError>(x.dim() == 2, "init::eye_: a matrix is needed: ", x.shape());
  NoGrad guard;
  copy_(x, eye(x.size(0), x.size(1), x.dtype()));
  return x;
}

const Tensor& dirac_(const Tensor& x, int64_t groups) {
  check<ShapeError>(x.dim() >= 3 && x.dim() <= 5, "init::dirac_: three to five dimensions are needed: ", x.shape());
  check<ValueError>(groups > 0 && x.size(0) % groups == 0, "init::dirac_: groups must divide the outputs: ", groups,
                    ", ", x.size(0));
  NoGrad guard;
  fill_(x, 0);
  const int64_t per_group = x.size(0) / groups;
  for (int64_t g = 0; g < groups; ++g)
    for (int64_t d = 0; d < std::min(per_group, x.size(1)); ++d) {
      Tensor place = select(select(x, 0, g * per_group + d), 0, d);
      while (place.dim() > 0) place = select(place, 0, place.size(0) / 2);
      fill_(place, 1);
    }
  return x;
}

const Tensor& xavier_uniform_(const Tensor& x, double gain, Generator* generator) {
  const Fans both = fans(x);
  const double bound = std::sqrt(3.0) * (gain * std::sqrt(2.0 / double(both.in + both.out)));
  return init::uniform_(x, -bound, bound, generator);
}

const Tensor& xavier_normal_(const Tensor& x, double gain, Generator* generator) {
  const Fans both = fans(x);
  return init::normal_(x, 0, gain * std::sqrt(2.0 / double(both.in + both.out)), generator);
}

const Tensor& kaiming_uniform_(const Tensor& x, double slope, Fan fan, Nonlinearity nonlinearity,
                               Generator* generator) {
  const double bound = std::sqrt(3.0) * (gain(nonlinearity, slope) / std::sqrt(fan_of(x, fan)));
  return init::uniform_(x, -bound, bound, generator);
}

const Tensor& kaiming_normal_(const Tensor& x, double slope, Fan fan, Nonlinearity nonlinearity, Generator* generator) {
  return init::normal_(x, 0, gain(nonlinearity, slope) / std::sqrt(fan_of(x, fan)), generator);
}

const Tensor& orthogonal_(const Tensor& x, double gain, Generator* generator) {
  check<ShapeError>(x.dim() >= 2, "init::orthogonal_: at least two dimensions are needed: ", x.shape());
  NoGrad guard;
  if (x.numel() == 0) return x;
  const int64_t rows = x.size(0), columns = x.numel() / rows;
  const bool wide = rows < columns;
  const Tensor drawn = normal(0, 1, {rows, columns}, x.dtype(), generator);
  std::vector<double> values = to_vector<double>(wide ? transpose(drawn, 0, 1) : drawn);
  orthonormalize(values, std::max(rows, columns), std::min(rows, columns));
  for (double& value : values) value *= gain;
  const Tensor tall = from_values<double>(values, {std::max(rows, columns), std::min(rows, columns)});
  copy_(x, reshape(wide ? transpose(tall, 0, 1) : tall, x.shape()));
  return x;
}

const Tensor& sparse_(const Tensor& x, double sparsity, double deviation, Generator* generator) {
  check<ShapeError>(x.dim() == 2, "init::sparse_: a matrix is needed: ", x.shape());
  check<ValueError>(sparsity >= 0 && sparsity <= 1, "init::sparse_: sparsity must be in [0, 1]: ", sparsity);
  NoGrad guard;
  const int64_t rows = x.size(0), zeros = int64_t(std::ceil(sparsity * double(rows)));
  init::normal_(x, 0, deviation, generator);
  for (int64_t column = 0; column < x.size(1); ++column) {
    const std::vector<int64_t> order = to_vector<int64_t>(randperm(rows, Dtype::int64, generator));
    for (int64_t k = 0; k < zeros; ++k) fill_(select(select(x, 0, order[size_t(k)]), 0, column), 0);
  }
  return x;
}

}  // namespace hearth::nn::init
