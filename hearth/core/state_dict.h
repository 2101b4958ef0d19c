// Tensors by name: what modules, optimizers and checkpoints exchange.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hearth/core/tensor.h"

namespace hearth {

/// Names with their tensors, in an order that means something (of registration, say).
using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// A whole state: every tensor by its name.
using StateDict = std::map<std::string, Tensor>;

}  // namespace hearth
