// How many files and connections this process may have open.
#pragma once

#include <cstddef>

namespace hearth::server {

/// Raises the limit as far as the system lets a process do it by itself, and returns what it is then.
std::size_t raise_open_files();

}  // namespace hearth::server
