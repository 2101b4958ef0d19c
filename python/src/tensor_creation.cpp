// Creation functions: tensors from data, from sizes, ranges, and like another tensor.
#include <cmath>

#include "hearth/core/default_dtype.h"
#include "hearth/ops/create.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/ranges.h"
#include "hearth/ops/view.h"
#include "python/src/binding.h"
#include "python/src/create.h"
#include "python/src/errors.h"
#include "python/src/objects.h"
#include "python/src/operands.h"
#include "python/src/options.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

const std::string shared = creation_options;

/// The dtype that an `out` given at place i asks for.
Dtype out_dtype(Args& a, int i, Dtype fallback) { return a.is_tensor(i) ? a.tensor(i).dtype() : fallback; }

Shape checked_sizes(Args& a, int i) {
  const Shape sizes = a.shape(i);
  for (int64_t size : sizes)
    check<ShapeError>(size >= 0, a.op(), ": Trying to create tensor with negative dimension ", size, ": ", sizes);
  return sizes;
}

void bind_data(Module& m) {
  m.def(
      "tensor(data, *, dtype: dtype? = None, device: device? = None, requires_grad: bool = False, pin_memory: bool = "
      "False)",
      [](Args& a) {
        check_device(a.device(2));
        const Tensor x = tensor_from_data(a.object(0), a.dtype_or_none(1), "tensor");
        return finish(x, {x.dtype(), a.device(2), a.flag(3)});
      });
  m.def("from_numpy(ndarray)", [](Args& a) { return tensor_from_buffer(a.object(0), "from_numpy"); });
  m.def(("scalar_tensor(s: Number, *, out: Tensor? = None, " + shared + ")").c_str(), [](Args& a) {
    const Options o = read_options(a, 2, out_dtype(a, 1, default_dtype()));
    return finish(scalar_tensor(a.number(0), o.dtype), o);
  });
}

/// empty, zeros and ones share all but the filling.
template <class F>
void def_sized(Module& m, const char* name, F) {
  const std::string signature =
      std::string(name) + "(size: ints..., *, out: Tensor? = None, memory_format = None, " + shared + ")";
  m.def(signature.c_str(), [](Args& a) {
    const Options o = read_options(a, 3, out_dtype(a, 1, default_dtype()));
    Tensor x = F{}(checked_sizes(a, 0), o.dtype);
    const MemoryFormat format = memory_format_from(a.object(2), a.op(), MemoryFormat::contiguous);
    if (format != MemoryFormat::contiguous) x = empty_in_format(x, o.dtype, format);
    return finish(x, o);
  });
}

void bind_sized(Module& m) {
  def_sized(m, "empty", [](const Shape& shape, Dtype dtype) { return Tensor::empty(shape, dtype); });
  def_sized(m, "zeros", [](const Shape& shape, Dtype dtype) { return zeros(shape, dtype); });
  def_sized(m, "ones", [](const Shape& shape, Dtype dtype) { return ones(shape, dtype); });
  m.def(("full(size: ints, fill_value: Number, *, out: Tensor? = None, " + shared + ")").c_str(), [](Args& a) {
    const Scalar value = a.number(1);
    const Options o = read_options(a, 3, out_dtype(a, 2, value.dtype()));
    return finish(full(checked_sizes(a, 0), value, o.dtype, o.device), o);
  });
  m.def(("empty_strided(size: ints, stride: ints, *, " + shared + ")").c_str(), [](Args& a) {
    const Options o = read_options(a, 2, default_dtype());
    return finish(empty_strided(checked_sizes(a, 0), a.shape(1), o.dtype), o);
  });
  m.def(("empty_permuted(size: ints, physical_layout: ints, *, " + shared + ")").c_str(), [](Args& a) {
    const Options o = read_options(a, 2, default_dtype());
    return finish(empty_permuted(checked_sizes(a, 0), a.shape(1), o.dtype), o);
  });
  m.def(("eye(n: int, m: int? = None, *, out: Tensor? = None, " + shared + ")").c_str(), [](Args& a) {
    const Options o = read_options(a, 3, out_dtype(a, 2, default_dtype()));
    const int64_t n = a.integer(0), columns = a.given(1) ? a.integer(1) : n;
    check<ValueError>(n >= 0, "eye: n must be greater or equal to 0, got ", n);
    check<ValueError>(columns >= 0, "eye: m must be greater or equal to 0, got ", columns);
    return finish(eye(n, columns, o.dtype), o);
  });
}

/// NAME_like and new_NAME of one filling.
template <class F>
void def_alike(Module& m, const char* name, F) {
  const std::string like = std::string(name) + "_like(input: Tensor, *, memory_format = None, " + shared + ")";
  m.def(like.c_str(), [](Args& a) {
    const Tensor& x = a.tensor(0);
    const Options o = read_options(a, 2, x.dtype(), x.device());
    const MemoryFormat format = memory_format_from(a.object(1), a.op(), MemoryFormat::preserve);
    return finish(F{}(empty_in_format(x, o.dtype, format)), o);
  });
  const std::string fresh = "new_" + std::string(name) + "(input: Tensor, size: ints..., *, " + shared + ")";
  m.def(
      fresh.c_str(),
      [](Args& a) {
        const Options o = read_options(a, 2, a.tensor(0).dtype(), a.tensor(0).device());
        return finish(F{}(Tensor::empty(checked_sizes(a, 1), o.dtype, o.device)), o);
      },
      method_only);
}

Tensor filled(const Tensor& x, const Scalar& value) {
  NoGrad guard;
  return fill_(x, value);
}

void bind_alike(Module& m) {
  def_alike(m, "empty", [](const Tensor& x) { return x; });
  def_alike(m, "zeros", [](const Tensor& x) { return filled(x, 0); });
  def_alike(m, "ones", [](const Tensor& x) { return filled(x, 1); });
  m.def(("full_like(input: Tensor, fill_value: Number, *, memory_format = None, " + shared + ")").c_str(), [](Args& a) {
    const Tensor& x = a.tensor(0);
    const Options o = read_options(a, 3, x.dtype(), x.device());
    const MemoryFormat format = memory_format_from(a.object(2), a.op(), MemoryFormat::preserve);
    return finish(filled(empty_in_format(x, o.dtype, format), a.number(1)), o);
  });
  m.def(("new_full(input: Tensor, size: ints, fill_value: Number, *, " + shared + ")").c_str(),
        [](Args& a) {
          const Options o = read_options(a, 3, a.tensor(0).dtype(), a.tensor(0).device());
          return finish(full(checked_sizes(a, 1), a.number(2), o.dtype), o);
        },
        method_only);
  m.def(("new_empty_strided(input: Tensor, size: ints, stride: ints, *, " + shared + ")").c_str(),
        [](Args& a) {
          const Options o = read_options(a, 3, a.tensor(0).dtype(), a.tensor(0).device());
          return finish(empty_strided(checked_sizes(a, 1), a.shape(2), o.dtype), o);
        },
        method_only);
  m.def(("new_tensor(input: Tensor, data, *, " + shared + ")").c_str(),
        [](Args& a) {
          const Options o = read_options(a, 2, a.tensor(0).dtype(), a.tensor(0).device());
          return finish(tensor_from_data(a.object(1), o.dtype, "new_tensor"), o);
        },
        method_only);
}

/// arange's places of start, end and step in the signature; -1 where the default stands.
Tensor counted(Args& a, int start, int end, int step, int first_option) {
  const Scalar from = start < 0 ? Scalar(0) : a.number(start), to_end = a.number(end),
               by = step < 0 ? Scalar(1) : a.number(step);
  const bool floating = from.is_floating() || to_end.is_floating() || by.is_floating();
  const Options o =
      read_options(a, first_option, out_dtype(a, first_option - 1, floating ? default_dtype() : Dtype::int64));
  check<ValueError>(!std::isnan(from.to_double()) && !std::isnan(to_end.to_double()) &&
                        std::isfinite(from.to_double()) && std::isfinite(to_end.to_double()),
                    "arange: unsupported range: ", from.to_double(), " -> ", to_end.to_double());
  return finish(arange(from, to_end, by, o.dtype), o);
}

/// The older range, whose end is included.
Tensor counted_through(Args& a) {
  const Scalar start = a.number(0), end = a.number(1), step = a.number(2);
  const Options o = read_options(a, 4, out_dtype(a, 3, default_dtype()));
  const double by = step.to_double(), span = end.to_double() - start.to_double();
  check<ValueError>(by != 0, "range: step must be nonzero");
  check<ValueError>(span / by >= 0, "range: upper bound and lower bound inconsistent with step sign");
  const double count = std::floor(span / by) + 1;
  check<ValueError>(count < 0x1p62, "range: too many elements: ", count);
  return finish(ramp(start.to_double(), by, int64_t(count), o.dtype), o);
}

/// An end of linspace: a number or a 0-dim tensor.
Scalar spaced_end(Args& a, int i) {
  check<ShapeError>(!a.is_tensor(i) || a.tensor(i).dim() == 0, a.op(),
                    " only supports 0-dimensional start and end tensors");
  return number_operand(a, i);
}

Dtype spaced_dtype(Args& a) {
  const bool complex = spaced_end(a, 0).is_complex() || spaced_end(a, 1).is_complex();
  return complex ? complex_type(default_dtype()) : default_dtype();
}

Tensor spaced(Args& a) {
  const Options o = read_options(a, 4, out_dtype(a, 3, spaced_dtype(a)));
  return finish(linspace(spaced_end(a, 0), spaced_end(a, 1), a.integer(2), o.dtype), o);
}

Tensor spaced_logarithmically(Args& a) {
  const Options o = read_options(a, 5, out_dtype(a, 4, spaced_dtype(a)));
  return finish(logspace(spaced_end(a, 0), spaced_end(a, 1), a.integer(2), a.real(3), o.dtype), o);
}

void bind_ranges(Module& m) {
  m.def(("arange(end: Number, *, out: Tensor? = None, " + shared + ")").c_str(),
        [](Args& a) { return counted(a, -1, 0, -1, 2); });
  m.def(("arange(start: Number, end: Number, *, out: Tensor? = None, " + shared + ")").c_str(),
        [](Args& a) { return counted(a, 0, 1, -1, 3); });
  m.def(("arange(start: Number, end: Number, step: Number = 1, *, out: Tensor? = None, " + shared + ")").c_str(),
        [](Args& a) { return counted(a, 0, 1, 2, 4); });
  m.def(("range(start: Number, end: Number, step: Number = 1, *, out: Tensor? = None, " + shared + ")").c_str(),
        [](Args& a) { return counted_through(a); });
  m.def(("linspace(start, end, steps: int, *, out: Tensor? = None, " + shared + ")").c_str(),
        [](Args& a) { return spaced(a); });
  m.def(("logspace(start, end, steps: int, base: float = 10.0, *, out: Tensor? = None, " + shared + ")").c_str(),
        [](Args& a) { return spaced_logarithmically(a); });
  m.def(("tril_indices(row: int, col: int, offset: int = 0, *, " + shared + ")").c_str(), [](Args& a) {
    return triangle_indices(a.integer(0), a.integer(1), a.integer(2), true, read_options(a, 3, Dtype::int64).dtype);
  });
  m.def(("triu_indices(row: int, col: int, offset: int = 0, *, " + shared + ")").c_str(), [](Args& a) {
    return triangle_indices(a.integer(0), a.integer(1), a.integer(2), false, read_options(a, 3, Dtype::int64).dtype);
  });
}

const Binding binding{[](Module& m) {
  bind_data(m);
  bind_sized(m);
  bind_alike(m);
  bind_ranges(m);
}};

}  // namespace

}  // namespace hearth::python
