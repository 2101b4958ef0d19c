// Steps of SGD and Adam over a whole parameter group: Python's dicts in, one fused update out.
#include "hearth/ops/optim_step.h"

#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace {

/// Keys of the dicts, made once: a look-up compares pointers.
struct Keys {
  PyObject *params, *lr, *betas, *eps, *weight_decay, *amsgrad, *maximize, *decoupled, *capturable, *differentiable;
  PyObject *momentum, *dampening, *nesterov, *step, *exp_avg, *exp_avg_sq, *max_exp_avg_sq, *momentum_buffer;
};
Keys keys{};

PyObject* get(PyObject* dict, PyObject* key) {
  PyObject* value = PyDict_GetItemWithError(dict, key);
  if (!value && PyErr_Occurred()) throw_python();
  return value;
}

/// A setting that must be there. Raises KeyError.
PyObject* need(PyObject* group, PyObject* key) {
  PyObject* value = get(group, key);
  if (!value) {
    PyErr_SetObject(PyExc_KeyError, key);
    throw_python();
  }
  return value;
}

double real(PyObject* value) {
  if (PyFloat_CheckExact(value)) return PyFloat_AS_DOUBLE(value);
  const Scalar number = scalar_from(value, "optimizer");
  return number.to_double();
}

bool flag(PyObject* group, PyObject* key) {
  PyObject* value = get(group, key);
  if (!value || value == Py_False || value == Py_None) return false;
  const int on = PyObject_IsTrue(value);
  if (on < 0) throw_python();
  return on != 0;
}

/// Whether the fused kernels take this pair as it is; anything else is left to the composed update in Python.
bool is_plain(const Tensor& param, const Tensor& grad) {
  return grad.dtype() == param.dtype() && is_floating(param.dtype()) && param.device().type == DeviceType::cpu &&
         grad.device().type == DeviceType::cpu && param.is_contiguous() && grad.shape() == param.shape();
}

bool is_state(PyObject* object, const Tensor& param) {
  if (!object || !is_tensor(object)) return false;
  const Tensor& state = unwrap(object);
  const Dtype expected = param.dtype() == Dtype::float64 ? Dtype::float64 : Dtype::float32;
  return state.dtype() == expected && state.shape() == param.shape() && state.is_contiguous() &&
         state.device().type == DeviceType::cpu;
}

/// The parameters of a group, as a list that nobody can change meanwhile.
Owned parameters(PyObject* group) {
  PyObject* list = need(group, keys.params);
  return Owned(checked(PySequence_Fast(list, "optimizer: params must be a list")));
}

bool is_special(PyObject* group) { return flag(group, keys.differentiable) || flag(group, keys.capturable); }

AdamSettings adam_settings(PyObject* group) {
  const Owned betas(checked(PySequence_Fast(need(group, keys.betas), "optimizer: betas must be a pair")));
  if (PySequence_Fast_GET_SIZE(betas.get()) != 2) fail_type("optimizer: betas must be a pair");
  AdamSettings s;
  s.lr = real(need(group, keys.lr));
  s.beta1 = real(PySequence_Fast_GET_ITEM(betas.get(), 0));
  s.beta2 = real(PySequence_Fast_GET_ITEM(betas.get(), 1));
  s.eps = real(need(group, keys.eps));
  s.weight_decay = real(need(group, keys.weight_decay));
  s.amsgrad = flag(group, keys.amsgrad);
  s.maximize = flag(group, keys.maximize);
  s.decoupled = flag(group, keys.decoupled);
  return s;
}

/// Runs f without the interpreter's lock when there is much to do.
template <class Items, class F>
void without_lock(const Items& items, F f) {
  int64_t elements = 0;
  for (const auto& item : items) elements += item.param.numel();
  if (elements < 100000) return f();
  const nanobind::gil_scoped_release release;
  f();
}

/// One item of Adam, its step not counted yet; false where the state is missing or of another kind.
bool adam_item(PyObject* states, PyObject* object, bool amsgrad, AdamItem& item, Tensor& step) {
  const Tensor& param = unwrap(object);
  PyObject* state = get(states, object);
  if (!state || !PyDict_Check(state) || !is_plain(param, item.grad)) return false;
  PyObject* count = get(state, keys.step);
  if (!count || !is_tensor(count) || unwrap(count).dtype() != Dtype::float32 || unwrap(count).numel() != 1)
    return false;
  PyObject* average = get(state, keys.exp_avg);
  PyObject* squares = get(state, keys.exp_avg_sq);
  if (!is_state(average, param) || !is_state(squares, param)) return false;
  if (amsgrad) {
    PyObject* largest = get(state, keys.max_exp_avg_sq);
    if (!is_state(largest, param)) return false;
    item.max_exp_avg_sq = unwrap(largest);
  }
  step = unwrap(count);
  item.param = param;
  item.exp_avg = unwrap(average);
  item.exp_avg_sq = unwrap(squares);
  item.step = int64_t(*step.data<float>()) + 1;
  return true;
}

/// Adam or AdamW on one group. False, and nothing done, when something is not of the plain kind.
bool adam_group(PyObject* states, PyObject* group) {
  if (is_special(group)) return false;
  const AdamSettings settings = adam_settings(group);
  const Owned list = parameters(group);
  std::vector<AdamItem> items;
  TensorList steps;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    PyObject* object = PySequence_Fast_GET_ITEM(list.get(), i);
    if (!is_tensor(object)) return false;
    AdamItem item;
    item.grad = unwrap(object).grad();
    if (!item.grad.defined()) continue;
    Tensor step;
    if (!adam_item(states, object, settings.amsgrad, item, step)) return false;
    items.push_back(std::move(item));
    steps.push_back(std::move(step));
  }
  if (items.empty()) return true;
  without_lock(items, [&] { adam_step(items, settings); });
  for (size_t i = 0; i < items.size(); ++i) {
    *steps[i].data<float>() += 1;
    items[i].exp_avg.bump_version();
    items[i].exp_avg_sq.bump_version();
    steps[i].bump_version();
  }
  return true;
}

/// SGD on one group. False, and nothing done, when something is not of the plain kind.
bool sgd_group(PyObject* states, PyObject* group) {
  if (is_special(group)) return false;
  SgdSettings s;
  s.lr = real(need(group, keys.lr));
  s.momentum = real(need(group, keys.momentum));
  s.dampening = real(need(group, keys.dampening));
  s.weight_decay = real(need(group, keys.weight_decay));
  s.nesterov = flag(group, keys.nesterov);
  s.maximize = flag(group, keys.maximize);
  const Owned list = parameters(group);
  std::vector<SgdItem> items;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    PyObject* object = PySequence_Fast_GET_ITEM(list.get(), i);
    if (!is_tensor(object)) return false;
    SgdItem item;
    item.param = unwrap(object);
    item.grad = item.param.grad();
    if (!item.grad.defined()) continue;
    if (!is_plain(item.param, item.grad)) return false;
    if (s.momentum != 0) {
      PyObject* state = get(states, object);
      PyObject* buffer = state && PyDict_Check(state) ? get(state, keys.momentum_buffer) : nullptr;
      if (!is_state(buffer, item.param)) return false;
      item.buffer = unwrap(buffer);
    }
    items.push_back(std::move(item));
  }
  if (items.empty()) return true;
  without_lock(items, [&] { sgd_step(items, s); });
  for (const SgdItem& item : items)
    if (item.buffer.defined()) item.buffer.bump_version();
  return true;
}

template <bool (*Step)(PyObject*, PyObject*)>
PyObject* step_group(PyObject*, PyObject* args) {
  PyObject *states = nullptr, *group = nullptr;
  if (!PyArg_ParseTuple(args, "O!O!", &PyDict_Type, &states, &PyDict_Type, &group)) return nullptr;
  return guarded([&] { return PyBool_FromLong(Step(states, group)); });
}

PyMethodDef functions[] = {
    {"_adam_group", step_group<adam_group>, METH_VARARGS, "Adam on one group; False when it is left to Python."},
    {"_sgd_group", step_group<sgd_group>, METH_VARARGS, "SGD on one group; False when it is left to Python."},
    {nullptr, nullptr, 0, nullptr}};

const Binding binding{[](Module& m) {
  const auto intern = [](const char* text) { return checked(PyUnicode_InternFromString(text)); };
  keys = {intern("params"),         intern("lr"),
          intern("betas"),          intern("eps"),
          intern("weight_decay"),   intern("amsgrad"),
          intern("maximize"),       intern("decoupled_weight_decay"),
          intern("capturable"),     intern("differentiable"),
          intern("momentum"),       intern("dampening"),
          intern("nesterov"),       intern("step"),
          intern("exp_avg"),        intern("exp_avg_sq"),
          intern("max_exp_avg_sq"), intern("momentum_buffer")};
  if (PyModule_AddFunctions(m.object(), functions) < 0) throw_python();
}};

}  // namespace

}  // namespace hearth::python
