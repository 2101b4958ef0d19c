// Threads: the interpreter's lock is free while kernels run, and Ctrl-C stops a backward between two steps.
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/long_work.h"
#include "python/src/binding.h"
#include "python/src/errors.h"

namespace hearth::python {

namespace {

void* let_go() { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; }
void take_back(void* state) { PyEval_RestoreThread(static_cast<PyThreadState*>(state)); }
void check_signals() {
  if (PyGILState_Check() && PyErr_CheckSignals() < 0) throw_python();
}

const Binding binding{[](Module& m) {
  set_long_work_hooks({let_go, take_back, check_signals});
  m.def("get_num_threads()", [](Args&) { return int64_t(cpu::num_threads()); });
  m.def("set_num_threads(threads: int)", [](Args& a) {
    const int64_t count = a.integer(0);
    check<ValueError>(count >= 1 && count <= 1024, "set_num_threads: expects a positive integer up to 1024: got ",
                      count);
    cpu::set_num_threads(int(count));
    return Py_NewRef(Py_None);
  });
}};

}  // namespace

}  // namespace hearth::python
