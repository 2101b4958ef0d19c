// Views: shapes, orders of dimensions and parts of a tensor over the same memory.
#include "hearth/ops/view.h"

#include <limits>

#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/dims.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/objects.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

constexpr int64_t open_end = std::numeric_limits<int64_t>::max();

/// x.op_(...) of a view op: x itself gets the view's geometry. Returns x.
PyObject* become(Args& a, const Tensor& view) {
  become_view_(a.tensor(0), view);
  return Py_NewRef(a.object(0));
}

const Binding shapes{[](Module& m) {
  m.def(
      "view(input: Tensor, dtype: dtype)",
      [](Args& a) { return view_dtype(a.tensor(0), a.dtype(1, a.tensor(0).dtype())); }, method_only);
  m.def(
      "view(input: Tensor, size: ints...)", [](Args& a) { return view(a.tensor(0), a.shape(1)); }, method_only);
  m.def(
      "view_as(input: Tensor, other: Tensor)", [](Args& a) { return view(a.tensor(0), a.tensor(1).shape()); },
      method_only);
  m.def(
      "reshape(input: Tensor, shape: ints...)", [](Args& a) { return reshape(a.tensor(0), a.shape(1)); }, method);
  m.def(
      "reshape_as(input: Tensor, other: Tensor)", [](Args& a) { return reshape(a.tensor(0), a.tensor(1).shape()); },
      method_only);
  m.def(
      "flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1)",
      [](Args& a) { return flatten(a.tensor(0), a.integer(1), a.integer(2)); }, method);
  m.def(
      "ravel(input: Tensor)", [](Args& a) { return reshape(a.tensor(0), {a.tensor(0).numel()}); }, method);
  m.def(
      "unflatten(input: Tensor, dim: int, sizes: ints)",
      [](Args& a) {
        check<ValueError>(!a.ints(2).empty(), "unflatten: sizes must be non-empty");
        return unflatten(a.tensor(0), a.integer(1), a.shape(2));
      },
      method);
  m.def(
      "_reshape_alias(input: Tensor, size: ints, stride: ints)",
      [](Args& a) { return as_strided(a.tensor(0), a.shape(1), a.shape(2), a.tensor(0).offset()); }, method);
  m.def(
      "expand(input: Tensor, size: ints..., *, implicit: bool = False)",
      [](Args& a) { return expand(a.tensor(0), a.shape(1)); }, method_only);
  m.def(
      "expand_as(input: Tensor, other: Tensor)", [](Args& a) { return expand(a.tensor(0), a.tensor(1).shape()); },
      method_only);
  m.def(
      "broadcast_to(input: Tensor, size: ints)", [](Args& a) { return expand(a.tensor(0), a.shape(1)); }, method);
}};

Tensor matrix_transpose(const char* op, const Tensor& x) {
  check<ShapeError>(x.dim() >= 2, op, ": needs at least two dimensions: ", x.shape());
  return transpose(x, -2, -1);
}
Tensor adjoint(const Tensor& x) {
  const Tensor turned = x.dim() == 0 ? expand(x, {}) : matrix_transpose("adjoint", x);
  return is_complex(x.dtype()) ? conj(turned) : turned;
}

template <class F>
PyObject* property_of(PyObject* self, F f) {
  return guarded([&] { return wrap(f(unwrap(self))); });
}

PyGetSetDef properties[] = {
    {"mT",
     [](PyObject* self, void*) { return property_of(self, [](const Tensor& x) { return matrix_transpose("mT", x); }); },
     nullptr, "The last two dimensions swapped.", nullptr},
    {"mH", [](PyObject* self, void*) { return property_of(self, [](const Tensor& x) { return adjoint(x); }); }, nullptr,
     "The last two dimensions swapped, conjugated.", nullptr},
    {"H",
     [](PyObject* self, void*) {
       return property_of(self, [](const Tensor& x) {
         check<ShapeError>(x.dim() == 0 || x.dim() == 2, "H: needs a matrix or a 0-dim tensor: ", x.shape());
         return adjoint(x);
       });
     },
     nullptr, "A matrix transposed and conjugated.", nullptr}};

const Binding orders{[](Module& m) {
  for (PyGetSetDef& p : properties) {
    const Owned descriptor(checked(PyDescr_NewGetSet(tensor_type, &p)));
    if (PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), p.name, descriptor.get()) < 0) throw_python();
  }
  m.def(
      "permute(input: Tensor, dims: ints...)", [](Args& a) { return permute(a.tensor(0), a.shape(1)); }, method);
  const auto transposed = [](Args& a) { return transpose(a.tensor(0), a.integer(1), a.integer(2)); };
  m.def("transpose(input: Tensor, dim0: int, dim1: int)", transposed, method);
  m.def("swapdims(input: Tensor, dim0: int, dim1: int)", transposed, method);
  m.def("swapaxes(input: Tensor, axis0: int, axis1: int)", transposed, method);
  const auto transposed_ = [](Args& a) { return become(a, transpose(a.tensor(0), a.integer(1), a.integer(2))); };
  m.def("transpose_(input: Tensor, dim0: int, dim1: int)", transposed_, method_only);
  m.def("swapdims_(input: Tensor, dim0: int, dim1: int)", transposed_, method_only);
  m.def("swapaxes_(input: Tensor, axis0: int, axis1: int)", transposed_, method_only);
  m.def(
      "t(input: Tensor)",
      [](Args& a) {
        const Tensor& x = a.tensor(0);
        return x.dim() < 2 ? expand(x, x.shape()) : t(x);
      },
      method);
  m.def(
      "t_(input: Tensor)", [](Args& a) { return become(a, t(a.tensor(0))); }, method_only);
  m.def(
      "adjoint(input: Tensor)", [](Args& a) { return adjoint(a.tensor(0)); }, method);
  const auto moved = [](Args& a) { return movedim(a.tensor(0), a.ints(1), a.ints(2)); };
  m.def("movedim(input: Tensor, source: ints, destination: ints)", moved, method);
  m.def("moveaxis(input: Tensor, source: ints, destination: ints)", moved, method);
  m.def(
      "squeeze(input: Tensor)", [](Args& a) { return squeeze(a.tensor(0)); }, method);
  m.def(
      "squeeze(input: Tensor, dim: int)", [](Args& a) { return squeeze(a.tensor(0), a.integer(1)); }, method);
  m.def(
      "squeeze(input: Tensor, dim: ints)", [](Args& a) { return squeeze(a.tensor(0), a.ints(1)); }, method);
  m.def(
      "squeeze_(input: Tensor)", [](Args& a) { return become(a, squeeze(a.tensor(0))); }, method_only);
  m.def(
      "squeeze_(input: Tensor, dim: int)", [](Args& a) { return become(a, squeeze(a.tensor(0), a.integer(1))); },
      method_only);
  m.def(
      "squeeze_(input: Tensor, dim: ints)", [](Args& a) { return become(a, squeeze(a.tensor(0), a.ints(1))); },
      method_only);
  m.def(
      "unsqueeze(input: Tensor, dim: int)", [](Args& a) { return unsqueeze(a.tensor(0), a.integer(1)); }, method);
  m.def(
      "unsqueeze_(input: Tensor, dim: int)", [](Args& a) { return become(a, unsqueeze(a.tensor(0), a.integer(1))); },
      method_only);
}};

const Binding parts{[](Module& m) {
  m.def(
      "select(input: Tensor, dim: int, index: int)",
      [](Args& a) { return select(a.tensor(0), a.integer(1), a.integer(2)); }, method);
  m.def(
      "narrow(input: Tensor, dim: int, start: any, length: int)",
      [](Args& a) {
        if (a.is_tensor(2)) {
          const Tensor& start = a.tensor(2);
          check<DtypeError>(start.dim() == 0 && is_integral(start.dtype()),
                            "narrow: start must be an integer or a 0-dim tensor of one");
        }
        return narrow(a.tensor(0), a.integer(1), a.integer(2), a.integer(3));
      },
      method);
  m.def("_slice(input: Tensor, dim: int = 0, start: int? = None, end: int? = None, step: int = 1)", [](Args& a) {
    return slice(a.tensor(0), a.integer(1), a.integer_or_none(2).value_or(0), a.integer_or_none(3).value_or(open_end),
                 a.integer(4));
  });
  m.def(
      "diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1)",
      [](Args& a) { return diagonal(a.tensor(0), a.integer(1), a.integer(2), a.integer(3)); }, method);
  m.def(
      "unfold(input: Tensor, dimension: int, size: int, step: int)",
      [](Args& a) { return unfold(a.tensor(0), a.integer(1), a.integer(2), a.integer(3)); }, method_only);
  m.def(
      "as_strided(input: Tensor, size: ints, stride: ints, storage_offset: int? = None)",
      [](Args& a) {
        return as_strided(a.tensor(0), a.shape(1), a.shape(2), a.integer_or_none(3).value_or(a.tensor(0).offset()));
      },
      method);
  m.def(
      "as_strided_(input: Tensor, size: ints, stride: ints, storage_offset: int? = None)",
      [](Args& a) {
        const int64_t offset = a.integer_or_none(3).value_or(a.tensor(0).offset());
        return become(a, as_strided(a.tensor(0), a.shape(1), a.shape(2), offset));
      },
      method);
}};

const Binding splits{[](Module& m) {
  m.def("split(tensor: Tensor, split_size_or_sections: int, dim: int = 0)",
        [](Args& a) { return split(a.tensor(0), a.integer(1), a.integer(2)); });
  m.def("split(tensor: Tensor, split_size_or_sections: ints, dim: int = 0)",
        [](Args& a) { return split(a.tensor(0), a.ints(1), a.integer(2)); });
  for (const char* name : {"split", "unsafe_split"}) {
    const int faces = name[0] == 's' ? method_only : method;
    m.def((std::string(name) + "(input: Tensor, split_size: int, dim: int = 0)").c_str(),
          [](Args& a) { return split(a.tensor(0), a.integer(1), a.integer(2)); }, faces);
    m.def((std::string(name) + "(input: Tensor, split_size: ints, dim: int = 0)").c_str(),
          [](Args& a) { return split(a.tensor(0), a.ints(1), a.integer(2)); }, faces);
  }
  const auto by_sizes = [](Args& a) { return split(a.tensor(0), a.ints(1), a.integer(2)); };
  m.def("split_with_sizes(input: Tensor, split_sizes: ints, dim: int = 0)", by_sizes, method);
  m.def("unsafe_split_with_sizes(input: Tensor, split_sizes: ints, dim: int = 0)", by_sizes, method);
  const auto chunks = [](Args& a) { return chunk(a.tensor(0), a.integer(1), a.integer(2)); };
  m.def("chunk(input: Tensor, chunks: int, dim: int = 0)", chunks, method);
  m.def("unsafe_chunk(input: Tensor, chunks: int, dim: int = 0)", chunks, method);
  m.def(
      "unbind(input: Tensor, dim: int = 0)", [](Args& a) { return unbind(a.tensor(0), a.integer(1)); }, method);
  const auto by_tensor = [](Args& a) {
    const Tensor& at = a.tensor(1);
    check<ValueError>(at.dim() <= 1 && at.dtype() == Dtype::int64,
                      "tensor_split: indices must be an int64 tensor of at most one dimension: ", at.dtype(), " ",
                      at.shape());
    if (at.dim() == 0) return tensor_split(a.tensor(0), at.item_int(), a.integer(2));
    return tensor_split(a.tensor(0), to_vector<int64_t>(at), a.integer(2));
  };
  m.def("tensor_split(input: Tensor, tensor_indices_or_sections: Tensor, dim: int = 0)", by_tensor, method);
  const auto by_count = [](Args& a) { return tensor_split(a.tensor(0), a.integer(1), a.integer(2)); };
  m.def("tensor_split(input: Tensor, sections: int, dim: int = 0)", by_count, method);
  m.def("tensor_split(input: Tensor, indices_or_sections: int, dim: int = 0)", by_count, method);
  const auto by_indices = [](Args& a) { return tensor_split(a.tensor(0), a.ints(1), a.integer(2)); };
  m.def("tensor_split(input: Tensor, indices: ints, dim: int = 0)", by_indices, method);
  m.def("tensor_split(input: Tensor, indices_or_sections: ints, dim: int = 0)", by_indices, method);
}};

}  // namespace

}  // namespace hearth::python
