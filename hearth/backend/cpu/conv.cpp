// Windows of images as columns and back; work is cut by planes.
#include "hearth/backend/kernels/conv.h"

#include <algorithm>
#include <vector>

#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::ImageToWindowsFn image_to_windows;
extern kernels::WindowsToImageFn windows_to_image;

namespace {

using NumberTypes = Types<float, double, bfloat16, float16, int64_t, int32_t, int16_t, int8_t, uint8_t>;

template <class T>
using Accumulate =
    std::conditional_t<std::is_integral_v<T>, int64_t, std::conditional_t<std::is_same_v<T, double>, double, float>>;

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

/// Along the rows of a plane: where window column `j` of a row begins in memory, and which windows it meets.
struct Column {
  Range windows;
  int64_t first;
};
Column column(const kernels::WindowGrid& grid, int64_t j, int64_t width, int64_t count) {
  return {inside(grid, 2, j, width, count), j * grid.dilation[2] - grid.before[2]};
}

template <class T>
void fill_windows(T* target, const T* plane, const Shape& strides, const Shape& size, const Shape& count,
                  const kernels::WindowGrid& grid, const kernels::Extent3& at) {
  const Range depths = inside(grid, 0, at[0], size[0], count[0]), rows = inside(grid, 1, at[1], size[1], count[1]);
  const Column c = column(grid, at[2], size[2], count[2]);
  std::fill_n(target, count[0] * count[1] * count[2], T{});
  const int64_t step = grid.stride[2] * strides[2];
  for (int64_t a = depths.begin; a < depths.end; ++a)
    for (int64_t b = rows.begin; b < rows.end; ++b) {
      const T* row = plane + (a * grid.stride[0] + at[0] * grid.dilation[0] - grid.before[0]) * strides[0] +
                     (b * grid.stride[1] + at[1] * grid.dilation[1] - grid.before[1]) * strides[1] +
                     c.first * strides[2];
      T* to = target + (a * count[1] + b) * count[2];
      if (step == 1)
        std::copy(row + c.windows.begin, row + c.windows.end, to + c.windows.begin);
      else
        for (int64_t w = c.windows.begin; w < c.windows.end; ++w) to[w] = row[w * step];
    }
}

template <class T, class A>
void add_windows(A* sums, const T* from, const Shape& strides, const Shape& size, const Shape& count,
                 const kernels::WindowGrid& grid, const kernels::Extent3& at) {
  const Range depths = inside(grid, 0, at[0], size[0], count[0]), rows = inside(grid, 1, at[1], size[1], count[1]);
  const Column c = column(grid, at[2], size[2], count[2]);
  for (int64_t a = depths.begin; a < depths.end; ++a)
    for (int64_t b = rows.begin; b < rows.end; ++b) {
      const T* source = from + a * strides[0] + b * strides[1];
      const int64_t depth = a * grid.stride[0] + at[0] * grid.dilation[0] - grid.before[0];
      const int64_t row = b * grid.stride[1] + at[1] * grid.dilation[1] - grid.before[1];
      A* target = sums + (depth * size[1] + row) * size[2] + c.first;
      for (int64_t w = c.windows.begin; w < c.windows.end; ++w) target[w * grid.stride[2]] += A(source[w * strides[2]]);
    }
}

/// The last three entries.
Shape last_three(const Shape& s) { return {s[s.size() - 3], s[s.size() - 2], s[s.size() - 1]}; }

}  // namespace

void image_to_windows(const Tensor& out, const Tensor& x, const kernels::WindowGrid& grid) {
  if (out.numel() == 0) return;
  const Shape &k = out.shape(), &s = x.strides();
  const Shape size = last_three(x.shape()), strides = last_three(s), count = last_three(k);
  const int64_t places = count.numel(), n = k[4];
  dispatch(NumberTypes{}, x.dtype(), "image_to_windows", [&]<class T>() {
    T* to = static_cast<T*>(out.raw());
    const T* from = static_cast<const T*>(x.raw());
    parallel_for(0, out.numel() / places, grain_for(places), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t window = item / n, c = window / (k[1] * k[2] * k[3]);
        const T* plane = from + item % n * s[0] + c * s[1];
        fill_windows(to + item * places, plane, strides, size, count, grid,
                     {window / (k[2] * k[3]) % k[1], window / k[3] % k[2], window % k[3]});
      }
    });
  });
}

void windows_to_image(const Tensor& out, const Tensor& windows, const kernels::WindowGrid& grid) {
  if (out.numel() == 0) return;
  const Shape &k = windows.shape(), &s = windows.strides();
  const Shape size = last_three(out.shape()), strides = last_three(s), count = last_three(k);
  const int64_t channels = out.size(1), pixels = size.numel();
  dispatch(NumberTypes{}, out.dtype(), "windows_to_image", [&]<class T>() {
    using A = Accumulate<T>;
    T* to = static_cast<T*>(out.raw());
    const T* from = static_cast<const T*>(windows.raw());
    const int64_t work = k[1] * k[2] * k[3] * count.numel() + pixels;
    parallel_for(0, out.size(0) * channels, grain_for(work), [&](int64_t begin, int64_t end) {
      std::vector<A> sums(static_cast<size_t>(pixels));
      for (int64_t plane = begin; plane < end; ++plane) {
        const T* base = from + plane / channels * s[4] + plane % channels * s[0];
        std::fill(sums.begin(), sums.end(), A(0));
        for (int64_t h = 0; h < k[1]; ++h)
          for (int64_t i = 0; i < k[2]; ++i)
            for (int64_t j = 0; j < k[3]; ++j)
              add_windows(sums.data(), base + h * s[1] + i * s[2] + j * s[3], strides, size, count, grid, {h, i, j});
        for (int64_t p = 0; p < pixels; ++p) to[plane * pixels + p] = T(sums[size_t(p)]);
      }
    });
  });
}

}  // namespace hearth::cpu
