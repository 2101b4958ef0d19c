// Random tensors and in-place fills.
#include "hearth/ops/random.h"

#include "hearth/core/default_dtype.h"
#include "hearth/nn/init.h"
#include "hearth/ops/complex.h"
#include "hearth/ops/distributions.h"
#include "python/src/operands.h"
#include "python/src/options.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

const std::string shared = creation_options;

Dtype out_dtype(Args& a, int i, Dtype fallback) { return a.is_tensor(i) ? a.tensor(i).dtype() : fallback; }

Shape checked_sizes(Args& a, int i) {
  const Shape sizes = a.shape(i);
  for (int64_t size : sizes)
    check<ShapeError>(size >= 0, a.op(), ": Trying to create tensor with negative dimension ", size, ": ", sizes);
  return sizes;
}

const Tensor& uniform(const Tensor& x, Generator* generator) { return uniform_(x, 0, 1, generator); }
const Tensor& gaussian(const Tensor& x, Generator* generator) { return normal_(x, 0, 1, generator); }

template <const Tensor& (*draw)(const Tensor&, Generator*)>
const Tensor& filled_with(const Tensor& x, Generator* generator) {
  NoGrad guard;
  if (!is_complex(x.dtype())) return draw(x, generator);
  if (draw == gaussian) return complex_normal_(x, 0, 1, generator);
  draw(view_as_real(x), generator);
  return x;
}

template <const Tensor& (*draw)(const Tensor&, Generator*)>
void def_drawn(Module& m, const char* name) {
  const std::string sized =
      std::string(name) + "(size: ints..., *, generator: Generator? = None, out: Tensor? = None, " + shared + ")";
  m.def(sized.c_str(), [](Args& a) {
    const Options o = read_options(a, 3, out_dtype(a, 2, default_dtype()));
    return finish(filled_with<draw>(Tensor::empty(checked_sizes(a, 0), o.dtype, o.device), a.generator(1)), o);
  });
  const std::string like =
      std::string(name) + "_like(input: Tensor, *, memory_format = None, generator: Generator? = None, " + shared + ")";
  m.def(like.c_str(), [](Args& a) {
    const Tensor& x = a.tensor(0);
    const Options o = read_options(a, 3, x.dtype(), x.device());
    const MemoryFormat format = memory_format_from(a.object(1), a.op(), MemoryFormat::preserve);
    return finish(filled_with<draw>(empty_in_format(x, o.dtype, format), a.generator(2)), o);
  });
}

Tensor whole_numbers(Args& a, int low, int high, int size, int generator) {
  const Options o = read_options(a, generator + 2, out_dtype(a, generator + 1, Dtype::int64));
  const int64_t from = low < 0 ? 0 : a.integer(low), to = a.integer(high);
  check<ValueError>(from < to, "random_ expects 'from' to be less than 'to', but got from=", from, " >= to=", to);
  return finish(random_(Tensor::empty(checked_sizes(a, size), o.dtype), from, to, a.generator(generator)), o);
}

Tensor whole_numbers_like(Args& a, int low, int high, int format, int first_option) {
  const Tensor& x = a.tensor(0);
  const Options o = read_options(a, first_option, x.dtype(), x.device());
  const Tensor y = empty_in_format(x, o.dtype, memory_format_from(a.object(format), a.op(), MemoryFormat::preserve));
  const int64_t from = low < 0 ? 0 : a.integer(low), to = a.integer(high);
  check<ValueError>(from < to, "random_ expects 'from' to be less than 'to', but got from=", from, " >= to=", to);
  return finish(random_(y, from, to, a.generator(first_option - 1)), o);
}

void bind_whole_numbers(Module& m) {
  const std::string tail = "*, generator: Generator? = None, out: Tensor? = None, " + shared + ")";
  m.def(("randint(high: int, size: ints, " + tail).c_str(), [](Args& a) { return whole_numbers(a, -1, 0, 1, 2); });
  m.def(("randint(low: int, high: int, size: ints, " + tail).c_str(),
        [](Args& a) { return whole_numbers(a, 0, 1, 2, 3); });
  const std::string like = "*, memory_format = None, generator: Generator? = None, " + shared + ")";
  m.def(("randint_like(input: Tensor, high: int, " + like).c_str(),
        [](Args& a) { return whole_numbers_like(a, -1, 1, 2, 4); });
  m.def(("randint_like(input: Tensor, low: int, high: int, " + like).c_str(),
        [](Args& a) { return whole_numbers_like(a, 1, 2, 3, 5); });
  m.def(("randperm(n: int, " + tail).c_str(), [](Args& a) {
    const Options o = read_options(a, 3, out_dtype(a, 2, Dtype::int64));
    return finish(randperm(a.integer(0), o.dtype, a.generator(1)), o);
  });
}

void bind_distributions(Module& m) {
  m.def(
      "bernoulli(input: Tensor, *, generator: Generator? = None, out: Tensor? = None)",
      [](Args& a) { return bernoulli(a.tensor(0), a.generator(1)); }, method);
  m.def(
      "bernoulli(input: Tensor, p: float, *, generator: Generator? = None)",
      [](Args& a) {
        return bernoulli_(Tensor::empty(a.tensor(0).shape(), a.tensor(0).dtype()), a.real(1), a.generator(2));
      },
      method);
  m.def(
      "multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator? = None, out: "
      "Tensor? = None)",
      [](Args& a) { return multinomial(a.tensor(0), a.integer(1), a.flag(2), a.generator(3)); }, method);
  m.def("poisson(input: Tensor, generator: Generator? = None)",
        [](Args& a) { return poisson(a.tensor(0), a.generator(1)); });
  m.def("binomial(count: Tensor, prob: Tensor, generator: Generator? = None)",
        [](Args& a) { return binomial(a.tensor(0), a.tensor(1), a.generator(2)); });
  m.def("normal(mean: Tensor, std: Tensor, *, generator: Generator? = None, out: Tensor? = None)",
        [](Args& a) { return normal(a.tensor(0), a.tensor(1), a.generator(2)); });
  m.def(("normal(mean: float, std: float, size: ints, *, generator: Generator? = None, out: Tensor? = None, " + shared +
         ")")
            .c_str(),
        [](Args& a) {
          const Options o = read_options(a, 5, out_dtype(a, 4, default_dtype()));
          return finish(normal(a.real(0), a.real(1), checked_sizes(a, 2), o.dtype, a.generator(3)), o);
        });
  m.def("normal(mean: Tensor, std: float = 1, *, generator: Generator? = None, out: Tensor? = None)", [](Args& a) {
    const Tensor& mean = a.tensor(0);
    check<ValueError>(a.real(1) >= 0, "normal expects std >= 0.0, but found std ", a.real(1));
    return normal(mean, scalar_tensor(a.real(1), real_type(float_type(mean.dtype()))), a.generator(2));
  });
  m.def("normal(mean: float, std: Tensor, *, generator: Generator? = None, out: Tensor? = None)",
        [](Args& a) { return normal(scalar_tensor(a.real(0), a.tensor(1).dtype()), a.tensor(1), a.generator(2)); });
}

PyObject* filled(Args& a) { return Py_NewRef(a.object(0)); }

void bind_fills(Module& m) {
  m.def(
      "bernoulli_(input: Tensor, p: Tensor, *, generator: Generator? = None)",
      [](Args& a) {
        bernoulli_(a.tensor(0), a.tensor(1), a.generator(2));
        return filled(a);
      },
      method_only);
  m.def(
      "bernoulli_(input: Tensor, p: float = 0.5, *, generator: Generator? = None)",
      [](Args& a) {
        bernoulli_(a.tensor(0), a.real(1), a.generator(2));
        return filled(a);
      },
      method_only);
  m.def(
      "uniform_(input: Tensor, from: float = 0, to: float = 1, *, generator: Generator? = None)",
      [](Args& a) {
        const Tensor& x = a.tensor(0);
        check<ValueError>(a.real(1) <= a.real(2),
                          "uniform_ expects to return a [from, to) range, but found from=", a.real(1),
                          " > to=", a.real(2));
        NoGrad guard;
        uniform_(is_complex(x.dtype()) ? view_as_real(x) : x, a.real(1), a.real(2), a.generator(3));
        return filled(a);
      },
      method_only);
  m.def(
      "normal_(input: Tensor, mean: float = 0, std: float = 1, *, generator: Generator? = None)",
      [](Args& a) {
        const Tensor& x = a.tensor(0);
        check<ValueError>(a.real(2) >= 0, "normal_ expects std >= 0.0, but found std ", a.real(2));
        if (is_complex(x.dtype()))
          complex_normal_(x, a.real(1), a.real(2), a.generator(3));
        else
          normal_(x, a.real(1), a.real(2), a.generator(3));
        return filled(a);
      },
      method_only);
  m.def(
      "exponential_(input: Tensor, lambd: float = 1, *, generator: Generator? = None)",
      [](Args& a) {
        check<ValueError>(a.real(1) > 0, "exponential_ expects lambda > 0.0, but found lambda=", a.real(1));
        exponential_(a.tensor(0), a.real(1), a.generator(2));
        return filled(a);
      },
      method_only);
  m.def(
      "log_normal_(input: Tensor, mean: float = 1, std: float = 2, *, generator: Generator? = None)",
      [](Args& a) {
        log_normal_(a.tensor(0), a.real(1), a.real(2), a.generator(3));
        return filled(a);
      },
      method_only);
  m.def(
      "cauchy_(input: Tensor, median: float = 0, sigma: float = 1, *, generator: Generator? = None)",
      [](Args& a) {
        cauchy_(a.tensor(0), a.real(1), a.real(2), a.generator(3));
        return filled(a);
      },
      method_only);
  m.def(
      "geometric_(input: Tensor, p: float, *, generator: Generator? = None)",
      [](Args& a) {
        geometric_(a.tensor(0), a.real(1), a.generator(2));
        return filled(a);
      },
      method_only);
}

void bind_random_fill(Module& m) {
  m.def(
      "random_(input: Tensor, *, generator: Generator? = None)",
      [](Args& a) {
        random_(a.tensor(0), a.generator(1));
        return filled(a);
      },
      method_only);
  m.def(
      "random_(input: Tensor, from: int, to: int?, *, generator: Generator? = None)",
      [](Args& a) {
        if (a.given(2))
          random_(a.tensor(0), a.integer(1), a.integer(2), a.generator(3));
        else
          random_from_(a.tensor(0), a.integer(1), a.generator(3));
        return filled(a);
      },
      method_only);
  m.def(
      "random_(input: Tensor, to: int, *, generator: Generator? = None)",
      [](Args& a) {
        random_(a.tensor(0), 0, a.integer(1), a.generator(2));
        return filled(a);
      },
      method_only);
}

const Binding binding{[](Module& m) {
  m.def("_trunc_normal_(input: Tensor, mean: float, std: float, a: float, b: float, generator: Generator?)",
        [](Args& a) {
          nn::init::trunc_normal_(a.tensor(0), a.real(1), a.real(2), a.real(3), a.real(4), a.generator(5));
          return Py_NewRef(a.object(0));
        });
  def_drawn<uniform>(m, "rand");
  def_drawn<gaussian>(m, "randn");
  bind_whole_numbers(m);
  bind_distributions(m);
  bind_fills(m);
  bind_random_fill(m);
}};

}  // namespace

}  // namespace hearth::python
