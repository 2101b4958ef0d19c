// Convolution: hearth/ops/conv.h; complex ones by their parts.
#include "hearth/ops/complex.h"
#include "hearth/ops/conv.h"
#include "hearth/ops/elementwise.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

using Convolve = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const Extents&, const ConvPadding&,
                            const Extents&, int64_t);
using ConvolveTransposed = Tensor (*)(const Tensor&, const Tensor&, const Tensor&, const Extents&, const Extents&,
                                      const Extents&, int64_t, const Extents&);

/// f(x, weight, bias) is linear in both x and weight, so (a + bi)(c + di) holds.
template <class F>
Tensor by_parts(const Tensor& x, const Tensor& w, const Tensor& bias, F f) {
  if (!is_complex(x.dtype()) || w.dtype() != x.dtype()) return f(x, w, bias);
  const auto re = [](const Tensor& t) { return t.defined() ? real(t) : t; };
  const auto im = [](const Tensor& t) { return t.defined() ? imag(t) : t; };
  return complex(sub(f(re(x), re(w), re(bias)), f(im(x), im(w), {})),
                 add(f(re(x), im(w), im(bias)), f(im(x), re(w), {})));
}

ConvPadding padding_of(Args& a, int i) {
  return PyUnicode_Check(a.object(i)) ? ConvPadding(a.text(i)) : ConvPadding(a.ints(i));
}

template <Convolve convolve>
Tensor convolution(Args& a) {
  return by_parts(a.tensor(0), a.tensor(1), a.tensor_or_none(2),
                  [&](const Tensor& x, const Tensor& w, const Tensor& bias) {
                    return convolve(x, w, bias, a.ints(3), padding_of(a, 4), a.ints(5), a.integer(6));
                  });
}

template <ConvolveTransposed convolve>
Tensor transposed(Args& a) {
  return by_parts(a.tensor(0), a.tensor(1), a.tensor_or_none(2),
                  [&](const Tensor& x, const Tensor& w, const Tensor& bias) {
                    return convolve(x, w, bias, a.ints(3), a.ints(4), a.ints(5), a.integer(6), a.ints(7));
                  });
}

const Binding binding{[](Module& m) {
  m.def(
      "conv1d(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: ints = 1, padding = 0, "
      "dilation: ints = 1, groups: int = 1)",
      [](Args& a) { return convolution<conv1d>(a); });
  m.def(
      "conv2d(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: ints = 1, padding = 0, "
      "dilation: ints = 1, groups: int = 1)",
      [](Args& a) { return convolution<conv2d>(a); });
  m.def(
      "conv3d(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: ints = 1, padding = 0, "
      "dilation: ints = 1, groups: int = 1)",
      [](Args& a) { return convolution<conv3d>(a); });
  m.def(
      "conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: ints = 1, padding: ints = 0, "
      "output_padding: ints = 0, groups: int = 1, dilation: ints = 1)",
      [](Args& a) { return transposed<conv_transpose1d>(a); });
  m.def(
      "conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: ints = 1, padding: ints = 0, "
      "output_padding: ints = 0, groups: int = 1, dilation: ints = 1)",
      [](Args& a) { return transposed<conv_transpose2d>(a); });
  m.def(
      "conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor? = None, stride: ints = 1, padding: ints = 0, "
      "output_padding: ints = 0, groups: int = 1, dilation: ints = 1)",
      [](Args& a) { return transposed<conv_transpose3d>(a); });
  m.def("_nn_im2col(input: Tensor, kernel: ints, dilation: ints, padding: ints, stride: ints)",
        [](Args& a) { return im2col(a.tensor(0), a.ints(1), a.ints(2), a.ints(3), a.ints(4)); });
  m.def("_nn_col2im(input: Tensor, size: ints, kernel: ints, dilation: ints, padding: ints, stride: ints)",
        [](Args& a) { return col2im(a.tensor(0), a.ints(1), a.ints(2), a.ints(3), a.ints(4), a.ints(5)); });
}};

}  // namespace

}  // namespace hearth::python
