// Random tensors: each draw follows PyTorch's CPU recipe word for word.
#include "hearth/ops/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "hearth/core/dispatch.h"
#include "hearth/core/long_work.h"
#include "hearth/core/node.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/mask.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

Generator& chosen(Generator* generator) { return generator ? *generator : default_generator(); }

/// x with its dimensions in memory order, which is the order in which PyTorch fills it.
Tensor in_memory_order(const Tensor& x) {
  if (x.is_contiguous()) return x.detach();
  std::vector<int64_t> order(size_t(x.dim()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t a, int64_t b) { return x.strides()[int(a)] > x.strides()[int(b)]; });
  Shape sizes, strides;
  for (int64_t d : order) {
    sizes.push_back(x.shape()[int(d)]);
    strides.push_back(x.strides()[int(d)]);
  }
  return x.alias(sizes, strides, x.offset());
}

/// Lets `draw` fill a contiguous tensor with x's elements in memory order, then writes it over x.
template <class F>
const Tensor& fill_random(const char* op, const Tensor& x, F draw) {
  check_writable(op, x);
  if (x.device().type == DeviceType::meta) return x;
  NoGrad guard;
  const Tensor target = in_memory_order(x);
  if (target.is_contiguous()) {
    draw(target);
  } else {
    const Tensor values = empty_like(target);
    draw(values);
    copy_(target, values);
  }
  x.bump_version();
  return x;
}

/// Calls f(i) for each element in order and stores what it returns.
template <class Accepted, class F>
void draw_each(const char* op, const Tensor& x, F f) {
  dispatch(Accepted{}, x.dtype(), op, [&]<class T>() {
    T* data = x.data<T>();
    for (int64_t i = 0; i < x.numel(); ++i) {
      if constexpr (std::is_same_v<T, bfloat16> || std::is_same_v<T, float16>)
        data[i] = T(float(f(i)));
      else
        data[i] = T(f(i));
    }
  });
}

template <class T>
constexpr int significant_bits = std::is_same_v<T, double>     ? 53
                                 : std::is_same_v<T, float>    ? 24
                                 : std::is_same_v<T, bfloat16> ? 8
                                                               : 11;

/// low + (high - low) u with u of as many random bits as T has; one fused multiply-add, as the compiled original.
template <class T>
void draw_uniform(T* data, int64_t n, double low, double high, Generator& g) {
  if constexpr (std::is_same_v<T, double>) {
    for (int64_t i = 0; i < n; ++i) data[i] = std::fma(g.uniform64(), high - low, low);
  } else {
    constexpr int bits = significant_bits<T>;
    const float from = float(T(float(low))), span = float(T(float(T(float(high))) - from));
    const float unit = std::ldexp(1.0f, -bits);
    for (int64_t i = 0; i < n; ++i) {
      const float u = float(g.random() & ((1u << bits) - 1)) * unit;
      data[i] = T(std::fma(u, span, from));
    }
  }
}

/// Eight pairs of uniform numbers, u[j] and u[j + 8], become sixteen normal ones.
template <class T>
void box_muller_16(T* u, double mean, double deviation) {
  using C = std::conditional_t<std::is_same_v<T, double>, double, float>;
  for (int j = 0; j < 8; ++j) {
    const C u1 = C(1) - C(u[j]), u2 = C(u[j + 8]);
    const C radius = std::sqrt(C(-2) * C(std::log(double(u1))));
    const C angle = C(2 * 3.14159265358979323846) * u2;
    u[j] = T(radius * C(std::cos(double(angle))) * C(deviation) + C(mean));
    u[j + 8] = T(radius * C(std::sin(double(angle))) * C(deviation) + C(mean));
  }
}

template <class T>
void draw_normal_blocks(T* data, int64_t n, double mean, double deviation, Generator& g) {
  draw_uniform(data, n, 0, 1, g);
  for (int64_t i = 0; i + 16 <= n; i += 16) box_muller_16(data + i, mean, deviation);
  if (n % 16 == 0) return;
  // The incomplete block is covered by drawing the last sixteen anew.
  draw_uniform(data + n - 16, 16, 0, 1, g);
  box_muller_16(data + n - 16, mean, deviation);
}

int64_t whole_number(uint64_t range, int64_t low, Generator& g) {
  // Above 2^28 one word would make some numbers five percent likelier than others.
  const uint64_t drawn = range >= uint64_t(1) << 28 ? g.random64() : g.random();
  return int64_t(drawn % range + uint64_t(low));
}

void check_floating(const char* op, const Tensor& x) {
  check<DtypeError>(is_floating(x.dtype()), op, ": needs a floating tensor: ", x.dtype());
}

void check_probability(const char* op, double p) {
  check<ValueError>(p >= 0 && p <= 1, op, ": probability must lie in [0, 1]: ", p);
}

double draw_exponential(double rate, Generator& g) { return -1.0 / rate * std::log1p(-g.uniform64()); }

}  // namespace

const Tensor& uniform_(const Tensor& x, double low, double high, Generator* generator) {
  if (is_complex(x.dtype())) {
    uniform_(view_as_real(x), low, high, generator);
    return x;
  }
  check_floating("uniform_", x);
  check<ValueError>(low <= high, "uniform_: low must not exceed high: ", low, ", ", high);
  Generator& g = chosen(generator);
  return fill_random("uniform_", x, [&](const Tensor& t) {
    const ShortWork keep;
    std::lock_guard lock(g.mutex);
    dispatch(FloatTypes{}, t.dtype(), "uniform_",
             [&]<class T>() { draw_uniform(t.data<T>(), t.numel(), low, high, g); });
  });
}

const Tensor& normal_(const Tensor& x, double mean, double deviation, Generator* generator) {
  if (is_complex(x.dtype())) {
    normal_(view_as_real(x), mean, deviation / std::sqrt(2.0), generator);
    return x;
  }
  check_floating("normal_", x);
  check<ValueError>(deviation >= 0, "normal_: the deviation must not be negative: ", deviation);
  Generator& g = chosen(generator);
  const bool blocks = x.numel() >= 16 && x.is_contiguous();
  return fill_random("normal_", x, [&](const Tensor& t) {
    const ShortWork keep;
    std::lock_guard lock(g.mutex);
    if (!blocks) return draw_each<FloatTypes>("normal_", t, [&](int64_t) { return g.normal() * deviation + mean; });
    dispatch(FloatTypes{}, t.dtype(), "normal_",
             [&]<class T>() { draw_normal_blocks(t.data<T>(), t.numel(), mean, deviation, g); });
  });
}

const Tensor& exponential_(const Tensor& x, double rate, Generator* generator) {
  check_floating("exponential_", x);
  check<ValueError>(rate > 0, "exponential_: the rate must be positive: ", rate);
  Generator& g = chosen(generator);
  return fill_random("exponential_", x, [&](const Tensor& t) {
    const ShortWork keep;
    std::lock_guard lock(g.mutex);
    draw_each<FloatTypes>("exponential_", t, [&](int64_t) { return draw_exponential(rate, g); });
  });
}

const Tensor& bernoulli_(const Tensor& x, double p, Generator* generator) {
  check_probability("bernoulli_", p);
  Generator& g = chosen(generator);
  return fill_random("bernoulli_", x, [&](const Tensor& t) {
    const ShortWork keep;
    std::lock_guard lock(g.mutex);
    draw_each<RealTypes>("bernoulli_", t, [&](int64_t) { return g.uniform64() < p ? 1 : 0; });
  });
}

const Tensor& random_(const Tensor& x, int64_t low, int64_t high, Generator* generator) {
  check<ValueError>(low < high, "random_: the range is empty: low ", low, ", high ", high);
  Generator& g = chosen(generator);
  const uint64_t range = uint64_t(high) - uint64_t(low);
  return fill_random("random_", x, [&](const Tensor& t) {
    const ShortWork keep;
    std::lock_guard lock(g.mutex);
    draw_each<RealTypes>("random_", t, [&](int64_t) { return whole_number(range, low, g); });
  });
}

const Tensor& trunc_normal_(const Tensor& x, double mean, double deviation, double low, double high,
                            Generator* generator) {
  check_floating("trunc_normal_", x);
  check<ValueError>(deviation > 0 && low < high,
                    "trunc_normal_: needs a positive deviation and low < high: ", deviation, ", ", low, ", ", high);
  const auto cdf = [](double v) { return (1 + std::erf(v / std::sqrt(2.0))) / 2; };
  const double from = cdf((low - mean) / deviation), to = cdf((high - mean) / deviation);
  constexpr double worth_retrying = 0.05;
  if (to - from < worth_retrying) {
    // Hardly a draw would fall inside: go through the inverse distribution instead.
    uniform_(x, 2 * from - 1, 2 * to - 1, generator);
    NoGrad guard;
    return copy_(x, clamp(add(mul(erfinv(x), deviation * std::sqrt(2.0)), mean), low, high));
  }
  normal_(x, mean, deviation, generator);
  NoGrad guard;
  for (Tensor outside = logical_or(lt(x, low), gt(x, high)); any(outside).item() != 0;
       outside = logical_or(lt(x, low), gt(x, high)))
    masked_scatter_(x, outside, normal(mean, deviation, {count_nonzero(outside).item_int()}, x.dtype(), generator));
  return x;
}

Tensor rand(const Shape& shape, Dtype dtype, Generator* generator) {
  return uniform_(Tensor::empty(shape, dtype), 0, 1, generator);
}
Tensor randn(const Shape& shape, Dtype dtype, Generator* generator) {
  return normal_(Tensor::empty(shape, dtype), 0, 1, generator);
}
Tensor rand_like(const Tensor& x, Generator* generator) { return rand(x.shape(), x.dtype(), generator); }
Tensor randn_like(const Tensor& x, Generator* generator) { return randn(x.shape(), x.dtype(), generator); }

Tensor randint(int64_t low, int64_t high, const Shape& shape, Dtype dtype, Generator* generator) {
  return random_(Tensor::empty(shape, dtype), low, high, generator);
}

Tensor randperm(int64_t n, Dtype dtype, Generator* generator) {
  check<ValueError>(n >= 0, "randperm: n must not be negative: ", n);
  Tensor x = Tensor::empty({n}, Dtype::int64);
  int64_t* data = x.data<int64_t>();
  std::iota(data, data + n, int64_t(0));
  Generator& g = chosen(generator);
  const ShortWork keep;
  std::lock_guard lock(g.mutex);
  const bool wide = n >= int64_t(1) << 32;
  for (int64_t i = 0; i + 1 < n; ++i) {
    const uint64_t drawn = wide ? g.random64() : g.random();
    std::swap(data[i], data[i + int64_t(drawn % uint64_t(n - i))]);
  }
  return to(x, dtype);
}

Tensor bernoulli(const Tensor& p, Generator* generator) {
  check_floating("bernoulli", p);
  Generator& g = chosen(generator);
  NoGrad guard;
  const Tensor wide = contiguous(to(p, Dtype::float64));
  const Tensor y = empty_like(p);
  const double* chance = wide.data<double>();
  for (int64_t i = 0; i < wide.numel(); ++i) check_probability("bernoulli", chance[i]);
  const ShortWork keep;
  std::lock_guard lock(g.mutex);
  const bool fine = p.dtype() == Dtype::float64;
  draw_each<FloatTypes>("bernoulli", y, [&](int64_t i) {
    return fine ? (g.uniform64() < chance[i] ? 1 : 0) : (g.uniform() < float(chance[i]) ? 1 : 0);
  });
  return y;
}

namespace {

/// Draws with replacement: a uniform number is looked up in the running sums.
void draw_with_replacement(const float* weights, int64_t n, int64_t* out, int64_t count, Generator& g) {
  std::vector<float> sums(static_cast<size_t>(n));
  float total = 0;
  for (int64_t i = 0; i < n; ++i) sums[size_t(i)] = total += weights[i];
  for (float& sum : sums) sum /= total;
  sums.back() = 1;
  for (int64_t k = 0; k < count; ++k) {
    const double u = g.uniform64();
    out[k] = std::lower_bound(sums.begin(), sums.end(), u, [](float sum, double v) { return double(sum) < v; }) -
             sums.begin();
  }
}

/// Draws without replacement: the largest of weight / exponential number come first.
void draw_without_replacement(const float* weights, const float* noise, int64_t n, int64_t* out, int64_t count) {
  std::vector<float> scores(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) scores[size_t(i)] = weights[i] / noise[i];
  std::vector<int64_t> order(static_cast<size_t>(n));
  std::iota(order.begin(), order.end(), int64_t(0));
  std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
    return scores[size_t(a)] != scores[size_t(b)] ? scores[size_t(a)] > scores[size_t(b)] : a < b;
  });
  std::copy_n(order.begin(), count, out);
}

void check_weights(const float* weights, int64_t n) {
  float total = 0;
  for (int64_t i = 0; i < n; ++i) {
    check<ValueError>(weights[i] >= 0 && std::isfinite(weights[i]),
                      "multinomial: weights must be finite and not negative: ", weights[i]);
    total += weights[i];
  }
  check<ValueError>(total > 0, "multinomial: the weights of a row add up to 0");
}

}  // namespace

Tensor multinomial(const Tensor& probs, int64_t count, bool replacement, Generator* generator) {
  check_floating("multinomial", probs);
  check<ShapeError>(probs.dim() == 1 || probs.dim() == 2, "multinomial: needs [n] or [rows, n]: ", probs.shape());
  const int64_t n = probs.size(-1), rows = probs.dim() == 2 ? probs.size(0) : 1;
  check<ValueError>(count > 0 && n > 0, "multinomial: needs a draw and a category: ", count, " of ", n);
  check<ValueError>(replacement || count <= n, "multinomial: more draws than categories without replacement: ", count,
                    " of ", n);
  NoGrad guard;
  const Tensor weights = contiguous(to(probs, Dtype::float32));
  const float* w = weights.data<float>();
  for (int64_t r = 0; r < rows; ++r) check_weights(w + r * n, n);
  Tensor out = Tensor::empty(probs.dim() == 2 ? Shape{rows, count} : Shape{count}, Dtype::int64);
  Generator& g = chosen(generator);
  if (replacement && count > 1) {
    const ShortWork keep;
    std::lock_guard lock(g.mutex);
    for (int64_t r = 0; r < rows; ++r) draw_with_replacement(w + r * n, n, out.data<int64_t>() + r * count, count, g);
    return out;
  }
  const Tensor noise = exponential_(empty_like(weights), 1, generator);
  for (int64_t r = 0; r < rows; ++r)
    draw_without_replacement(w + r * n, noise.data<float>() + r * n, n, out.data<int64_t>() + r * count, count);
  return out;
}

Tensor normal(const Tensor& mean, const Tensor& deviation, Generator* generator) {
  NoGrad guard;
  const Dtype dtype = result_type(mean, deviation);
  const Shape shape = broadcast_shapes("normal", mean.shape(), deviation.shape());
  return add(mul(randn(shape, is_floating(dtype) ? dtype : Dtype::float32, generator), deviation), mean);
}

Tensor normal(double mean, double deviation, const Shape& shape, Dtype dtype, Generator* generator) {
  return normal_(Tensor::empty(shape, dtype), mean, deviation, generator);
}

Tensor dropout(const Tensor& x, double p, bool training, Generator* generator) {
  check_probability("dropout", p);
  if (!training || p == 0) return x;
  if (p == 1) return mul(x, zeros_like(x));
  Tensor noise;
  {
    NoGrad guard;
    noise = Tensor::empty(x.shape(), real_type(x.dtype()), x.device());
    bernoulli_(noise, 1 - p, generator);
    noise = div(noise, 1 - p);
  }
  return mul(x, noise);
}

}  // namespace hearth
