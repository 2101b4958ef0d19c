// Which Python class each kind of error becomes: its own, which is also the one that PyTorch raises.
#include "python/src/errors.h"

#include <nanobind/nanobind.h>

#include <cstdarg>
#include <new>

#include "hearth/core/error.h"
#include "hearth/core/linalg_error.h"

namespace hearth::python {

namespace {

PyObject* classes[8];
PyObject* linalg_class;

PyObject* make_class(PyObject* module, const char* name, const char* doc, PyObject* first, PyObject* second) {
  const Owned bases(second ? PyTuple_Pack(2, first, second) : PyTuple_Pack(1, first));
  const std::string full = std::string("hearth.") + name;
  PyObject* made = checked(PyErr_NewExceptionWithDoc(full.c_str(), doc, bases.get(), nullptr));
  if (PyModule_AddObjectRef(module, name, made) < 0) throw_python();
  return made;
}

}  // namespace

void throw_python() { throw nanobind::python_error(); }

void fail_type(const char* format, ...) {
  va_list list;
  va_start(list, format);
  PyErr_FormatV(PyExc_TypeError, format, list);
  va_end(list);
  throw_python();
}

void set_python_error() noexcept {
  try {
    throw;
  } catch (nanobind::python_error& error) {
    error.restore();
  } catch (const LinAlgError& error) {
    PyErr_SetString(linalg_class, error.what());
  } catch (const Error& error) {
    PyErr_SetString(classes[size_t(error.kind())], error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
}

void make_error_types(PyObject* module) {
  const auto put = [&](ErrorKind kind, const char* name, const char* doc, PyObject* a, PyObject* b = nullptr) {
    classes[size_t(kind)] = make_class(module, name, doc, a, b);
  };
  put(ErrorKind::Shape, "ShapeError", "Sizes that do not fit.", PyExc_RuntimeError);
  put(ErrorKind::Dtype, "DtypeError", "An element type that an op does not take.", PyExc_RuntimeError, PyExc_TypeError);
  put(ErrorKind::Device, "DeviceError", "A device that is not there or does not fit.", PyExc_RuntimeError);
  put(ErrorKind::Index, "IndexError", "A dimension or element that is not there.", PyExc_IndexError,
      PyExc_RuntimeError);
  put(ErrorKind::Value, "ValueError", "A value that an op does not take.", PyExc_RuntimeError, PyExc_ValueError);
  put(ErrorKind::Io, "IoError", "A file that cannot be read or written.", PyExc_OSError, PyExc_RuntimeError);
  put(ErrorKind::OutOfMemory, "OutOfMemoryError", "Memory that could not be had.", PyExc_RuntimeError);
  put(ErrorKind::NotImplemented, "NotImplementedError", "Something that hearth does not do.",
      PyExc_NotImplementedError);
  linalg_class = make_class(module, "_LinAlgError", "A matrix that has no such decomposition, inverse or solution.",
                            PyExc_RuntimeError, nullptr);
}

}  // namespace hearth::python
