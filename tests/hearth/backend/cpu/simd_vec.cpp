// Tests of Vec on every instruction set of this machine: values, rounding, masked tails, and lanes that do not mix.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "hearth/backend/cpu/isa.h"
#include "hearth/core/half.h"
#include "simd_vec_probe.h"

namespace hearth::cpu {
namespace {

using namespace probe;

template <class T>
constexpr T nan_of = std::numeric_limits<T>::quiet_NaN();
template <class T>
constexpr T inf_of = std::numeric_limits<T>::infinity();

struct Set {
  const char* name;
  const Table* table;
};

std::vector<Set> sets() {
  std::vector<Set> found{{"generic", generic_table()}};
  if (best_isa() >= Isa::avx2) found.push_back({"avx2", avx2_table()});
  if (best_isa() >= Isa::avx512) found.push_back({"avx512", avx512_table()});
  return found;
}

template <class T>
int lanes(const Table& t) {
  return sizeof(T) == 4 ? t.float_size : t.double_size;
}
void run(const Table& t, Op op, const float* a, const float* b, const float* c, float* out, int n) {
  t.run_float(op, a, b, c, out, n);
}
void run(const Table& t, Op op, const double* a, const double* b, const double* c, double* out, int n) {
  t.run_double(op, a, b, c, out, n);
}

template <class T>
bool same_bits(T x, T y) {
  return (std::isnan(x) && std::isnan(y)) || std::memcmp(&x, &y, sizeof x) == 0;
}

/// Exact operations and their scalar meaning.
template <class T>
T exact(Op op, T a, T b, T c, bool has_fma) {
  const T nan = nan_of<T>;
  switch (op) {
    case add:
      return a + b;
    case sub:
      return a - b;
    case mul:
      return a * b;
    case div:
      return a / b;
    case negate:
      return -a;
    case fused:
      return has_fma ? std::fma(a, b, c) : T(a * b) + c;
    case maximum:
      return a > b ? a : b;
    case minimum:
      return a < b ? a : b;
    case maximum_nan:
      return std::isnan(a) || std::isnan(b) ? nan : a > b ? a : b;
    case minimum_nan:
      return std::isnan(a) || std::isnan(b) ? nan : a < b ? a : b;
    case square_root:
      return std::sqrt(a);
    case absolute:
      return std::fabs(a);
    case copy_sign:
      return std::copysign(a, b);
    case floor_:
      return std::floor(a);
    case ceil_:
      return std::ceil(a);
    case trunc_:
      return std::trunc(a);
    case round_:
      return std::nearbyint(a);
    case less:
      return a < b;
    case less_equal:
      return a <= b;
    case greater:
      return a > b;
    case greater_equal:
      return a >= b;
    case equal:
      return a == b;
    case not_equal:
      return a != b;
    case mask_logic:
      return (a < b && !(b < c)) || std::isnan(c);
    default:
      return nan;
  }
}

/// Elementary functions in long double, for errors in units of the last place.
long double reference(Op op, long double a, long double b) {
  switch (op) {
    case exp_:
      return std::exp(a);
    case exp2_:
      return std::exp2(a);
    case expm1_:
      return std::expm1(a);
    case log_:
      return std::log(a);
    case log2_:
      return std::log2(a);
    case log10_:
      return std::log10(a);
    case log1p_:
      return std::log1p(a);
    case sin_:
      return std::sin(a);
    case cos_:
      return std::cos(a);
    case tan_:
      return std::tan(a);
    case sinh_:
      return std::sinh(a);
    case cosh_:
      return std::cosh(a);
    case tanh_:
      return std::tanh(a);
    case asin_:
      return std::asin(a);
    case acos_:
      return std::acos(a);
    case atan_:
      return std::atan(a);
    case asinh_:
      return std::asinh(a);
    case acosh_:
      return std::acosh(a);
    case atanh_:
      return std::atanh(a);
    case erf_:
      return std::erf(a);
    case erfc_:
      return std::erfc(a);
    case sigmoid_:
      return 1 / (1 + std::exp(-a));
    case pow_:
      return std::pow(a, b);
    case atan2_:
      return std::atan2(a, b);
    default:
      return 0;
  }
}

template <class T>
std::vector<T> inputs(int count, uint32_t seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> exponent(-30, 30), mantissa(-2, 2);
  std::vector<T> values(count);
  for (auto& v : values) {
    const uint32_t kind = random() % 16;
    if (kind == 0)
      v = std::vector<T>{nan_of<T>, inf_of<T>, -inf_of<T>, T(0), T(-0.0), T(1), T(-1), T(0.5), T(3.5)}[random() % 9];
    else
      v = T(mantissa(random) * std::exp2(kind < 8 ? exponent(random) : exponent(random) / 8));
  }
  return values;
}

template <class T>
void check_exact() {
  const auto a = inputs<T>(960, 1), b = inputs<T>(960, 2), c = inputs<T>(960, 3);
  for (const Set& set : sets())
    for (int op = add; op < exp_; ++op)
      for (int n = 1, size = lanes<T>(*set.table); n <= size; ++n)
        for (int start = 0; start + size <= 960; start += size) {
          std::vector<T> out(size + 1, T(-77));
          run(*set.table, Op(op), &a[start], &b[start], &c[start], out.data(), n);
          for (int i = 0; i < n; ++i) {
            const T want = exact(Op(op), a[start + i], b[start + i], c[start + i], set.name[0] == 'a');
            ASSERT_TRUE(same_bits(out[i], want)) << set.name << " op " << op << " a " << a[start + i] << " b "
                                                 << b[start + i] << ": " << out[i] << " not " << want;
          }
          for (int i = n; i <= size; ++i) ASSERT_EQ(out[i], T(-77)) << set.name << ": wrote past n";
        }
}

TEST(SimdVec, ArithmeticAndTailsAreExact) {
  check_exact<float>();
  check_exact<double>();
}

/// Units of the last place between a computed and an exact value, 0 if both are the same special value.
template <class T>
double error_in_ulps(T got, long double want) {
  const T rounded = T(want);
  if (same_bits(got, rounded) || got == rounded) return 0;
  if (!std::isfinite(got) || !std::isfinite(rounded)) return std::isfinite(rounded) == std::isfinite(got) ? 1e9 : 2e9;
  int exponent;
  std::frexp(rounded, &exponent);
  const int lowest = std::numeric_limits<T>::min_exponent - std::numeric_limits<T>::digits;
  const long double unit = std::ldexp(1.0L, std::max(exponent - std::numeric_limits<T>::digits, lowest));
  return double(std::fabs(got - want) / unit);
}

template <class T>
void check_functions() {
  const int count = 9600;
  const auto a = inputs<T>(count, 4), b = inputs<T>(count, 5);
  for (const Set& set : sets())
    for (int op = exp_; op < sum_lanes; ++op) {
      const int size = lanes<T>(*set.table);
      double worst = 0;
      for (int start = 0; start + size <= count; start += size) {
        std::vector<T> out(size), alone(size), lane_a(size), lane_b(size);
        run(*set.table, Op(op), &a[start], &b[start], &b[start], out.data(), size);
        for (int i = 0; i < size; ++i) {
          std::fill(lane_a.begin(), lane_a.end(), a[start + i]);
          std::fill(lane_b.begin(), lane_b.end(), b[start + i]);
          run(*set.table, Op(op), lane_a.data(), lane_b.data(), lane_b.data(), alone.data(), size);
          ASSERT_TRUE(same_bits(out[i], alone[0]) && same_bits(out[i], alone[size - 1]))
              << set.name << " op " << op << ": lane " << i << " depends on its neighbours at " << a[start + i];
          // Far down, 1 / (1 + exp(-x)) overflows inside and gives 0 for a value below the normal range.
          if (op == sigmoid_ && reference(Op(op), a[start + i], 0) < std::numeric_limits<T>::min()) continue;
          // SLEEF's sinh and cosh reach infinity a little early.
          const bool hyperbolic = op == sinh_ || op == cosh_;
          if (hyperbolic && std::fabs(reference(Op(op), a[start + i], 0)) > std::numeric_limits<T>::max() / 4) continue;
          const double error = error_in_ulps(out[i], reference(Op(op), a[start + i], b[start + i]));
          const bool one_rounding = op != sigmoid_ && op != tanh_ && set.name[0] == 'a';
          ASSERT_LT(error, one_rounding ? 1.6 : 3.5)
              << set.name << " op " << op << " at " << a[start + i] << ", " << b[start + i] << ": " << out[i];
          worst = std::max(worst, error);
        }
        std::vector<T> tail(size, T(0));
        run(*set.table, Op(op), &a[start], &b[start], &b[start], tail.data(), size - 1);
        for (int i = 0; i < size - 1; ++i) ASSERT_TRUE(same_bits(out[i], tail[i])) << set.name << " op " << op;
      }
      EXPECT_LT(worst, 3.5);
    }
}

TEST(SimdVec, FunctionsAreAccurateAndLanesAreIndependent) {
  check_functions<float>();
  check_functions<double>();
}

template <class T>
void check_trigonometric_ranges() {
  // Small, middle and huge arguments side by side: the ranges between which SLEEF changes its argument reduction.
  std::vector<T> values;
  for (double m : {0.3, 14.9, 15.1, 124.0, 126.0, 38999.0, 39001.0, 1e6, 9e13, 2e14, 1e30})
    for (double f : {1.0, -1.01, 1.0003}) values.push_back(T(m * f));
  std::mt19937 random(6);
  for (const Set& set : sets())
    for (int round = 0; round < 2000; ++round) {
      const int size = lanes<T>(*set.table);
      std::vector<T> a(size), out(size), alone(size), copy(size);
      for (auto& v : a) v = values[random() % values.size()];
      for (Op op : {sin_, cos_, tan_}) {
        run(*set.table, op, a.data(), a.data(), a.data(), out.data(), size);
        const int i = int(random() % uint32_t(size));
        std::fill(copy.begin(), copy.end(), a[i]);
        run(*set.table, op, copy.data(), copy.data(), copy.data(), alone.data(), size);
        ASSERT_TRUE(same_bits(out[i], alone[0])) << set.name << " op " << op << " at " << a[i];
      }
    }
}

TEST(SimdVec, TrigonometryDoesNotLookAtNeighbours) {
  check_trigonometric_ranges<float>();
  check_trigonometric_ranges<double>();
}

template <class T>
void check_reductions() {
  for (const Set& set : sets()) {
    const int size = lanes<T>(*set.table);
    auto a = inputs<T>(size, 7);
    for (auto& v : a)
      if (!std::isfinite(v)) v = T(0.25);
    std::vector<T> tree = a, out(size);
    for (int half = size / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) tree[i] = tree[i] + tree[i + half];
    run(*set.table, sum_lanes, a.data(), a.data(), a.data(), out.data(), size);
    EXPECT_TRUE(same_bits(out[0], tree[0])) << set.name;
    run(*set.table, max_lanes, a.data(), a.data(), a.data(), out.data(), size);
    EXPECT_EQ(out[0], *std::max_element(a.begin(), a.end())) << set.name;
    run(*set.table, min_lanes, a.data(), a.data(), a.data(), out.data(), size);
    EXPECT_EQ(out[0], *std::min_element(a.begin(), a.end())) << set.name;
    for (int i = 0; i < size; ++i) {
      auto with_nan = a;
      with_nan[i] = nan_of<T>;
      run(*set.table, max_lanes, with_nan.data(), a.data(), a.data(), out.data(), size);
      EXPECT_TRUE(std::isnan(out[0])) << set.name << " lane " << i;
    }
  }
}

TEST(SimdVec, ReductionsFoldHalvesAndKeepNan) {
  check_reductions<float>();
  check_reductions<double>();
}

TEST(SimdVec, HalfTypesHaveTheBitsOfTheScalarTypes) {
  for (const Set& set : sets()) {
    const Table& t = *set.table;
    const int size = t.float_size;
    std::vector<uint16_t> in(size), out(size + 1);
    std::vector<float> wide(size);
    for (uint32_t pattern = 0; pattern < 65536; pattern += size) {
      for (int i = 0; i < size; ++i) in[i] = uint16_t(pattern + i);
      for (int n : {size, 3}) {
        t.from_bf16(in.data(), wide.data(), n);
        for (int i = 0; i < n; ++i) {
          bfloat16 scalar;
          scalar.bits = in[i];
          ASSERT_EQ(float_bits(wide[i]), float_bits(float(scalar))) << set.name;
        }
        ASSERT_EQ(n < size ? float_bits(wide[n]) : 0u, 0u);
        t.from_f16(in.data(), wide.data(), n);
        for (int i = 0; i < n; ++i) {
          float16 scalar;
          scalar.bits = in[i];
          ASSERT_EQ(float_bits(wide[i]), float_bits(float(scalar))) << set.name << " f16 " << in[i];
        }
        ASSERT_EQ(n < size ? float_bits(wide[n]) : 0u, 0u);
      }
    }
    std::mt19937 random(8);
    std::vector<uint32_t> patterns;
    for (uint32_t upper = 0; upper < 65536; ++upper)  // every sign and exponent, at and around each rounding point
      for (uint32_t lower : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu, 0x0fffu, 0x1000u, 0x1001u, 0x3000u})
        patterns.push_back((upper << 16) | lower);
    while (patterns.size() % 16 != 0) patterns.push_back(random());
    for (size_t start = 0; start < patterns.size(); start += size) {
      for (int i = 0; i < size; ++i) wide[i] = bits_float(patterns[start + i]);
      const int n = start % 64 == 0 ? size - 3 : size;
      out[n] = 0xabcd;
      t.to_bf16(wide.data(), out.data(), n);
      for (int i = 0; i < n; ++i) ASSERT_EQ(out[i], bfloat16(wide[i]).bits) << set.name << " " << patterns[start + i];
      t.to_f16(wide.data(), out.data(), n);
      for (int i = 0; i < n; ++i) ASSERT_EQ(out[i], float16(wide[i]).bits) << set.name << " " << patterns[start + i];
      ASSERT_EQ(out[n], 0xabcd) << set.name << ": wrote past n";
    }
  }
}

TEST(SimdVec, WideningIsExactAndNarrowingRounds) {
  for (const Set& set : sets()) {
    const int size = set.table->double_size;
    const auto floats = inputs<float>(480, 9);
    const auto doubles = inputs<double>(480, 10);
    for (int start = 0; start + size <= 480; start += size)
      for (int n = 1; n <= size; ++n) {
        std::vector<double> wide(size);
        std::vector<float> narrow(size + 1, -77.0f);
        set.table->widen(&floats[start], wide.data(), n);
        set.table->narrow(&doubles[start], narrow.data(), n);
        for (int i = 0; i < n; ++i) {
          ASSERT_TRUE(same_bits(wide[i], double(floats[start + i])));
          ASSERT_TRUE(same_bits(narrow[i], float(doubles[start + i])));
        }
        ASSERT_EQ(narrow[n], -77.0f);
      }
  }
}

}  // namespace
}  // namespace hearth::cpu
