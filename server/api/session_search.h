// Session search: what `POST sessions/search` answers.
#pragma once

#include "server/http/request.h"
#include "server/http/respond.h"

namespace hearth::server {

class Store;

/// Newest first: {"sessions": [...], "next_cursor"?}. Conditions are {"session_id", "display_name"} (either one),
/// "statuses", "project_ids" (any of each) and "user_metadata" (all of it). Raises ValueError for what it cannot
/// honour.
void search_sessions(Store& store, const Request& request, const Respond& respond);

}  // namespace hearth::server
