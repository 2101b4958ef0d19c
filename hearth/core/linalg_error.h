// LinAlgError: a matrix that has no such decomposition, inverse or solution, though its shape and dtype allow one.
#pragma once

#include "hearth/core/error.h"

namespace hearth {

class LinAlgError : public ValueError {
 public:
  using ValueError::ValueError;
};

}  // namespace hearth
