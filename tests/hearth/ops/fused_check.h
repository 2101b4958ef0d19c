// Checks that the tests of fused kernels share: bits across threads and sets, gradients against finite differences.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "hearth/autograd/engine.h"
#include "hearth/backend/cpu/isa.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/node.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth::fused_check {

/// Numbers in [-scale, scale), the same for the same seed.
inline Tensor random(const Shape& shape, uint64_t seed, Dtype dtype = Dtype::float32, double scale = 1.0) {
  Tensor x = Tensor::empty(shape, Dtype::float64);
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 0x1234567u;
  for (int64_t i = 0; i < x.numel(); ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    x.data<double>()[i] = scale * (double(state >> 11) * 0x1p-52 - 1.0);
  }
  return to(x, dtype);
}

inline Tensor integers(const std::vector<int64_t>& values) {
  return from_values<int64_t>(std::span<const int64_t>(values), {int64_t(values.size())});
}

inline ::testing::AssertionResult same_bits(const Tensor& a, const Tensor& b) {
  if (!(a.shape() == b.shape()) || a.dtype() != b.dtype()) return ::testing::AssertionFailure() << "other geometry";
  const Tensor x = contiguous(a.detach()), y = contiguous(b.detach());
  const size_t size = dtype_size(x.dtype());
  for (int64_t i = 0; i < x.numel(); ++i)
    if (std::memcmp(static_cast<char*>(x.raw()) + size_t(i) * size, static_cast<char*>(y.raw()) + size_t(i) * size,
                    size) != 0)
      return ::testing::AssertionFailure()
             << "first difference at element " << i << ": " << to_vector<double>(x)[size_t(i)] << " and "
             << to_vector<double>(y)[size_t(i)];
  return ::testing::AssertionSuccess();
}

/// |a - b| <= absolute + relative * |b| everywhere; b may be of another dtype.
inline void expect_close(const Tensor& a, const Tensor& b, double relative, double absolute, const char* what = "") {
  ASSERT_EQ(a.shape(), b.shape()) << what;
  const std::vector<double> x = to_vector<double>(a.detach()), y = to_vector<double>(b.detach());
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_LE(std::fabs(x[i] - y[i]), absolute + relative * std::fabs(y[i]))
        << what << " element " << i << ": " << x[i] << " instead of " << y[i];
}

/// Puts instruction set and thread count back at the end of a test.
class Machine : public ::testing::Test {
 protected:
  void TearDown() override {
    cpu::set_isa(isa_);
    cpu::set_num_threads(threads_);
  }
  /// Calls f for every instruction set of this machine.
  template <class F>
  void each_isa(F f) {
    for (cpu::Isa isa : {cpu::Isa::generic, cpu::Isa::avx2, cpu::Isa::avx512}) {
      if (isa > cpu::best_isa()) continue;
      cpu::set_isa(isa);
      SCOPED_TRACE(std::string(cpu::isa_name(isa)));
      f();
    }
    cpu::set_isa(isa_);
  }
  /// Every tensor that `run` returns has the same bits at 1, 2 and 3 threads, on every instruction set.
  void expect_thread_invariant(const std::function<TensorList()>& run) {
    each_isa([&] {
      cpu::set_num_threads(1);
      const TensorList alone = run();
      for (int threads : {2, 3}) {
        cpu::set_num_threads(threads);
        const TensorList together = run();
        ASSERT_EQ(alone.size(), together.size());
        for (size_t i = 0; i < alone.size(); ++i)
          ASSERT_TRUE(same_bits(alone[i], together[i])) << "result " << i << ", " << threads << " threads";
      }
      cpu::set_num_threads(threads_);
    });
  }

 private:
  cpu::Isa isa_ = cpu::isa();
  int threads_ = cpu::num_threads();
};

using Function = std::function<Tensor(const TensorList&)>;

/// A number made of f's result, every element of which counts differently.
inline Tensor probe(const Function& f, const TensorList& inputs) {
  const Tensor y = f(inputs);
  return sum(mul(y, random(y.shape(), 99, y.dtype())));
}

inline TensorList leaves(const TensorList& inputs) {
  TensorList copies;
  for (const Tensor& x : inputs) copies.push_back(clone(x.detach()).set_requires_grad());
  return copies;
}

/// d value / d inputs by central differences in float64; `value` is called with one element changed at a time.
inline TensorList differences(const std::function<double(const TensorList&)>& value, const TensorList& inputs) {
  constexpr double step = 1e-5;
  TensorList results;
  for (size_t k = 0; k < inputs.size(); ++k) {
    Tensor g = Tensor::empty(inputs[k].shape(), Dtype::float64);
    for (int64_t i = 0; i < g.numel(); ++i) {
      double around[2];
      for (int side : {0, 1}) {
        TensorList changed = leaves(inputs);
        changed[k].detach().data<double>()[i] += side ? step : -step;
        around[side] = value(changed);
      }
      g.data<double>()[i] = (around[1] - around[0]) / (2 * step);
    }
    results.push_back(g);
  }
  return results;
}

/// First and second derivatives of f (float64 inputs) against finite differences, and the fused backward against the
/// composed one.
inline void expect_gradients(const Function& f, const TensorList& inputs) {
  const auto value = [&](const TensorList& xs) {
    NoGrad guard;
    return probe(f, xs).item();
  };
  const TensorList xs = leaves(inputs), expected = differences(value, inputs);
  const TensorList fused = grad({probe(f, xs)}, xs), composed = grad({probe(f, xs)}, xs, {}, {.create_graph = true});
  for (size_t k = 0; k < xs.size(); ++k) {
    expect_close(fused[k], expected[k], 1e-6, 1e-8, "fused gradient");
    expect_close(composed[k], fused[k], 1e-9, 1e-11, "composed gradient");
  }
  const auto probe_gradients = [&](const TensorList& ys) {
    const TensorList gradients = grad({probe(f, ys)}, ys, {}, {.create_graph = true});
    Tensor total = scalar_tensor(0.0, Dtype::float64);
    for (size_t k = 0; k < gradients.size(); ++k)
      total = add(total, sum(mul(gradients[k], random(gradients[k].shape(), 7 + k, Dtype::float64))));
    return total;
  };
  const TensorList second = differences([&](const TensorList& ys) { return probe_gradients(ys).item(); }, inputs);
  const TensorList got = grad({probe_gradients(xs)}, xs, {}, {}, true);
  for (size_t k = 0; k < xs.size(); ++k)
    expect_close(got[k].defined() ? got[k] : zeros(xs[k].shape(), Dtype::float64), second[k], 1e-5, 1e-7,
                 "second derivative");
}

}  // namespace hearth::fused_check
