// Percent-encoding of request targets.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>

namespace hearth::server {

/// Length of the UTF-8 character that begins at `at` (which is in the text), 0 where none does.
std::size_t utf8_length(std::string_view text, std::size_t at);

/// `%41b` -> `Ab`. False for a broken escape, and for what is not UTF-8 or holds control characters.
bool percent_decode(std::string_view text, std::string* out, bool plus_is_space = false);

/// `a=1&b=x%20y` -> map; of a name that comes twice the last value. False for what percent_decode refuses.
bool parse_query(std::string_view text, std::map<std::string, std::string>* out);

}  // namespace hearth::server
