// Session search: the sessions of one key by id, name, status, project or metadata, in pages.
#include "server/api/session_search.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cctype>
#include <string>
#include <vector>

#include "hearth/core/error.h"
#include "hearth/io/json.h"
#include "server/api/reply.h"
#include "server/api/run_json.h"
#include "server/store/store.h"

namespace hearth::server {
namespace {

/// A state that a session may be in: active, or client_finished for one of `reasons` (none: any).
struct Status {
  std::string type;
  std::vector<std::string> reasons;
};

// What a search asks for; every condition that is there must hold, but an id and a name are alternatives.
struct Search {
  std::string session_id, display_name;
  std::vector<Status> statuses;
  std::vector<std::string> projects;
  boost::json::object metadata;
  int64_t limit = 50;
  Time before = INT64_MAX;  // the cursor: the last session that was seen
  std::string before_id;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Every word of `wanted` is somewhere in `name`, whatever its case.
bool has_words(const std::string& name, const std::string& wanted) {
  std::string where = lower(name), words = lower(wanted);
  for (size_t begin = 0; begin < words.size();) {
    size_t end = std::min(words.find(' ', begin), words.size());
    if (where.find(words.substr(begin, end - begin)) == std::string::npos) return false;
    begin = end + 1;
  }
  return true;
}

/// Null for one that neither finished nor is known to run.
boost::json::value status_of(const SessionRecord& session) {
  if (!session.finished) return {{"type", "active"}};
  if (session.finish_reason == "expired") return nullptr;
  boost::json::object status{{"type", "client_finished"}, {"reason", {{"type", session.finish_reason}}}};
  if (!session.finish_detail.empty()) status["detail"] = session.finish_detail;
  return status;
}

bool has_status(const SessionRecord& session, const Status& wanted) {
  if (wanted.type == "active") return !session.finished;
  if (wanted.type != "client_finished" || !session.finished || session.finish_reason == "expired") return false;
  return wanted.reasons.empty() ||
         std::find(wanted.reasons.begin(), wanted.reasons.end(), session.finish_reason) != wanted.reasons.end();
}

std::vector<std::string> strings(const JsonObject& fields, const char* name) {
  std::vector<std::string> list;
  if (!fields.has(name)) return list;
  for (const boost::json::value& one : fields.get_array(name)) {
    check<ValueError>(one.is_string(), "search: ", name, ": wants strings, has ", json_kind(one));
    list.emplace_back(one.get_string().c_str());
  }
  return list;
}

std::vector<Status> read_statuses(const JsonObject& fields) {
  std::vector<Status> statuses;
  if (!fields.has("statuses")) return statuses;
  for (const boost::json::value& one : fields.get_array("statuses")) {
    JsonObject status(one, "search: statuses");
    statuses.push_back({status.get_string("type"), strings(status, "reasons")});
  }
  return statuses;
}

Search read_search(const Request& request) {
  boost::json::value body = json_body(request);
  JsonObject fields(body, "search");
  Search search;
  search.session_id = fields.get_string("session_id", "");
  search.display_name = fields.get_string("display_name", "");
  search.statuses = read_statuses(fields);
  search.projects = strings(fields, "project_ids");
  if (fields.has("user_metadata")) search.metadata = fields.get_object("user_metadata").object();
  search.limit = fields.get_int("limit", 50);
  check<ValueError>(search.limit >= 1 && search.limit <= 200, "search: limit: wants 1 to 200, is ", search.limit);
  if (fields.has("owner")) {
    std::string type = fields.get_object("owner").get_string("type", "own");
    check<ValueError>(type == "own", "search: owner: only sessions of the own key can be searched, not '", type, "'");
  }
  if (fields.has("cursor")) {
    JsonObject cursor = fields.get_object("cursor");
    auto time = parse_time(cursor.get_string("last_created_at"));
    check<ValueError>(time.has_value(), "search: cursor: last_created_at is no time");
    search.before = *time;
    search.before_id = cursor.get_string("last_session_id");
  }
  return search;
}

bool has_metadata(const SessionRecord& session, const boost::json::object& wanted) {
  if (wanted.empty()) return true;
  boost::json::value metadata = string_metadata(session.user_metadata);
  if (!metadata.is_object()) return false;
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& entry) {
    const boost::json::value* value = metadata.get_object().if_contains(entry.key());
    return value && *value == entry.value();
  });
}

bool matches(const Search& search, const SessionRecord& session) {
  if (session.created > search.before || (session.created == search.before && session.id >= search.before_id))
    return false;
  bool by_id = !search.session_id.empty(), by_name = !search.display_name.empty();
  bool found =
      (by_id && session.id == search.session_id) || (by_name && has_words(session.display_name, search.display_name));
  if ((by_id || by_name) && !found) return false;
  auto is = [&](const Status& status) { return has_status(session, status); };
  if (!search.statuses.empty() && std::none_of(search.statuses.begin(), search.statuses.end(), is)) return false;
  if (!search.projects.empty() &&
      std::find(search.projects.begin(), search.projects.end(), session.project_id) == search.projects.end())
    return false;
  return has_metadata(session, search.metadata);
}

boost::json::value summary(Tables& tables, const SessionRecord& session) {
  int64_t checkpoints = 0;
  for (const ModelRecord& model : tables.models_of_session(session.id))
    checkpoints += int64_t(tables.checkpoints_of_run(model.id).size());
  boost::json::object answer{{"session_id", session.id},
                             {"created_at", iso_time(session.created)},
                             {"owner", session.owner},
                             {"project_id", session.project_id},
                             {"checkpoints_count", checkpoints}};
  boost::json::value status = status_of(session);
  if (!status.is_null()) answer["status"] = std::move(status);
  if (!session.display_name.empty()) answer["display_name"] = session.display_name;
  boost::json::value metadata = string_metadata(session.user_metadata);
  if (!metadata.is_null()) answer["user_metadata"] = std::move(metadata);
  return answer;
}

}  // namespace

void search_sessions(Store& store, const Request& request, const Respond& respond) {
  Search search = read_search(request);
  Tables& tables = store.read();
  std::vector<SessionRecord> all = tables.sessions({request.owner, INT64_MAX, 0});
  std::sort(all.begin(), all.end(), [](const SessionRecord& a, const SessionRecord& b) {
    return a.created != b.created ? a.created > b.created : a.id > b.id;
  });
  std::erase_if(all, [&](const SessionRecord& one) { return !matches(search, one); });
  boost::json::object answer;
  boost::json::array list;
  for (size_t i = 0; i < all.size() && int64_t(i) < search.limit; ++i) list.push_back(summary(tables, all[i]));
  if (int64_t(all.size()) > search.limit) {
    const SessionRecord& last = all[size_t(search.limit - 1)];
    answer["next_cursor"] = {{"last_created_at", iso_time(last.created)}, {"last_session_id", last.id}};
  }
  answer["sessions"] = std::move(list);
  respond(json_answer(answer));
}

}  // namespace hearth::server
