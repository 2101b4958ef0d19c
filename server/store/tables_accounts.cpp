// Tables: audit, usage, secrets.
#include "server/store/database.h"
#include "server/store/tables.h"

namespace hearth::server {

void Tables::insert(const AuditRecord& e) {
  database_.run("INSERT INTO audit(time, owner, event, model_id, path, detail) VALUES(?,?,?,?,?,?)",
                {e.time, e.owner, e.event, e.model_id, e.path, e.detail});
}

std::vector<AuditRecord> Tables::audit(std::string_view owner, Time from, Time to, int64_t limit) {
  Query rows = database_.query(
      "SELECT time, owner, event, model_id, path, detail FROM audit"
      " WHERE (?1 = '' OR owner = ?1) AND time >= ?2 AND time < ?3"
      " ORDER BY time DESC, number DESC LIMIT ?4",
      {owner, from, to, limit});
  std::vector<AuditRecord> out;
  while (rows.step()) {
    out.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.text(5)});
  }
  return out;
}

void Tables::add_usage(const UsageRecord& u) {
  database_.run(
      "INSERT INTO usage(bucket, owner, session_id, base_model, kind, tokens) VALUES(?,?,?,?,?,?)"
      " ON CONFLICT DO UPDATE SET tokens = tokens + excluded.tokens",
      {u.bucket, u.owner, u.session_id, u.base_model, u.kind, u.tokens});
}

std::vector<UsageRecord> Tables::usage(std::string_view owner, Time from, Time to) {
  Query rows = database_.query(
      "SELECT bucket, owner, session_id, base_model, kind, tokens FROM usage"
      " WHERE (?1 = '' OR owner = ?1) AND bucket >= ?2 AND bucket < ?3"
      " ORDER BY bucket, owner, session_id, base_model, kind",
      {owner, from, to});
  std::vector<UsageRecord> out;
  while (rows.step()) {
    out.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4), rows.integer(5)});
  }
  return out;
}

std::optional<std::string> Tables::secret(std::string_view id) {
  Query row = database_.query("SELECT value FROM secrets WHERE id = ?", {id});
  if (!row.step()) return std::nullopt;
  return row.text(0);
}

void Tables::put_secret(std::string_view id, std::string_view value) {
  database_.run("INSERT INTO secrets(id, value) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET value = ?2",
                {id, SqlValue::blob(value)});
}

}  // namespace hearth::server
