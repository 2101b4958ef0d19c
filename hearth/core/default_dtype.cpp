// The default floating type, one for the process.
#include "hearth/core/default_dtype.h"

#include <atomic>

#include "hearth/core/error.h"

namespace hearth {

namespace {
std::atomic<Dtype> current{Dtype::float32};
}

Dtype default_dtype() { return current.load(std::memory_order_relaxed); }

void set_default_dtype(Dtype dtype) {
  check<DtypeError>(is_floating(dtype), "set_default_dtype: a floating type is needed: got ", dtype);
  current.store(dtype, std::memory_order_relaxed);
}

}  // namespace hearth
