// Percent-encoding of request targets.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace hearth::server {

/// `%41b` -> `Ab`. False for a broken escape, and for what is not UTF-8 or holds control characters.
bool percent_decode(std::string_view text, std::string* out, bool plus_is_space = false);

/// `a=1&b=x%20y` -> map; of a name that comes twice the last value. False for what percent_decode refuses.
bool parse_query(std::string_view text, std::map<std::string, std::string>* out);

}  // namespace hearth::server
