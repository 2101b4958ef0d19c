// Tables: samplers and the samples that were asked of them.
#include "hearth/core/error.h"
#include "server/store/blob.h"
#include "server/store/database.h"
#include "server/store/tables.h"

namespace hearth::server {

namespace {

constexpr std::string_view columns =
    "id, session_id, owner, base_model, model_path, snapshot_folder, snapshot_hash, created, joined";

std::string select(std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM samplers " + std::string(rest);
}

std::string select_samples(std::string_view rest) {
  return "SELECT s.request_id, s.sampler_id, s.seq_id, s.owner, s.seed, s.received, s.state, s.content_type, s.error, "
         "s.category, s.finished, s.result_dropped, b.content, r.content FROM samples s LEFT JOIN sample_bodies b "
         "USING(number) LEFT JOIN sample_results r USING(number) " +
         std::string(rest);
}

SamplerRecord read_sampler(const Query& row) {
  SamplerRecord out;
  out.id = row.text(0);
  out.session_id = row.text(1);
  out.owner = row.text(2);
  out.base_model = row.text(3);
  out.model_path = row.text(4);
  out.snapshot_folder = row.text(5);
  out.snapshot_hash = row.text(6);
  out.created = row.integer(7);
  out.joined = row.integer(8);
  return out;
}

SampleRecord read_sample(const Query& row) {
  SampleRecord out;
  out.request_id = row.text(0);
  out.sampler_id = row.text(1);
  out.seq_id = row.integer(2);
  out.owner = row.text(3);
  out.seed = uint64_t(row.integer(4));
  out.received = row.integer(5);
  out.outcome.state = OperationState(row.integer(6));
  out.outcome.content_type = row.text(7);
  out.outcome.error = row.text(8);
  out.outcome.category = row.text(9);
  out.outcome.finished = row.integer(10);
  out.outcome.dropped = row.integer(11) != 0;
  if (!row.is_null(12)) out.body = unpack_blob(row.text(12));
  if (!row.is_null(13)) out.outcome.result = unpack_blob(row.text(13));
  return out;
}

std::optional<SampleRecord> one(Query row) {
  if (!row.step()) return std::nullopt;
  return read_sample(row);
}

}  // namespace

void Tables::insert(const SamplerRecord& s) {
  database_.run(insert_into("samplers", columns), {s.id, s.session_id, s.owner, s.base_model, s.model_path,
                                                   s.snapshot_folder, s.snapshot_hash, s.created, s.joined});
}

std::optional<SamplerRecord> Tables::sampler(std::string_view id) {
  Query row = database_.query(select("WHERE id = ?"), {id});
  if (!row.step()) return std::nullopt;
  return read_sampler(row);
}

std::vector<SamplerRecord> Tables::samplers_of_session(std::string_view session_id) {
  Query rows = database_.query(select("WHERE session_id = ? ORDER BY created, id"), {session_id});
  std::vector<SamplerRecord> out;
  while (rows.step()) out.push_back(read_sampler(rows));
  return out;
}

int64_t Tables::join_sampler(std::string_view id) {
  const int64_t rows = database_.run("UPDATE samplers SET joined = joined + 1 WHERE id = ?", {id});
  check<ValueError>(rows == 1, "store: no such sampler: ", id);
  return database_.integer("SELECT joined FROM samplers WHERE id = ?", {id});
}

void Tables::remove_sampler(std::string_view id) { database_.run("DELETE FROM samplers WHERE id = ?", {id}); }

void Tables::insert(const SampleRecord& s) {
  database_.run(
      "INSERT INTO samples(request_id, sampler_id, seq_id, owner, seed, received, state, content_type, error,"
      " category, finished, result_dropped) VALUES(?,?,?,?,?,?,?,?,?,?,?,?)",
      {s.request_id, s.sampler_id, s.seq_id, s.owner, int64_t(s.seed), s.received, int64_t(s.outcome.state),
       s.outcome.content_type, s.outcome.error, s.outcome.category, s.outcome.finished, s.outcome.dropped});
  const int64_t number = database_.last_row();
  const std::string packed = pack_blob(s.body);
  database_.run("INSERT INTO sample_bodies VALUES(?,?)", {number, SqlValue::blob(packed)});
  if (s.outcome.state == OperationState::done && !s.outcome.dropped) {
    const std::string result = pack_blob(s.outcome.result);
    database_.run("INSERT INTO sample_results VALUES(?,?)", {number, SqlValue::blob(result)});
  }
}

std::optional<SampleRecord> Tables::sample(std::string_view request_id) {
  return one(database_.query(select_samples("WHERE s.request_id = ?"), {request_id}));
}

std::optional<SampleRecord> Tables::sample(std::string_view sampler_id, int64_t seq_id) {
  return one(database_.query(select_samples("WHERE s.sampler_id = ? AND s.seq_id = ?"), {sampler_id, seq_id}));
}

bool Tables::finish_sample(std::string_view request_id, const Outcome& outcome) {
  check<ValueError>(outcome.state != OperationState::queued, "store: a sample does not end as queued: ", request_id);
  Query row = database_.query("SELECT number, state FROM samples WHERE request_id = ?", {request_id});
  check<ValueError>(row.step(), "store: no such sample: ", request_id);
  if (OperationState(row.integer(1)) != OperationState::queued) return false;
  const int64_t number = row.integer(0);
  database_.run(
      "UPDATE samples SET state = ?, content_type = ?, error = ?, category = ?, finished = ? WHERE number = ?",
      {int64_t(outcome.state), outcome.content_type, outcome.error, outcome.category, outcome.finished, number});
  if (outcome.state == OperationState::done) {
    const std::string packed = pack_blob(outcome.result);
    database_.run("INSERT INTO sample_results VALUES(?,?)", {number, SqlValue::blob(packed)});
  }
  return true;
}

std::vector<SampleRecord> Tables::queued_samples() {
  Query rows = database_.query(select_samples("WHERE s.state = 0 ORDER BY s.number"));
  std::vector<SampleRecord> out;
  while (rows.step()) out.push_back(read_sample(rows));
  return out;
}

std::vector<SampleRecord> Tables::finished_samples(std::string_view sampler_id, int64_t first, int64_t last,
                                                   Time after) {
  Query rows = database_.query(
      "SELECT request_id, seq_id, state, finished FROM samples WHERE sampler_id = ? AND seq_id BETWEEN ? AND ? AND "
      "state <> 0 AND finished > ? ORDER BY finished",
      {sampler_id, first, last, after});
  std::vector<SampleRecord> out;
  while (rows.step()) {
    SampleRecord sample;
    sample.request_id = rows.text(0);
    sample.sampler_id = sampler_id;
    sample.seq_id = rows.integer(1);
    sample.outcome.state = OperationState(rows.integer(2));
    sample.outcome.finished = rows.integer(3);
    out.push_back(std::move(sample));
  }
  return out;
}

void Tables::remove_sample(std::string_view request_id) {
  database_.run("DELETE FROM samples WHERE request_id = ?", {request_id});
}

}  // namespace hearth::server
