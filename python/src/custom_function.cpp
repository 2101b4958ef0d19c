// autograd.Function: nodes that run Python code, tensors saved for them, and hooks on tensors and nodes.
#include <nanobind/nanobind.h>

#include "python/src/autograd.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/python_node.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace nb = nanobind;

namespace {

/// A tensor that a custom function keeps, with the check that nobody wrote into it since.
struct SavedTensor {
  Saved saved;
};

TensorList tensors_in(PyObject* sequence) {
  PyObject* values[] = {sequence};
  return Args("Function", values).tensors(0);
}

PyObject* none() { return Py_NewRef(Py_None); }

/// Gives `outputs` a node (undefined ones are not differentiable). Those that were written in place change their
/// history; an output that is an input was replaced by an alias before.
void attach(const Ref<Node>& node, const TensorList& inputs, const TensorList& outputs) {
  for (const Tensor& input : inputs) node->inputs.push_back(gradient_edge(input));
  uint32_t index = 0;
  for (const Tensor& output : outputs) {
    node->outputs.push_back(output.defined() ? OutputInfo{output.shape(), output.dtype(), output.device()}
                                             : OutputInfo{});
    if (output.defined()) {
      AutogradMeta& meta = output.impl()->autograd();
      meta.grad_fn = node;
      meta.output_index = index;
      meta.requires_grad = false;
      ++meta.history;
    }
    ++index;
  }
}

Tensor tensor_or_none(PyObject* object, const char* op) {
  if (object == Py_None) return {};
  if (!is_tensor(object)) fail_type("%s: a Tensor or None must be returned: got %s", op, Py_TYPE(object)->tp_name);
  return unwrap(object);
}

/// What runs a Python hook on one gradient.
std::function<Tensor(const Tensor&)> tensor_hook(PyObject* hook) {
  return [kept = std::make_shared<Kept>(hook)](const Tensor& gradient) {
    const HoldGil gil;
    const Owned passed(checked(wrap(gradient)));
    const Owned result(checked(PyObject_CallOneArg(kept->get(), passed.get())));
    return tensor_or_none(result.get(), "hook");
  };
}

std::shared_ptr<SavedHooks> saved_hooks(PyObject* pack, PyObject* unpack) {
  auto hooks = std::make_shared<SavedHooks>();
  hooks->pack = [kept = std::make_shared<Kept>(pack)](const Tensor& tensor) -> std::shared_ptr<void> {
    const HoldGil gil;
    const Owned passed(checked(wrap(tensor)));
    const Owned packed(checked(PyObject_CallOneArg(kept->get(), passed.get())));
    return std::make_shared<Kept>(packed.get());
  };
  hooks->unpack = [kept = std::make_shared<Kept>(unpack)](const std::shared_ptr<void>& packed) {
    const HoldGil gil;
    const Owned result(checked(PyObject_CallOneArg(kept->get(), static_cast<Kept*>(packed.get())->get())));
    return tensor_or_none(result.get(), "unpack hook");
  };
  return hooks;
}

std::string python_stack() {
  if (!PyGILState_Check()) return "";
  const Owned module(PyImport_ImportModule("traceback"));
  const Owned list(module ? PyObject_CallMethod(module.get(), "format_stack", nullptr) : nullptr);
  const Owned empty(PyUnicode_FromString(""));
  const Owned text(list && empty ? PyUnicode_Join(empty.get(), list.get()) : nullptr);
  if (!text) {
    PyErr_Clear();
    return "";
  }
  return PyUnicode_AsUTF8(text.get());
}

void bind_saved(Module& m) {
  nb::class_<SavedTensor>(m.nanobind(), "_SavedTensor", "A tensor kept for backward.");
  m.def("_save_tensor(tensor: Tensor, is_output: bool, index: int)", [](Args& a) {
    return nb::cast(SavedTensor{Saved(a.tensor(0), a.flag(1), uint32_t(a.integer(2)))}).release().ptr();
  });
  m.def("_unpack_saved(saved, node)", [](Args& a) {
    const TensorList nothing;
    const Ref<Node> node = node_from(a.object(1));
    return nb::cast<SavedTensor&>(nb::handle(a.object(0))).saved.get(GradContext{nothing, *node});
  });
  m.def("_push_saved_hooks(pack, unpack)", [](Args& a) {
    push_saved_hooks(saved_hooks(a.object(0), a.object(1)));
    return none();
  });
  m.def("_pop_saved_hooks()", [](Args&) {
    pop_saved_hooks();
    return none();
  });
  m.def("_set_anomaly_mode(enabled: bool)", [](Args& a) {
    set_anomaly_mode(a.flag(0) ? python_stack : nullptr);
    return none();
  });
}

void bind_hooks(Module& m) {
  m.def("_register_hook(input: Tensor, hook)",
        [](Args& a) { return a.tensor(0).register_hook(tensor_hook(a.object(1))); });
  m.def("_remove_hook(input: Tensor, id: int)", [](Args& a) {
    a.tensor(0).remove_hook(a.integer(1));
    return none();
  });
  m.def("_register_accumulate_hook(input: Tensor, hook, id: int)", [](Args& a) {
    a.tensor(0).impl()->autograd().accumulate_hooks.emplace_back(
        a.integer(2), [kept = std::make_shared<Kept>(a.object(1))](const Tensor& leaf) {
          const HoldGil gil;
          const Owned passed(checked(wrap(leaf)));
          const Owned done(checked(PyObject_CallOneArg(kept->get(), passed.get())));
        });
    return none();
  });
  m.def("_remove_accumulate_hook(input: Tensor, id: int)", [](Args& a) {
    std::erase_if(a.tensor(0).impl()->autograd().accumulate_hooks,
                  [&](const auto& h) { return h.first == a.integer(1); });
    return none();
  });
  m.def("_register_node_hook(node, hook, id: int)", [](Args& a) {
    node_from(a.object(0))
        ->make_hooks()
        .after.emplace_back(a.integer(2), [kept = std::make_shared<Kept>(a.object(1))](Grads& inputs,
                                                                                       const TensorList& outputs) {
          const HoldGil gil;
          const Owned first(checked(to_python(inputs))), second(checked(to_python(outputs)));
          const Owned result(checked(PyObject_CallFunctionObjArgs(kept->get(), first.get(), second.get(), nullptr)));
          if (result.get() == Py_None) return;
          const Owned listed(is_tensor(result.get()) ? checked(PyTuple_Pack(1, result.get()))
                                                     : Py_NewRef(result.get()));
          const TensorList changed = tensors_in(listed.get());
          check<ValueError>(changed.size() == inputs.size(), "node hook: ", inputs.size(),
                            " gradients are needed, got ", changed.size());
          inputs = changed;
        });
    return none();
  });
  m.def("_register_node_prehook(node, hook, id: int)", [](Args& a) {
    node_from(a.object(0))
        ->make_hooks()
        .before.emplace_back(a.integer(2), [kept = std::make_shared<Kept>(a.object(1))](TensorList& outputs) {
          const HoldGil gil;
          const Owned passed(checked(to_python(outputs)));
          const Owned result(checked(PyObject_CallOneArg(kept->get(), passed.get())));
          if (result.get() == Py_None) return;
          const Owned listed(is_tensor(result.get()) ? checked(PyTuple_Pack(1, result.get()))
                                                     : Py_NewRef(result.get()));
          const TensorList changed = tensors_in(listed.get());
          check<ValueError>(changed.size() == outputs.size(), "node prehook: ", outputs.size(),
                            " gradients are needed, got ", changed.size());
          outputs = changed;
        });
    return none();
  });
  m.def("_remove_node_hook(node, id: int)", [](Args& a) {
    NodeHooks& hooks = node_from(a.object(0))->make_hooks();
    const auto same = [&](const auto& h) { return h.first == a.integer(1); };
    std::erase_if(hooks.before, same);
    std::erase_if(hooks.after, same);
    return none();
  });
}

const Binding binding{[](Module& m) {
  bind_saved(m);
  bind_hooks(m);
  m.def("_attach_function(name: str, context, inputs, outputs)", [](Args& a) {
    const Ref<Node> node(new PythonNode(a.text(0), a.object(1)));
    attach(node, tensors_in(a.object(2)), tensors_in(a.object(3)));
    return none();
  });
  m.def("_bump_version(tensor: Tensor)", [](Args& a) {
    a.tensor(0).bump_version();
    return none();
  });
}};

}  // namespace

}  // namespace hearth::python
