// Run JSON: training runs and checkpoints as clients read them.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>
#include <vector>

#include "server/http/request.h"
#include "server/store/records.h"

namespace hearth::server {

class Tables;

/// "tinker://RUN/weights/NAME"
std::string tinker_path(const CheckpointRecord& checkpoint);

/// One checkpoint of a listing.
boost::json::value checkpoint_json(const CheckpointRecord& checkpoint);

/// One training run, with its newest checkpoints.
boost::json::value run_json(Tables& tables, const ModelRecord& model);

/// What of `all` this client is shown: nothing that has expired, and external weights only to SDKs that know the word
/// (0.28 and later).
std::vector<CheckpointRecord> shown_checkpoints(std::vector<CheckpointRecord> all, const Request& request);

/// {"offset", "limit", "total_count"}
boost::json::value cursor_json(int64_t offset, int64_t limit, int64_t total);

/// A JSON object as an object of strings: other values as their JSON text. Null where it is empty.
boost::json::value string_metadata(const std::string& text);

}  // namespace hearth::server
