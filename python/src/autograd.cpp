// Autograd for Python: backward, grad, grad mode, and the nodes of the graph.
#include "python/src/autograd.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include "hearth/autograd/engine.h"
#include "hearth/core/grad_mode.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/python_node.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace nb = nanobind;

namespace {

/// What Python sees of a node; two objects of one node are equal.
struct NodeObject {
  Ref<Node> node;
};

nb::object object_of(PyObject* reference) { return nb::steal(checked(reference)); }

/// "add" is shown as "AddBackward0", as PyTorch names its nodes.
std::string shown_name(const Node& node) {
  std::string name;
  bool upper = true;
  for (const char* c = node.name(); *c; ++c) {
    if (*c == '_' || *c == ' ' || *c == '.') {
      upper = true;
      continue;
    }
    name += upper ? char(std::toupper(static_cast<unsigned char>(*c))) : *c;
    upper = false;
  }
  return name.ends_with("Backward") ? name : name + "Backward0";
}

/// The end of the graph at a leaf: what PyTorch calls AccumulateGrad.
struct LeafNode {
  Tensor leaf;
};

nb::object edge_object(const Edge& edge) {
  if (edge.node) return nb::cast(NodeObject{edge.node});
  if (edge.leaf) return nb::cast(LeafNode{Tensor(edge.leaf)});
  return nb::none();
}

const Binding binding{[](Module& m) {
  nb::class_<NodeObject>(m.nanobind(), "Node", "A step of the graph that backward walks.", nb::is_weak_referenceable(),
                         nb::dynamic_attr())
      .def("name", [](NodeObject& n) { return shown_name(*n.node); })
      .def("__repr__", [](NodeObject& n) { return "<" + shown_name(*n.node) + " object>"; })
      .def("__eq__",
           [](NodeObject& n, nb::object other) {
             NodeObject* o = nullptr;
             return nb::try_cast(other, o) && o && o->node == n.node;
           })
      .def("__hash__", [](NodeObject& n) { return Py_hash_t(reinterpret_cast<uintptr_t>(n.node.get()) >> 4); })
      .def_prop_ro("_context",
                   [](NodeObject& n) -> nb::object {
                     auto* python = dynamic_cast<PythonNode*>(n.node.get());
                     return python ? nb::borrow(python->context()) : nb::none();
                   })
      .def("_sequence_nr", [](NodeObject& n) { return n.node->sequence(); })
      .def_prop_ro("next_functions", [](NodeObject& n) {
        nb::list list;
        for (const Edge& edge : n.node->inputs) list.append(nb::make_tuple(edge_object(edge), edge.index));
        return nb::tuple(list);
      });
  nb::class_<LeafNode>(m.nanobind(), "AccumulateGrad", "Where backward adds to a leaf's grad.", nb::dynamic_attr())
      .def("name", [](LeafNode&) { return "AccumulateGrad"; })
      .def("__repr__", [](LeafNode&) { return "<AccumulateGrad object>"; })
      .def("__eq__",
           [](LeafNode& n, nb::object other) {
             LeafNode* o = nullptr;
             return nb::try_cast(other, o) && o && o->leaf.is_same(n.leaf);
           })
      .def("__hash__", [](LeafNode& n) { return Py_hash_t(reinterpret_cast<uintptr_t>(n.leaf.impl()) >> 4); })
      .def_prop_ro("next_functions", [](LeafNode&) { return nb::make_tuple(); })
      .def_prop_ro("variable", [](LeafNode& n) { return object_of(wrap(n.leaf)); });

  m.def("is_grad_enabled()", [](Args&) { return grad_enabled(); });
  m.def("_set_grad_enabled(mode: bool)", [](Args& a) {
    set_grad_enabled(a.flag(0));
    return Py_NewRef(Py_None);
  });
  m.def("_backward(tensors, grads, retain_graph: bool, create_graph: bool)", [](Args& a) {
    backward(a.tensors(0), a.tensors(1), {a.flag(2), a.flag(3)});
    return Py_NewRef(Py_None);
  });
  m.def("_grad(outputs, inputs, grads, retain_graph: bool, create_graph: bool, allow_unused: bool)", [](Args& a) {
    return grad(a.tensors(0), a.tensors(1), a.tensors(2), {a.flag(3), a.flag(4)}, a.flag(5));
  });
  m.def(
      "requires_grad_(input: Tensor, requires_grad: bool = True)",
      [](Args& a) {
        a.tensor(0).set_requires_grad(a.flag(1));
        return Py_NewRef(a.object(0));
      },
      method_only);
  m.def(
      "detach(input: Tensor)", [](Args& a) { return a.tensor(0).detach(); }, method);
  m.def(
      "detach_(input: Tensor)",
      [](Args& a) {
        const Tensor& x = a.tensor(0);
        if (auto& meta = x.impl()->meta) {
          check<ValueError>(!meta->view, "detach_: a view cannot be detached in place; use detach()");
          meta->grad_fn = nullptr;
          meta->requires_grad = false;
        }
        return Py_NewRef(a.object(0));
      },
      method);
  m.def(
      "retain_grad(input: Tensor)",
      [](Args& a) {
        a.tensor(0).retain_grad();
        return Py_NewRef(Py_None);
      },
      method_only);
}};

}  // namespace

Ref<Node> node_from(PyObject* object) {
  NodeObject* node = nullptr;
  if (!nb::try_cast(nb::handle(object), node) || !node)
    fail_type("node: a node of the graph is needed: got %s", Py_TYPE(object)->tp_name);
  return node->node;
}

PyObject* node_object(const Ref<Node>& node) {
  if (!node) Py_RETURN_NONE;
  return nb::cast(NodeObject{node}).release().ptr();
}

}  // namespace hearth::python
