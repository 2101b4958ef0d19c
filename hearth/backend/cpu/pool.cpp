// Maxima of windows and weighted sums along one dimension; work is cut by planes and rows.
#include "hearth/backend/kernels/pool.h"

#include <algorithm>
#include <vector>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::MaxWindowFn max_window;
extern kernels::ResampleFn resample;

namespace {

constexpr int64_t elements_per_chunk = 16384;

struct Span {
  int64_t begin, end;
};

template <class T>
void max_of_window(const T* plane, const std::array<Span, 3>& w, const std::array<int64_t, 3>& step, int64_t height,
                   int64_t width, T& value, int64_t& position) {
  int64_t best = (w[0].begin * height + w[1].begin) * width + w[2].begin;
  T most = plane[best];
  for (int64_t d = w[0].begin; d < w[0].end; d += step[0])
    for (int64_t r = w[1].begin; r < w[1].end; r += step[1]) {
      const int64_t row = (d * height + r) * width;
      for (int64_t c = w[2].begin; c < w[2].end; c += step[2]) {
        const T candidate = plane[row + c];
        if (!(candidate > most) && candidate == candidate) continue;
        most = candidate;
        best = row + c;
      }
    }
  value = most;
  position = best;
}

/// One row of the result from `taps` rows of x, each `inner` long.
template <class T>
void mix_rows(T* to, const T* from, int64_t inner, const int64_t* index, const T* weight, int64_t taps) {
  if (taps == 0) {
    std::fill_n(to, inner, T(0));
    return;
  }
  const T* row = from + index[0] * inner;
  const T first = weight[0];
  for (int64_t j = 0; j < inner; ++j) to[j] = first * row[j];
  for (int64_t t = 1; t < taps; ++t) {
    row = from + index[t] * inner;
    const T w = weight[t];
    for (int64_t j = 0; j < inner; ++j) to[j] += w * row[j];
  }
}

template <class T>
T mix_elements(const T* from, const int64_t* index, const T* weight, int64_t taps) {
  T sum = 0;
  for (int64_t t = 0; t < taps; ++t) sum += weight[t] * from[index[t]];
  return sum;
}

}  // namespace

void max_window(const Tensor& values, const Tensor& at, const Tensor& x, const std::array<Tensor, 3>& spans,
                const std::array<int64_t, 3>& step) {
  if (at.numel() == 0) return;
  const int64_t od = at.size(1), oh = at.size(2), ow = at.size(3);
  const int64_t depth = x.size(1), height = x.size(2), width = x.size(3);
  const int64_t *front = spans[0].data<int64_t>(), *top = spans[1].data<int64_t>(), *left = spans[2].data<int64_t>();
  int64_t* positions = at.data<int64_t>();
  const int64_t grain = std::max<int64_t>(1, elements_per_chunk / (ow * 8));
  dispatch(RealTypes{}, x.dtype(), "max_window", [&]<class T>() {
    const T* from = static_cast<const T*>(x.raw());
    T* to = static_cast<T*>(values.raw());
    parallel_for(0, at.size(0) * od * oh, grain, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const T* plane = from + row / (od * oh) * depth * height * width;
        const int64_t a = row / oh % od, b = row % oh;
        std::array<Span, 3> window{Span{front[a], front[od + a]}, Span{top[b], top[oh + b]}, Span{}};
        for (int64_t c = 0; c < ow; ++c) {
          window[2] = {left[c], left[ow + c]};
          max_of_window(plane, window, step, height, width, to[row * ow + c], positions[row * ow + c]);
        }
      }
    });
  });
}

void resample(const Tensor& out, const Tensor& x, const Tensor& first, const Tensor& index, const Tensor& weight) {
  if (out.numel() == 0) return;
  const int64_t n = out.size(1), inner = out.size(2), size = x.size(1);
  const int64_t *begins = first.data<int64_t>(), *places = index.data<int64_t>();
  const double* exact = weight.data<double>();
  const int64_t work = inner * std::max<int64_t>(1, weight.numel() / n);
  dispatch(Types<float, double>{}, x.dtype(), "resample", [&]<class T>() {
    const std::vector<T> weights(exact, exact + weight.numel());
    const T* from = static_cast<const T*>(x.raw());
    T* to = static_cast<T*>(out.raw());
    parallel_for(0, out.size(0) * n, std::max<int64_t>(1, elements_per_chunk / work), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const int64_t i = row % n, taps = begins[i + 1] - begins[i];
        const T* plane = from + row / n * size * inner;
        const int64_t* at = places + begins[i];
        const T* w = weights.data() + begins[i];
        if (inner == 1)
          to[row] = mix_elements(plane, at, w, taps);
        else
          mix_rows(to + row * inner, plane, inner, at, w, taps);
      }
    });
  });
}

}  // namespace hearth::cpu
