// torch.Generator: a random stream of its own, with PyTorch's methods.
#include "python/src/generator.h"

#include <nanobind/nanobind.h>

#include <random>

#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/objects.h"

namespace hearth::python {

namespace nb = nanobind;

namespace {

struct GeneratorObject {
  explicit GeneratorObject(Generator* shared) : generator(shared) {}
  GeneratorObject() : own(new Generator), generator(own.get()) {}
  std::unique_ptr<Generator> own;
  Generator* generator;
};

uint64_t seed_from(const nb::object& seed) {
  // Negative seeds wrap round as in PyTorch.
  const Owned index(checked(PyNumber_Index(seed.ptr())));
  int overflow = 0;
  const long long value = PyLong_AsLongLongAndOverflow(index.get(), &overflow);
  if (overflow == 0) return uint64_t(value);
  const unsigned long long large = PyLong_AsUnsignedLongLong(index.get());
  if (PyErr_Occurred()) {
    PyErr_Clear();
    PyErr_Format(PyExc_RuntimeError, "manual_seed: a seed of 64 bits is needed: got %R", seed.ptr());
    throw_python();
  }
  return large;
}

const Binding binding{[](Module& m) {
  nb::class_<GeneratorObject>(m.nanobind(), "Generator", "A stream of random numbers (mt19937).")
      .def(
          "__init__",
          [](GeneratorObject* self, const nb::object& device) {
            if (!device.is_none()) {
              const Device d = device_from(device.ptr(), "Generator");
              check<DeviceError>(d.type == DeviceType::cpu, "Generator: only the CPU has one: got ", d);
            }
            new (self) GeneratorObject;
          },
          nb::arg("device") = nb::none())
      .def("manual_seed",
           [](nb::object self, const nb::object& seed) {
             nb::cast<GeneratorObject&>(self).generator->manual_seed(seed_from(seed));
             return self;
           })
      .def("initial_seed", [](GeneratorObject& g) { return g.generator->initial_seed(); })
      .def("seed",
           [](GeneratorObject& g) {
             std::random_device device;
             const uint64_t seed = (uint64_t(device()) << 32 | device()) >> 1;
             g.generator->manual_seed(seed);
             return seed;
           })
      .def("_state",
           [](GeneratorObject& g) {
             const auto state = g.generator->state();
             return nb::bytes(state.data(), state.size());
           })
      .def("_set_state",
           [](GeneratorObject& g, nb::bytes state) {
             g.generator->set_state({static_cast<const uint8_t*>(state.data()), state.size()});
           })
      .def("_random64", [](GeneratorObject& g) { return g.generator->random64(); })
      .def_prop_ro("device", [](GeneratorObject&) { return nb::steal(device_object({})); });
  m.nanobind().attr("default_generator") = nb::cast(GeneratorObject(&default_generator()), nb::rv_policy::move);
}};

}  // namespace

Generator* generator_from(PyObject* object, const char* op) {
  GeneratorObject* generator = nullptr;
  if (!nb::try_cast(nb::handle(object), generator) || !generator)
    fail_type("%s: a Generator is needed: got %s", op, Py_TYPE(object)->tp_name);
  return generator->generator;
}

}  // namespace hearth::python
