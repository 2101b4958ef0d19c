// Pooling and resizing: hearth/ops/pool.h. Several faces of nn.functional (return_indices, names of modes) are in
// Python.
#include "hearth/ops/pool.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

using MaxPool = Pooled (*)(const Tensor&, const std::vector<int64_t>&, const PoolOptions&);
using AvgPool = Tensor (*)(const Tensor&, const std::vector<int64_t>&, const PoolOptions&);

/// (input, kernel_size, stride, padding, dilation, ceil_mode)
template <MaxPool pool>
std::pair<Tensor, Tensor> maxima(Args& a) {
  const Pooled p = pool(a.tensor(0), a.ints(1),
                        {.stride = a.ints(2), .padding = a.ints(3), .dilation = a.ints(4), .ceil_mode = a.flag(5)});
  return {p.values, p.indices};
}

/// (input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)
template <AvgPool pool>
Tensor means(Args& a) {
  check<ValueError>(!a.given(6) || a.integer(6) != 0, a.op(), ": divisor must be not zero");
  return pool(a.tensor(0), a.ints(1),
              {.stride = a.ints(2),
               .padding = a.ints(3),
               .ceil_mode = a.flag(4),
               .count_include_pad = a.flag(5),
               .divisor = a.integer_or_none(6).value_or(0)});
}

void bind_maxima(Module& m) {
  m.def(
      "max_pool1d(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, dilation: ints = 1, "
      "ceil_mode: bool = False)",
      [](Args& a) { return maxima<max_pool1d>(a).first; });
  m.def(
      "max_pool2d(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, dilation: ints = 1, "
      "ceil_mode: bool = False)",
      [](Args& a) { return maxima<max_pool2d>(a).first; });
  m.def(
      "max_pool3d(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, dilation: ints = 1, "
      "ceil_mode: bool = False)",
      [](Args& a) { return maxima<max_pool3d>(a).first; });
  m.def(
      "max_pool1d_with_indices(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, "
      "dilation: ints = 1, ceil_mode: bool = False)",
      [](Args& a) { return maxima<max_pool1d>(a); });
  m.def(
      "_nn_max_pool2d(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, "
      "dilation: ints = 1, ceil_mode: bool = False)",
      [](Args& a) { return maxima<max_pool2d>(a); });
  m.def(
      "_nn_max_pool3d(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, "
      "dilation: ints = 1, ceil_mode: bool = False)",
      [](Args& a) { return maxima<max_pool3d>(a); });
  m.def("_nn_fractional_max_pool(input: Tensor, kernel: ints, size: ints, samples: Tensor)", [](Args& a) {
    const Pooled p = fractional_max_pool(a.tensor(0), a.ints(1), a.ints(2), a.tensor(3));
    return std::pair(p.values, p.indices);
  });
  m.def("_nn_max_unpool(input: Tensor, indices: Tensor, size: ints)",
        [](Args& a) { return max_unpool(a.tensor(0), a.tensor(1), a.ints(2)); });
}

void bind_means(Module& m) {
  m.def(
      "avg_pool1d(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, "
      "ceil_mode: bool = False, count_include_pad: bool = True)",
      [](Args& a) {
        return avg_pool1d(
            a.tensor(0), a.ints(1),
            {.stride = a.ints(2), .padding = a.ints(3), .ceil_mode = a.flag(4), .count_include_pad = a.flag(5)});
      });
  m.def(
      "_nn_avg_pool2d(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, "
      "ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int? = None)",
      [](Args& a) { return means<avg_pool2d>(a); });
  m.def(
      "_nn_avg_pool3d(input: Tensor, kernel_size: ints, stride: ints? = None, padding: ints = 0, "
      "ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int? = None)",
      [](Args& a) { return means<avg_pool3d>(a); });
}

/// The wanted sizes, none of them negative.
std::vector<int64_t> sizes(Args& a) {
  const std::vector<int64_t> wanted = a.ints(1);
  for (int64_t size : wanted)
    check<ValueError>(size >= 0, a.op(), ": elements of output_size must not be negative: ", size);
  return wanted;
}

void bind_adaptive(Module& m) {
  m.def("adaptive_avg_pool1d(input: Tensor, output_size: ints)",
        [](Args& a) { return adaptive_avg_pool1d(a.tensor(0), sizes(a)); });
  m.def("_nn_adaptive_avg_pool2d(input: Tensor, output_size: ints)",
        [](Args& a) { return adaptive_avg_pool2d(a.tensor(0), a.ints(1)); });
  m.def("_nn_adaptive_avg_pool3d(input: Tensor, output_size: ints)",
        [](Args& a) { return adaptive_avg_pool3d(a.tensor(0), a.ints(1)); });
  m.def("adaptive_max_pool1d(input: Tensor, output_size: ints)", [](Args& a) {
    const Pooled p = adaptive_max_pool1d(a.tensor(0), sizes(a));
    return std::pair(p.values, p.indices);
  });
  m.def("_nn_adaptive_max_pool2d(input: Tensor, output_size: ints)", [](Args& a) {
    const Pooled p = adaptive_max_pool2d(a.tensor(0), a.ints(1));
    return std::pair(p.values, p.indices);
  });
  m.def("_nn_adaptive_max_pool3d(input: Tensor, output_size: ints)", [](Args& a) {
    const Pooled p = adaptive_max_pool3d(a.tensor(0), a.ints(1));
    return std::pair(p.values, p.indices);
  });
}

const Binding binding{[](Module& m) {
  bind_maxima(m);
  bind_means(m);
  bind_adaptive(m);
}};

}  // namespace

}  // namespace hearth::python
