// hearth._C: the extension module; types first, then what every file binds.
#include "python/src/module.h"

#include <nanobind/nanobind.h>

#include "python/src/autocast.h"
#include "python/src/errors.h"
#include "python/src/function.h"
#include "python/src/objects.h"
#include "python/src/override.h"
#include "python/src/tensor_object.h"

NB_MODULE(_C, m) {
  using namespace hearth::python;
  // The interpreter frees what is left at its end; a list of it would only alarm.
  nanobind::set_leak_warnings(false);
  make_error_types(m.ptr());
  make_object_types(m.ptr());
  make_tensor_type(m.ptr());
  make_function_type(m.ptr());
  add_override_functions(m.ptr());
  add_autocast_functions(m.ptr());
  run_bindings(m.ptr());
}
