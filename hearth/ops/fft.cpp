// Discrete Fourier transforms: one dimension at a time, each brought to the end.
#include "hearth/ops/fft.h"

#include <cmath>

#include "hearth/backend/kernels/fft.h"
#include "hearth/core/default_dtype.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/concat.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

Tensor as_rows(const Tensor& x) { return reshape(contiguous(x.detach()), {x.numel() / x.size(-1), x.size(-1)}); }

/// Along the last dimension.
Tensor complex_transform(const Tensor& x, bool inverse, double scale) {
  const Tensor y = Tensor::empty(x.shape(), x.dtype(), x.device());
  if (x.numel() > 0) {
    const Tensor rows = as_rows(x);
    kernels::fft(x.device(), reshape(y, rows.shape()), rows, inverse, scale);
  }
  if (!needs_grad(x)) return y;
  return record("fft", y, {x}, [inverse, scale](const GradContext& c) -> Grads {
    return {complex_transform(c.dy(), !inverse, scale)};
  });
}

Tensor hermitian_transform(const Tensor& x, int64_t n, double scale);

/// [..., n / 2 + 1] with the values that stand for two, themselves and their conjugates, times `factor`.
Tensor weighted(const Tensor& x, int64_t n, double factor) {
  Tensor weights;
  {
    NoGrad guard;
    weights = full({x.size(-1)}, factor, real_type(x.dtype()));
    const auto set_one = [&](int64_t k) {
      const Tensor at = eq(arange(0, weights.size(0), 1), k);
      weights = where(at, ones_like(weights), weights);
    };
    set_one(0);
    if (n % 2 == 0) set_one(n / 2);
  }
  return mul(x, weights);
}

/// Real [..., n] to its first n / 2 + 1 values.
Tensor real_transform(const Tensor& x, double scale) {
  const int64_t n = x.size(-1);
  const Tensor y = Tensor::empty(with_tail(batch_of(x, 1), {n / 2 + 1}), complex_type(x.dtype()), x.device());
  if (x.numel() > 0) kernels::fft_real(x.device(), reshape(y, {x.numel() / n, n / 2 + 1}), as_rows(x), scale);
  if (!needs_grad(x)) return y;
  return record("fft_real", y, {x}, [n, scale](const GradContext& c) -> Grads {
    return {hermitian_transform(weighted(c.dy(), n, 0.5), n, scale)};
  });
}

/// Complex [..., n / 2 + 1] to real [..., n], inverse sign.
Tensor hermitian_transform(const Tensor& x, int64_t n, double scale) {
  const Tensor y = Tensor::empty(with_tail(batch_of(x, 1), {n}), real_type(x.dtype()), x.device());
  if (x.numel() > 0) kernels::fft_hermitian(x.device(), reshape(y, {y.numel() / n, n}), as_rows(x), scale);
  if (!needs_grad(x)) return y;
  return record("fft_hermitian", y, {x},
                [n, scale](const GradContext& c) -> Grads { return {weighted(real_transform(c.dy(), scale), n, 2)}; });
}

/// x cut or filled up with zeros to `size` along `dim`.
Tensor resized(const Tensor& x, int64_t dim, int64_t size) {
  const int64_t have = x.size(dim);
  if (have == size) return x;
  if (have > size) return narrow(x, dim, 0, size);
  Shape rest = x.shape();
  rest[wrap_dim("fft", dim, x.dim())] = size - have;
  return cat({x, zeros(rest, x.dtype(), x.device())}, dim);
}

double scale_of(std::string_view norm, double points, bool inverse) {
  check<ValueError>(norm == "backward" || norm == "forward" || norm == "ortho",
                    "fft: norm must be backward, forward or ortho: ", norm);
  if (norm == "ortho") return 1 / std::sqrt(points);
  return (norm == "backward") == inverse ? 1 / points : 1;
}

/// x as a floating tensor, complex if `complex`. Raises NotImplementedError for 16-bit floats.
Tensor promoted(const char* op, const Tensor& x, bool complex) {
  check<NotImplementedError>(x.dtype() != Dtype::float16 && x.dtype() != Dtype::bfloat16, op,
                             ": 16-bit floats are not supported: ", x.dtype());
  const Tensor floating = is_differentiable(x.dtype()) ? x : to(x, default_dtype());
  return complex ? to(floating, complex_type(floating.dtype())) : floating;
}

/// What a transform does along which dimensions.
struct Plan {
  std::vector<int> dims;
  std::vector<int64_t> sizes;  ///< of the signal: for real results, of the result

  double points() const {
    double product = 1;
    for (int64_t size : sizes) product *= double(size);
    return product;
  }
};

/// `halved`: x holds the half of a Hermitian last dimension.
Plan plan_of(const char* op, const Tensor& x, const FftDims& over, bool halved) {
  check<IndexError>(x.dim() > 0 || !over.dims || over.dims->empty(), op,
                    ": a tensor without dimensions has none to transform");
  Plan plan;
  if (over.dims) {
    for (int64_t d : *over.dims) {
      const int wrapped = wrap_dim(op, d, x.dim());
      for (int other : plan.dims) check<ValueError>(other != wrapped, op, ": dimension ", d, " is named twice");
      plan.dims.push_back(wrapped);
    }
  } else {
    const int count = over.sizes ? int(over.sizes->size()) : x.dim();
    check<ShapeError>(count <= x.dim(), op, ": ", count, " sizes for ", x.dim(), " dimensions");
    for (int i = 0; i < count; ++i) plan.dims.push_back(x.dim() - count + i);
  }
  check<ShapeError>(!over.sizes || over.sizes->size() == plan.dims.size(), op,
                    ": numbers of sizes and of dimensions differ: ", over.sizes ? over.sizes->size() : 0, " and ",
                    plan.dims.size());
  for (size_t i = 0; i < plan.dims.size(); ++i) {
    const int64_t have = x.shape()[plan.dims[i]];
    const int64_t standard = halved && i + 1 == plan.dims.size() ? 2 * (have - 1) : have;
    const int64_t wanted = over.sizes && (*over.sizes)[i] != -1 ? (*over.sizes)[i] : standard;
    check<ShapeError>(wanted >= 1, op, ": needs at least one point: ", wanted, " along dimension ", plan.dims[i]);
    plan.sizes.push_back(wanted);
  }
  return plan;
}

template <class F>
Tensor along(const Tensor& x, int dim, F f) {
  if (dim == x.dim() - 1) return f(x);
  return transpose(f(transpose(x, dim, -1)), dim, -1);
}

/// The complex transforms of the dimensions [from, to) of the plan; `scale` goes with the first of them.
Tensor complex_along(Tensor y, const Plan& plan, size_t from, size_t to, bool inverse, double scale) {
  for (size_t i = to; i-- > from;) {
    y = resized(y, plan.dims[i], plan.sizes[i]);
    y = along(y, plan.dims[i], [&](const Tensor& x) { return complex_transform(x, inverse, scale); });
    scale = 1;
  }
  return y;
}

Tensor complex_over(const char* op, const Tensor& x, const FftDims& over, std::string_view norm, bool inverse) {
  const Plan plan = plan_of(op, x, over, false);
  const Tensor y = promoted(op, x, true);
  const double scale = scale_of(norm, plan.points(), inverse);
  return plan.dims.empty() ? clone(y) : complex_along(y, plan, 0, plan.dims.size(), inverse, scale);
}

void check_last(const char* op, const Plan& plan) {
  check<ShapeError>(!plan.dims.empty(), op, ": needs at least one dimension");
}

/// Real to half a spectrum: the last dimension first.
Tensor real_over(const char* op, const Tensor& x, const FftDims& over, std::string_view norm, bool inverse) {
  check<DtypeError>(!is_complex(x.dtype()), op, ": needs a real tensor: ", x.dtype());
  const Plan plan = plan_of(op, x, over, false);
  check_last(op, plan);
  const double scale = scale_of(norm, plan.points(), inverse);
  const size_t last = plan.dims.size() - 1;
  const Tensor y = resized(promoted(op, x, false), plan.dims[last], plan.sizes[last]);
  const Tensor half = along(y, plan.dims[last], [&](const Tensor& t) {
    const Tensor spectrum = real_transform(t, scale);
    return inverse ? conj(spectrum) : spectrum;
  });
  return complex_along(half, plan, 0, last, inverse, 1);
}

/// Half a spectrum to real: the last dimension last.
Tensor hermitian_over(const char* op, const Tensor& x, const FftDims& over, std::string_view norm, bool inverse) {
  const Plan plan = plan_of(op, x, over, true);
  check_last(op, plan);
  const double scale = scale_of(norm, plan.points(), inverse);
  const size_t last = plan.dims.size() - 1;
  const int64_t n = plan.sizes[last];
  Tensor y = complex_along(promoted(op, x, true), plan, 0, last, inverse, 1);
  y = resized(y, plan.dims[last], n / 2 + 1);
  return along(y, plan.dims[last],
               [&](const Tensor& t) { return hermitian_transform(inverse ? t : conj(t), n, scale); });
}

FftDims single(const char* op, const Tensor& x, std::optional<int64_t> n, int64_t dim) {
  check<IndexError>(x.dim() >= 1, op, ": a tensor without dimensions has none to transform");
  check<ShapeError>(!n || *n >= 1, op, ": needs at least one point: ", n.value_or(0));
  FftDims over;
  over.dims = {dim};
  if (n) over.sizes = {*n};
  return over;
}

}  // namespace

Tensor fft(const Tensor& x, std::optional<int64_t> n, int64_t dim, std::string_view norm) {
  return complex_over("fft", x, single("fft", x, n, dim), norm, false);
}
Tensor ifft(const Tensor& x, std::optional<int64_t> n, int64_t dim, std::string_view norm) {
  return complex_over("ifft", x, single("ifft", x, n, dim), norm, true);
}
Tensor rfft(const Tensor& x, std::optional<int64_t> n, int64_t dim, std::string_view norm) {
  return real_over("rfft", x, single("rfft", x, n, dim), norm, false);
}
Tensor irfft(const Tensor& x, std::optional<int64_t> n, int64_t dim, std::string_view norm) {
  return hermitian_over("irfft", x, single("irfft", x, n, dim), norm, true);
}
Tensor hfft(const Tensor& x, std::optional<int64_t> n, int64_t dim, std::string_view norm) {
  return hermitian_over("hfft", x, single("hfft", x, n, dim), norm, false);
}
Tensor ihfft(const Tensor& x, std::optional<int64_t> n, int64_t dim, std::string_view norm) {
  return real_over("ihfft", x, single("ihfft", x, n, dim), norm, true);
}

Tensor fftn(const Tensor& x, const FftDims& over, std::string_view norm) {
  return complex_over("fftn", x, over, norm, false);
}
Tensor ifftn(const Tensor& x, const FftDims& over, std::string_view norm) {
  return complex_over("ifftn", x, over, norm, true);
}
Tensor rfftn(const Tensor& x, const FftDims& over, std::string_view norm) {
  return real_over("rfftn", x, over, norm, false);
}
Tensor irfftn(const Tensor& x, const FftDims& over, std::string_view norm) {
  return hermitian_over("irfftn", x, over, norm, true);
}
Tensor hfftn(const Tensor& x, const FftDims& over, std::string_view norm) {
  return hermitian_over("hfftn", x, over, norm, false);
}
Tensor ihfftn(const Tensor& x, const FftDims& over, std::string_view norm) {
  return real_over("ihfftn", x, over, norm, true);
}

namespace {

Tensor shifted(const Tensor& x, const std::vector<int64_t>& dims, bool back) {
  std::vector<int64_t> over = dims, shifts;
  if (dims.empty())
    for (int d = 0; d < x.dim(); ++d) over.push_back(d);
  for (int64_t d : over) shifts.push_back(back ? (x.size(d) + 1) / 2 : x.size(d) / 2);
  return over.empty() ? clone(x) : roll(x, shifts, over);
}

}  // namespace

Tensor fftshift(const Tensor& x, const std::vector<int64_t>& dims) { return shifted(x, dims, false); }
Tensor ifftshift(const Tensor& x, const std::vector<int64_t>& dims) { return shifted(x, dims, true); }

Tensor fftfreq(int64_t n, double d, Dtype dtype) {
  check<ValueError>(n >= 0, "fftfreq: n must not be negative: ", n);
  const Tensor up = arange(0, (n + 1) / 2, 1, dtype), down = arange(-(n / 2), 0, 1, dtype);
  return mul(cat({up, down}), 1.0 / (double(n) * d));
}

Tensor rfftfreq(int64_t n, double d, Dtype dtype) {
  check<ValueError>(n >= 0, "rfftfreq: n must not be negative: ", n);
  return mul(arange(0, n / 2 + 1, 1, dtype), 1.0 / (double(n) * d));
}

}  // namespace hearth
