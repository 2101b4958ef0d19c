// A client's text as it may stand in a message: in quotes, short, without control characters.
#pragma once

#include <string>
#include <string_view>

namespace hearth::server {

/// Example: shown("a\nb") is "\"a\\x0ab\"". Bytes that are no UTF-8 are escaped; more than 80 bytes are cut.
std::string shown(std::string_view text);

}  // namespace hearth::server
