// Tables: the journal of operations.
#include "hearth/core/error.h"
#include "server/store/blob.h"
#include "server/store/database.h"
#include "server/store/tables.h"

namespace hearth::server {

namespace {

constexpr std::string_view columns =
    "o.request_id, o.model_id, o.seq_id, o.owner, o.kind, o.received, o.state, o.content_type, o.error, o.category, "
    "o.finished, o.state_hash, o.cpu, o.build, o.reads_folder, o.reads_hash, o.body_dropped, o.result_dropped";

// Columns 18 and 19, where selected: body and result.
OperationRecord read_operation(const Query& row, bool body, bool result) {
  OperationRecord out;
  out.request_id = row.text(0);
  out.model_id = row.text(1);
  out.seq_id = row.integer(2);
  out.owner = row.text(3);
  out.kind = row.text(4);
  out.received = row.integer(5);
  out.outcome.state = OperationState(row.integer(6));
  out.outcome.content_type = row.text(7);
  out.outcome.error = row.text(8);
  out.outcome.category = row.text(9);
  out.outcome.finished = row.integer(10);
  out.state_hash = row.text(11);
  out.cpu = row.text(12);
  out.build = row.text(13);
  out.reads_folder = row.text(14);
  out.reads_hash = row.text(15);
  out.body_dropped = row.integer(16) != 0;
  out.outcome.dropped = row.integer(17) != 0;
  if (body && !row.is_null(18)) out.body = unpack_blob(row.text(18));
  if (result && !row.is_null(19)) out.outcome.result = unpack_blob(row.text(19));
  return out;
}

/// How much of an operation a query reads.
enum class Part { brief, body, whole };

std::string select(Part part, std::string_view rest) {
  std::string sql = "SELECT " + std::string(columns);
  if (part != Part::brief) sql += ", b.content";
  if (part == Part::whole) sql += ", r.content";
  sql += " FROM operations o ";
  if (part != Part::brief) sql += "LEFT JOIN operation_bodies b USING(number) ";
  if (part == Part::whole) sql += "LEFT JOIN operation_results r USING(number) ";
  return sql + std::string(rest);
}

std::optional<OperationRecord> one(Query row) {
  if (!row.step()) return std::nullopt;
  return read_operation(row, true, true);
}

}  // namespace

void Tables::insert(const OperationRecord& o) {
  database_.run(
      "INSERT INTO operations(request_id, model_id, seq_id, owner, kind, received, state, content_type, error, "
      "category,"
      " finished, state_hash, cpu, build, reads_folder, reads_hash, body_dropped, result_dropped)"
      " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
      {o.request_id, o.model_id, o.seq_id, o.owner, o.kind, o.received, int64_t(o.outcome.state),
       o.outcome.content_type, o.outcome.error, o.outcome.category, o.outcome.finished, o.state_hash, o.cpu, o.build,
       o.reads_folder, o.reads_hash, o.body_dropped, o.outcome.dropped});
  const int64_t number = database_.last_row();
  if (!o.body_dropped) {
    const std::string packed = pack_blob(o.body);
    database_.run("INSERT INTO operation_bodies VALUES(?,?)", {number, SqlValue::blob(packed)});
  }
  if (o.outcome.state == OperationState::done && !o.outcome.dropped) {
    const std::string packed = pack_blob(o.outcome.result);
    database_.run("INSERT INTO operation_results VALUES(?,?)", {number, SqlValue::blob(packed)});
  }
}

std::optional<OperationRecord> Tables::operation(std::string_view request_id) {
  return one(database_.query(select(Part::whole, "WHERE o.request_id = ?"), {request_id}));
}

std::optional<OperationRecord> Tables::operation(std::string_view model_id, int64_t seq_id) {
  return one(database_.query(select(Part::whole, "WHERE o.model_id = ? AND o.seq_id = ?"), {model_id, seq_id}));
}

bool Tables::finish_operation(std::string_view request_id, const Outcome& outcome, std::string_view state_hash,
                              std::string_view cpu, std::string_view build) {
  check<ValueError>(outcome.state != OperationState::queued,
                    "store: an operation does not end as queued: ", request_id);
  Query row = database_.query("SELECT number, state FROM operations WHERE request_id = ?", {request_id});
  check<ValueError>(row.step(), "store: no such operation: ", request_id);
  if (OperationState(row.integer(1)) != OperationState::queued) return false;
  const int64_t number = row.integer(0);
  database_.run(
      "UPDATE operations SET state = ?, content_type = ?, error = ?, category = ?, finished = ?,"
      " state_hash = ?, cpu = ?, build = ? WHERE number = ?",
      {int64_t(outcome.state), outcome.content_type, outcome.error, outcome.category, outcome.finished, state_hash, cpu,
       build, number});
  if (outcome.state == OperationState::done) {
    const std::string packed = pack_blob(outcome.result);
    database_.run("INSERT INTO operation_results VALUES(?,?)", {number, SqlValue::blob(packed)});
  }
  return true;
}

void Tables::set_operation_reads(std::string_view request_id, std::string_view folder, std::string_view hash) {
  const int64_t rows = database_.run("UPDATE operations SET reads_folder = ?, reads_hash = ? WHERE request_id = ?",
                                     {folder, hash, request_id});
  check<ValueError>(rows == 1, "store: no such operation: ", request_id);
}

std::vector<OperationRecord> Tables::operations(std::string_view model_id, int64_t after, bool with_results,
                                                int64_t limit) {
  Query rows = database_.query(select(with_results ? Part::whole : Part::body,
                                      "WHERE o.model_id = ? AND o.seq_id > ? ORDER BY o.seq_id LIMIT ?"),
                               {model_id, after, limit});
  std::vector<OperationRecord> out;
  while (rows.step()) out.push_back(read_operation(rows, true, with_results));
  return out;
}

std::vector<OperationRecord> Tables::operation_briefs(std::string_view model_id, int64_t after) {
  Query rows = database_.query(select(Part::brief, "WHERE o.model_id = ? AND o.seq_id > ? ORDER BY o.seq_id"),
                               {model_id, after});
  std::vector<OperationRecord> out;
  while (rows.step()) out.push_back(read_operation(rows, false, false));
  return out;
}

int64_t Tables::last_seq_id(std::string_view model_id) {
  Query row = database_.query("SELECT max(seq_id) FROM operations WHERE model_id = ?", {model_id});
  return row.step() && !row.is_null(0) ? row.integer(0) : -1;
}

void Tables::drop_body(std::string_view request_id) {
  const int64_t rows = database_.run("UPDATE operations SET body_dropped = 1 WHERE request_id = ?", {request_id});
  check<ValueError>(rows == 1, "store: no such operation: ", request_id);
  database_.run("DELETE FROM operation_bodies WHERE number = (SELECT number FROM operations WHERE request_id = ?)",
                {request_id});
}

void Tables::drop_result(std::string_view request_id) {
  const int64_t rows = database_.run("UPDATE operations SET result_dropped = 1 WHERE request_id = ?", {request_id});
  check<ValueError>(rows == 1, "store: no such operation: ", request_id);
  database_.run("DELETE FROM operation_results WHERE number = (SELECT number FROM operations WHERE request_id = ?)",
                {request_id});
}

}  // namespace hearth::server
