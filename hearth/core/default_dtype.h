// The dtype that plain floating numbers become where no tensor decides; float32 unless a program sets another.
#pragma once

#include "hearth/core/dtype.h"

namespace hearth {

Dtype default_dtype();
/// Raises DtypeError unless `dtype` is floating. Example: set_default_dtype(Dtype::float64);
void set_default_dtype(Dtype dtype);

}  // namespace hearth
