// Tables: sessions.
#include "hearth/core/error.h"
#include "server/store/database.h"
#include "server/store/tables.h"

namespace hearth::server {

namespace {

constexpr std::string_view columns =
    "id, owner, created, last_seen, finished, finish_reason, finish_detail, tags, user_metadata, sdk_version, "
    "project_id, display_name";

std::string select(std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM sessions " + std::string(rest);
}

SessionRecord read_session(const Query& row) {
  SessionRecord out;
  out.id = row.text(0);
  out.owner = row.text(1);
  out.created = row.integer(2);
  out.last_seen = row.integer(3);
  out.finished = row.maybe_integer(4);
  out.finish_reason = row.text(5);
  out.finish_detail = row.text(6);
  out.tags = row.text(7);
  out.user_metadata = row.text(8);
  out.sdk_version = row.text(9);
  out.project_id = row.text(10);
  out.display_name = row.text(11);
  return out;
}

std::vector<SessionRecord> read_sessions(Query rows) {
  std::vector<SessionRecord> out;
  while (rows.step()) out.push_back(read_session(rows));
  return out;
}

}  // namespace

void Tables::insert(const SessionRecord& s) {
  database_.run(insert_into("sessions", columns),
                {s.id, s.owner, s.created, s.last_seen, s.finished, s.finish_reason, s.finish_detail, s.tags,
                 s.user_metadata, s.sdk_version, s.project_id, s.display_name});
}

std::optional<SessionRecord> Tables::session(std::string_view id) {
  Query row = database_.query(select("WHERE id = ?"), {id});
  if (!row.step()) return std::nullopt;
  return read_session(row);
}

void Tables::touch_session(std::string_view id, Time seen) {
  const int64_t rows = database_.run("UPDATE sessions SET last_seen = max(last_seen, ?) WHERE id = ?", {seen, id});
  check<ValueError>(rows == 1, "store: no such session: ", id);
}

bool Tables::finish_session(std::string_view id, Time when, std::string_view reason, std::string_view detail) {
  return database_.run(
             "UPDATE sessions SET finished = ?, finish_reason = ?, finish_detail = ? WHERE id = ? AND finished IS NULL",
             {when, reason, detail, id}) == 1;
}

void Tables::set_session_project(std::string_view id, std::string_view project_id) {
  const int64_t rows = database_.run("UPDATE sessions SET project_id = ? WHERE id = ?", {project_id, id});
  check<ValueError>(rows == 1, "store: no such session: ", id);
}

std::vector<SessionRecord> Tables::sessions(const ListOptions& options) {
  return read_sessions(database_.query(select("WHERE (?1 = '' OR owner = ?1)"
                                              " ORDER BY created DESC, id DESC LIMIT ?2 OFFSET ?3"),
                                       {options.owner, options.limit, options.offset}));
}

int64_t Tables::count_sessions(std::string_view owner) {
  return database_.integer("SELECT count(*) FROM sessions WHERE (?1 = '' OR owner = ?1)", {owner});
}

std::vector<SessionRecord> Tables::open_sessions() {
  return read_sessions(database_.query(select("WHERE finished IS NULL ORDER BY created, id")));
}

}  // namespace hearth::server
