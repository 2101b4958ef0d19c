// x + y and its kin go straight to the ops; only subclasses and modes take the long way through the named functions.
#include "python/src/operators.h"

#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/inplace.h"
#include "hearth/ops/matmul.h"
#include "hearth/ops/view.h"
#include "python/src/args.h"
#include "python/src/autocast.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/override.h"
#include "python/src/signature.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

// A family of one operator: with two tensors, a number on the right, a number on the left. `name` is the method that
// an override gets to see.
struct Add {
  static constexpr const char *name = "add", *reversed = "__radd__";
  static Tensor run(const Tensor& x, const Tensor& y) { return add(x, y); }
  static Tensor run(const Tensor& x, const Scalar& y) { return add(x, y); }
  static Tensor run(const Scalar& x, const Tensor& y) { return add(y, x); }
  static void run_(const Tensor& x, const Tensor& y) { add_(x, y); }
  static void run_(const Tensor& x, const Scalar& y) { add_(x, y); }
};
struct Sub {
  static constexpr const char *name = "sub", *reversed = "__rsub__";
  static Tensor run(const Tensor& x, const Tensor& y) { return sub(x, y); }
  static Tensor run(const Tensor& x, const Scalar& y) { return sub(x, y); }
  static Tensor run(const Scalar& x, const Tensor& y) { return sub(x, y); }
  static void run_(const Tensor& x, const Tensor& y) { sub_(x, y); }
  static void run_(const Tensor& x, const Scalar& y) { sub_(x, y); }
};
struct Mul {
  static constexpr const char *name = "mul", *reversed = "__rmul__";
  static Tensor run(const Tensor& x, const Tensor& y) { return mul(x, y); }
  static Tensor run(const Tensor& x, const Scalar& y) { return mul(x, y); }
  static Tensor run(const Scalar& x, const Tensor& y) { return mul(y, x); }
  static void run_(const Tensor& x, const Tensor& y) { mul_(x, y); }
  static void run_(const Tensor& x, const Scalar& y) { mul_(x, y); }
};
struct Div {
  static constexpr const char *name = "div", *reversed = "__rdiv__";
  static Tensor run(const Tensor& x, const Tensor& y) { return div(x, y); }
  static Tensor run(const Tensor& x, const Scalar& y) { return div(x, y); }
  static Tensor run(const Scalar& x, const Tensor& y) { return div(x, y); }
  static void run_(const Tensor& x, const Tensor& y) { div_(x, y); }
  static void run_(const Tensor& x, const Scalar& y) { div_(x, y); }
};
struct Pow {
  static constexpr const char *name = "pow", *reversed = "__rpow__";
  static Tensor run(const Tensor& x, const Tensor& y) { return pow(x, y); }
  static Tensor run(const Tensor& x, const Scalar& y) { return pow(x, y); }
  static Tensor run(const Scalar& x, const Tensor& y) { return pow(x, y); }
  static void run_(const Tensor& x, const Tensor& y) { pow_(x, y); }
  static void run_(const Tensor& x, const Scalar& y) { pow_(x, y); }
};

/// The rest are defined between tensors; a number becomes a 0-dim tensor that promotes as the number does.
Tensor number_tensor(const Scalar& number, const Tensor& beside) {
  return scalar_tensor(number, result_type(beside, number));
}
template <Tensor (*op)(const Tensor&, const Tensor&)>
struct OfTensors {
  static Tensor run(const Tensor& x, const Tensor& y) { return op(x, y); }
  static Tensor run(const Tensor& x, const Scalar& y) { return op(x, number_tensor(y, x)); }
  static Tensor run(const Scalar& x, const Tensor& y) { return op(number_tensor(x, y), y); }
  template <class Y>
  static void run_(const Tensor& x, const Y& y) {
    apply_(x, "in-place operator", [&](const Tensor& old) { return to(run(old, y), x.dtype()); });
  }
};
struct FloorDiv : OfTensors<floor_divide> {
  static constexpr const char *name = "floor_divide", *reversed = "__rfloordiv__";
};
struct Mod : OfTensors<remainder> {
  static constexpr const char *name = "remainder", *reversed = "__rmod__";
};
struct And : OfTensors<bitwise_and> {
  static constexpr const char *name = "bitwise_and", *reversed = "__rand__";
};
struct Or : OfTensors<bitwise_or> {
  static constexpr const char *name = "bitwise_or", *reversed = "__ror__";
};
struct Xor : OfTensors<bitwise_xor> {
  static constexpr const char *name = "bitwise_xor", *reversed = "__rxor__";
};
struct LeftShift : OfTensors<bitwise_left_shift> {
  static constexpr const char *name = "bitwise_left_shift", *reversed = "__rlshift__";
};
struct RightShift : OfTensors<bitwise_right_shift> {
  static constexpr const char *name = "bitwise_right_shift", *reversed = "__rrshift__";
};

/// The method by name, on the operand that is a tensor.
PyObject* by_name(const char* name, const char* reversed, PyObject* a, PyObject* b) {
  const bool first = is_tensor(a);
  PyObject* pair[] = {first ? a : b, first ? b : a};
  const Owned function(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), first ? name : reversed));
  if (!function) return nullptr;
  if (has_override(pair, 2, nullptr)) return call_override(function.get(), pair, 2, nullptr);
  return PyObject_Vectorcall(function.get(), pair, 2, nullptr);
}

template <class Op>
PyObject* binary(PyObject* a, PyObject* b) {
  if (has_override(a, b)) return by_name(Op::name, Op::reversed, a, b);
  return guarded([&]() -> PyObject* {
    if (is_tensor(a)) {
      if (is_tensor(b)) return wrap(Op::run(unwrap(a), unwrap(b)));
      if (is_number(b)) return wrap(Op::run(unwrap(a), scalar_from(b, Op::name)));
    } else if (is_number(a)) {
      return wrap(Op::run(scalar_from(a, Op::name), unwrap(b)));
    }
    Py_RETURN_NOTIMPLEMENTED;
  });
}

PyObject* power(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary<Pow>(a, b);
}

template <class Op>
PyObject* binary_(PyObject* a, PyObject* b) {
  if (has_override(a, b)) return by_name((std::string(Op::name) + "_").c_str(), Op::reversed, a, b);
  return guarded([&]() -> PyObject* {
    if (is_tensor(b))
      Op::run_(unwrap(a), unwrap(b));
    else if (is_number(b))
      Op::run_(unwrap(a), scalar_from(b, Op::name));
    else
      Py_RETURN_NOTIMPLEMENTED;
    return Py_NewRef(a);
  });
}

PyObject* power_(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary_<Pow>(a, b);
}

PyObject* matrix_product(PyObject* a, PyObject* b) {
  if (has_override(a, b) || autocast_enabled) return by_name("matmul", "__rmatmul__", a, b);
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  return guarded([&] { return wrap(matmul(unwrap(a), unwrap(b))); });
}

PyObject* unary_by_name(const char* name, PyObject* x) {
  const Owned function(PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), name));
  return function ? call_override(function.get(), &x, 1, nullptr) : nullptr;
}
PyObject* negative(PyObject* x) {
  if (has_override(x, Py_None)) return unary_by_name("neg", x);
  return guarded([&] { return wrap(neg(unwrap(x))); });
}
PyObject* positive(PyObject* x) { return Py_NewRef(x); }
PyObject* absolute(PyObject* x) {
  if (has_override(x, Py_None)) return unary_by_name("abs", x);
  return guarded([&] { return wrap(abs(unwrap(x))); });
}
PyObject* invert(PyObject* x) {
  if (has_override(x, Py_None)) return unary_by_name("bitwise_not", x);
  return guarded([&] { return wrap(bitwise_not(unwrap(x))); });
}

int truth(PyObject* object) {
  return guarded(
      [&]() -> int {
        const Tensor& x = unwrap(object);
        check<ValueError>(x.numel() == 1, "bool: Boolean value of Tensor with ",
                          x.numel() ? "more than one value" : "no values", " is ambiguous");
        if (is_complex(x.dtype())) return x.item_scalar().to_complex() != std::complex<double>(0);
        return is_floating(x.dtype()) ? x.item() != 0 : x.item_int() != 0;
      },
      -1);
}

PyObject* to_int(PyObject* object) {
  return guarded([&] {
    const Tensor& x = unwrap(object);
    if (!is_floating(x.dtype())) return PyLong_FromLongLong(x.item_int());
    return PyLong_FromDouble(x.item());
  });
}
PyObject* to_index(PyObject* object) {
  return guarded([&]() -> PyObject* {
    const Tensor& x = unwrap(object);
    if (is_floating(x.dtype()) || is_complex(x.dtype()) || x.numel() != 1)
      fail_type("index: only integer tensors of a single element can be converted to an index");
    return PyLong_FromLongLong(x.item_int());
  });
}
PyObject* to_float(PyObject* object) {
  return guarded([&] {
    const Tensor& x = unwrap(object);
    return PyFloat_FromDouble(is_floating(x.dtype()) ? x.item() : double(x.item_int()));
  });
}

using Compare = Tensor (*)(const Tensor&, const Tensor&);
using CompareNumber = Tensor (*)(const Tensor&, const Scalar&);
// In the order of Py_LT, Py_LE, Py_EQ, Py_NE, Py_GT, Py_GE.
constexpr Compare comparisons[] = {lt, le, eq, ne, gt, ge};
constexpr CompareNumber number_comparisons[] = {lt, le, eq, ne, gt, ge};
constexpr const char* comparison_names[] = {"lt", "le", "eq", "ne", "gt", "ge"};

PyObject* compare(PyObject* a, PyObject* b, int op) {
  if (has_override(a, b)) return by_name(comparison_names[op], comparison_names[op], a, b);
  return guarded([&]() -> PyObject* {
    if (is_tensor(b)) return wrap(comparisons[op](unwrap(a), unwrap(b)));
    if (b != Py_None && is_number(b)) return wrap(number_comparisons[op](unwrap(a), scalar_from(b, "compare")));
    Py_RETURN_NOTIMPLEMENTED;
  });
}

}  // namespace

void add_operator_slots(std::vector<PyType_Slot>& slots) {
  const auto put = [&](int slot, auto function) { slots.push_back({slot, reinterpret_cast<void*>(function)}); };
  put(Py_nb_add, binary<Add>);
  put(Py_nb_subtract, binary<Sub>);
  put(Py_nb_multiply, binary<Mul>);
  put(Py_nb_true_divide, binary<Div>);
  put(Py_nb_floor_divide, binary<FloorDiv>);
  put(Py_nb_remainder, binary<Mod>);
  put(Py_nb_power, power);
  put(Py_nb_matrix_multiply, matrix_product);
  put(Py_nb_and, binary<And>);
  put(Py_nb_or, binary<Or>);
  put(Py_nb_xor, binary<Xor>);
  put(Py_nb_lshift, binary<LeftShift>);
  put(Py_nb_rshift, binary<RightShift>);
  put(Py_nb_inplace_add, binary_<Add>);
  put(Py_nb_inplace_subtract, binary_<Sub>);
  put(Py_nb_inplace_multiply, binary_<Mul>);
  put(Py_nb_inplace_true_divide, binary_<Div>);
  put(Py_nb_inplace_floor_divide, binary_<FloorDiv>);
  put(Py_nb_inplace_remainder, binary_<Mod>);
  put(Py_nb_inplace_power, power_);
  put(Py_nb_inplace_and, binary_<And>);
  put(Py_nb_inplace_or, binary_<Or>);
  put(Py_nb_inplace_xor, binary_<Xor>);
  put(Py_nb_inplace_lshift, binary_<LeftShift>);
  put(Py_nb_inplace_rshift, binary_<RightShift>);
  put(Py_nb_negative, negative);
  put(Py_nb_positive, positive);
  put(Py_nb_absolute, absolute);
  put(Py_nb_invert, invert);
  put(Py_nb_bool, truth);
  put(Py_nb_int, to_int);
  put(Py_nb_index, to_index);
  put(Py_nb_float, to_float);
  put(Py_tp_richcompare, compare);
}

}  // namespace hearth::python
