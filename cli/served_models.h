// Which models a server serves, as the command line names them.
#pragma once

#include <string>
#include <vector>

#include "server/engine/options.h"

namespace hearth::cli {

/// "NAME=FOLDER", or a folder that is its own name; none at all: the model that comes with hearth. Raises ValueError,
/// IoError for a folder that is not there.
std::vector<server::ServedModel> served_models(const std::vector<std::string>& texts);

}  // namespace hearth::cli
