// Resizing, padding and one-hot rows: hearth/ops/pool.h, hearth/ops/concat.h.
#include "hearth/ops/concat.h"
#include "hearth/ops/pool.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

Resize resize_mode(const std::string& name) {
  if (name == "nearest") return Resize::nearest;
  if (name == "nearest-exact") return Resize::nearest_exact;
  if (name == "linear" || name == "bilinear" || name == "trilinear") return Resize::linear;
  if (name == "bicubic") return Resize::cubic;
  if (name == "lanczos") return Resize::lanczos;
  check<ValueError>(name == "area", "interpolate: mode not known: ", name);
  return Resize::area;
}

PadMode pad_mode(const std::string& name) {
  if (name == "constant") return PadMode::constant;
  if (name == "reflect") return PadMode::reflect;
  if (name == "replicate") return PadMode::replicate;
  check<ValueError>(name == "circular", "pad: mode not known: ", name);
  return PadMode::circular;
}

const Binding binding{[](Module& m) {
  m.def("_nn_resize(input: Tensor, size: ints, scale, mode: str, align_corners: bool, antialias: bool)", [](Args& a) {
    std::vector<std::optional<double>> factors;
    if (a.given(2))
      for (double f : a.reals(2)) factors.push_back(f > 0 ? std::optional<double>(f) : std::nullopt);
    return resize(a.tensor(0), a.ints(1), factors, resize_mode(a.text(3)),
                  {.align_corners = a.flag(4), .antialias = a.flag(5)});
  });
  m.def("_nn_pad(input: Tensor, pad: ints, mode: str, value: Number)",
        [](Args& a) { return pad(a.tensor(0), a.ints(1), pad_mode(a.text(2)), a.number(3)); });
  m.def("constant_pad_nd(input: Tensor, pad: ints, value: Number = 0)",
        [](Args& a) { return pad(a.tensor(0), a.ints(1), PadMode::constant, a.number(2)); });
  m.def("_nn_one_hot(tensor: Tensor, num_classes: int = -1)",
        [](Args& a) { return one_hot(a.tensor(0), a.integer(1)); });
}};

}  // namespace

}  // namespace hearth::python
