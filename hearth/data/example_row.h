// Example row: one JSON object to one Example, with what it did not use.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "hearth/data/examples.h"

namespace hearth {

/// The kind that the keys of a row say. Raises ValueError `WHERE: ...` that lists the forms when it is none of them.
ExampleKind detect_kind(const boost::json::object& row, const std::string& where);

/// Reads a row of the given kind; appends the keys that it did not use to `unused` (a message's as "messages[].key").
/// Raises ValueError `WHERE: KEY: ...` for a missing key or one of the wrong kind. `where` is "data.jsonl:17".
Example read_row(const boost::json::value& row, ExampleKind kind, const std::string& where,
                 std::vector<std::string>& unused);

}  // namespace hearth
