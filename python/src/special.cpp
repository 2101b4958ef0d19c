// Special functions; hearth.special gathers them (python/hearth/special.py).
#include "hearth/ops/special.h"

#include "hearth/ops/elementwise.h"
#include "python/src/operands.h"

namespace hearth::python {

namespace {

using kernels::SpecialBinaryOp;

constexpr int all_faces = method | inplace;

template <SpecialBinaryOp family>
void def_polynomial(Module& m, const char* name) {
  const std::string signature = "special_" + std::string(name) + "(input, n, *, out: Tensor? = None)";
  m.def(signature.c_str(), [](Args& a) {
    const auto [x, n] = operands(a);
    return polynomial(family, x, n);
  });
}

void bind_bessel(Module& m) {
  def_unary<i0>(m, "i0", all_faces);
  def_unary<i0>(m, "special_i0", function_only);
  def_unary<i0>(m, "special_modified_bessel_i0", function_only);
  def_unary<i0e>(m, "special_i0e", function_only);
  def_unary<i1>(m, "special_i1", function_only);
  def_unary<i1>(m, "special_modified_bessel_i1", function_only);
  def_unary<i1e>(m, "special_i1e", function_only);
  def_unary<bessel_j0>(m, "special_bessel_j0", function_only);
  def_unary<bessel_j1>(m, "special_bessel_j1", function_only);
  def_unary<bessel_y0>(m, "special_bessel_y0", function_only);
  def_unary<bessel_y1>(m, "special_bessel_y1", function_only);
  def_unary<modified_bessel_k0>(m, "special_modified_bessel_k0", function_only);
  def_unary<modified_bessel_k1>(m, "special_modified_bessel_k1", function_only);
  def_unary<scaled_modified_bessel_k0>(m, "special_scaled_modified_bessel_k0", function_only);
  def_unary<scaled_modified_bessel_k1>(m, "special_scaled_modified_bessel_k1", function_only);
  def_unary<spherical_bessel_j0>(m, "special_spherical_bessel_j0", function_only);
  def_unary<airy_ai>(m, "special_airy_ai", function_only);
  def_unary<erfcx>(m, "special_erfcx", function_only);
  def_unary<ndtr>(m, "special_ndtr", function_only);
  def_unary<log_ndtr>(m, "special_log_ndtr", function_only);
  def_unary<ndtri>(m, "special_ndtri", function_only);
}

void bind_gamma(Module& m) {
  m.def("polygamma(n: int, input: Tensor, *, out: Tensor? = None)",
        [](Args& a) { return polygamma(a.integer(0), a.tensor(1)); });
  m.def(
      "polygamma(input: Tensor, n: int)", [](Args& a) { return polygamma(a.integer(1), a.tensor(0)); },
      method_only | inplace);
  def_binary<igamma>(m, "igamma(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<igammac>(m, "igammac(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<zeta>(m, "special_zeta(input, other, *, out: Tensor? = None)", function_only);
  def_polynomial<SpecialBinaryOp::chebyshev_t>(m, "chebyshev_polynomial_t");
  def_polynomial<SpecialBinaryOp::chebyshev_u>(m, "chebyshev_polynomial_u");
  def_polynomial<SpecialBinaryOp::chebyshev_v>(m, "chebyshev_polynomial_v");
  def_polynomial<SpecialBinaryOp::chebyshev_w>(m, "chebyshev_polynomial_w");
  def_polynomial<SpecialBinaryOp::hermite_h>(m, "hermite_polynomial_h");
  def_polynomial<SpecialBinaryOp::hermite_he>(m, "hermite_polynomial_he");
  def_polynomial<SpecialBinaryOp::laguerre_l>(m, "laguerre_polynomial_l");
  def_polynomial<SpecialBinaryOp::legendre_p>(m, "legendre_polynomial_p");
}

const Binding binding{[](Module& m) {
  bind_bessel(m);
  bind_gamma(m);
  def_binary<nextafter>(m, "nextafter(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<gcd>(m, "gcd(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  def_binary<lcm>(m, "lcm(input: Tensor, other: Tensor, *, out: Tensor? = None)", all_faces);
  m.def(
      "frexp(input: Tensor, *, out = None)",
      [](Args& a) {
        const auto [mantissa, exponent] = frexp(a.tensor(0));
        return Named{"frexp", {"mantissa", "exponent"}, {mantissa, exponent}};
      },
      method);
}};

}  // namespace

}  // namespace hearth::python
