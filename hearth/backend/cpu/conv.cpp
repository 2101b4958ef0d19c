// Windows of images as columns and back, and their maxima; work is cut by planes.
#include "hearth/backend/kernels/conv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::ImageToWindowsFn image_to_windows;
extern kernels::WindowsToImageFn windows_to_image;
extern kernels::MaxWindowFn max_window;

namespace {

template <class T>
using Accumulate = std::conditional_t<std::is_same_v<T, double>, double, float>;

constexpr int64_t elements_per_chunk = 16384;

int64_t grain_for(int64_t elements_per_item) {
  return std::max<int64_t>(1, elements_per_chunk / std::max<int64_t>(1, elements_per_item));
}

/// The windows a for which a stride - before + i dilation lies in [0, size).
struct Range {
  int64_t begin, end;
};
Range inside(const kernels::WindowGrid& grid, size_t axis, int64_t i, int64_t size, int64_t windows) {
  const int64_t first = i * grid.dilation[axis] - grid.before[axis], stride = grid.stride[axis];
  const int64_t begin = first >= 0 ? 0 : (-first + stride - 1) / stride;
  const int64_t end = first >= size ? 0 : (size - 1 - first) / stride + 1;
  return {std::min(begin, windows), std::clamp<int64_t>(end, std::min(begin, windows), windows)};
}

}  // namespace

void image_to_windows(const Tensor& out, const Tensor& x, const kernels::WindowGrid& grid) {
  if (out.numel() == 0) return;
  const int64_t kh = out.size(1), kw = out.size(2), n = out.size(3), oh = out.size(4), ow = out.size(5);
  const int64_t height = x.size(2), width = x.size(3);
  const int64_t sn = x.stride(0), sc = x.stride(1), sh = x.stride(2), sw = x.stride(3);
  dispatch(FloatTypes{}, x.dtype(), "image_to_windows", [&]<class T>() {
    T* to = static_cast<T*>(out.raw());
    const T* from = static_cast<const T*>(x.raw());
    parallel_for(0, out.size(0) * kh * kw * n, grain_for(oh * ow), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t image = item % n, j = item / n % kw, i = item / n / kw % kh, c = item / n / kw / kh;
        const Range rows = inside(grid, 0, i, height, oh), columns = inside(grid, 1, j, width, ow);
        T* target = to + item * oh * ow;
        std::fill_n(target, oh * ow, T{});
        const T* plane = from + image * sn + c * sc + (j * grid.dilation[1] - grid.before[1]) * sw;
        for (int64_t a = rows.begin; a < rows.end; ++a) {
          const T* row = plane + (a * grid.stride[0] + i * grid.dilation[0] - grid.before[0]) * sh;
          for (int64_t b = columns.begin; b < columns.end; ++b) target[a * ow + b] = row[b * grid.stride[1] * sw];
        }
      }
    });
  });
}

void windows_to_image(const Tensor& out, const Tensor& windows, const kernels::WindowGrid& grid) {
  if (out.numel() == 0) return;
  const int64_t channels = out.size(1), height = out.size(2), width = out.size(3);
  const Shape& shape = windows.shape();
  const Shape& s = windows.strides();
  const int64_t kh = shape[1], kw = shape[2], oh = shape[4], ow = shape[5];
  dispatch(FloatTypes{}, out.dtype(), "windows_to_image", [&]<class T>() {
    using A = Accumulate<T>;
    T* to = static_cast<T*>(out.raw());
    const T* from = static_cast<const T*>(windows.raw());
    const int64_t planes = out.size(0) * channels;
    parallel_for(0, planes, grain_for(kh * kw * oh * ow + height * width), [&](int64_t begin, int64_t end) {
      std::vector<A> sums(static_cast<size_t>(height * width));
      for (int64_t plane = begin; plane < end; ++plane) {
        const T* base = from + plane / channels * s[3] + plane % channels * s[0];
        std::fill(sums.begin(), sums.end(), A(0));
        for (int64_t i = 0; i < kh; ++i)
          for (int64_t j = 0; j < kw; ++j) {
            const Range rows = inside(grid, 0, i, height, oh), columns = inside(grid, 1, j, width, ow);
            for (int64_t a = rows.begin; a < rows.end; ++a) {
              const T* source = base + i * s[1] + j * s[2] + a * s[4];
              const int64_t row = a * grid.stride[0] + i * grid.dilation[0] - grid.before[0];
              A* target = sums.data() + row * width;
              for (int64_t b = columns.begin; b < columns.end; ++b)
                target[b * grid.stride[1] + j * grid.dilation[1] - grid.before[1]] += A(source[b * s[5]]);
            }
          }
        for (int64_t p = 0; p < height * width; ++p) to[plane * height * width + p] = T(sums[size_t(p)]);
      }
    });
  });
}

void max_window(const Tensor& out, const Tensor& x, const Tensor& rows, const Tensor& columns,
                const std::array<int64_t, 2>& step) {
  if (out.numel() == 0) return;
  const int64_t oh = out.size(1), ow = out.size(2), width = x.size(2);
  const int64_t sp = x.stride(0), sh = x.stride(1), sw = x.stride(2);
  const int64_t* top = rows.data<int64_t>();
  const int64_t* left = columns.data<int64_t>();
  int64_t* to = out.data<int64_t>();
  dispatch(RealTypes{}, x.dtype(), "max_window", [&]<class T>() {
    const T* from = static_cast<const T*>(x.raw());
    parallel_for(0, out.size(0) * oh, grain_for(ow * 8), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const T* plane = from + item / oh * sp;
        const int64_t a = item % oh;
        for (int64_t b = 0; b < ow; ++b) {
          int64_t best = top[a] * width + left[b];
          T most = plane[top[a] * sh + left[b] * sw];
          for (int64_t r = top[a]; r < top[oh + a]; r += step[0])
            for (int64_t c = left[b]; c < left[ow + b]; c += step[1]) {
              const T value = plane[r * sh + c * sw];
              if (!(value > most) && value == value) continue;
              most = value;
              best = r * width + c;
            }
          to[item * ow + b] = best;
        }
      }
    });
  });
}

}  // namespace hearth::cpu
