// Tables: models, which are training runs.
#include "hearth/core/error.h"
#include "server/store/database.h"
#include "server/store/tables.h"

namespace hearth::server {

namespace {

constexpr std::string_view columns =
    "id, session_id, owner, base_model, base_fingerprint, rank, seed, train_mlp, train_attn, train_unembed, "
    "user_metadata, optimizer, created, last_request, unloaded, from_path, corrupted, recovery_seq, "
    "recovery_folder, recovery_hash";

std::string select(std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM models " + std::string(rest);
}
// A model belongs to the project of its session. One whose creation failed never was.
constexpr const char* of_owner_in_project =
    "WHERE (?1 = \'\' OR owner = ?1) AND (?2 = '' OR session_id IN (SELECT id FROM sessions WHERE project_id = ?2))"
    " AND NOT EXISTS (SELECT 1 FROM operations WHERE model_id = models.id AND seq_id = 0 AND state = 2)";

ModelRecord read_model(const Query& row) {
  ModelRecord out;
  out.id = row.text(0);
  out.session_id = row.text(1);
  out.owner = row.text(2);
  out.base_model = row.text(3);
  out.base_fingerprint = row.text(4);
  out.rank = row.integer(5);
  out.seed = uint64_t(row.integer(6));
  out.train_mlp = row.integer(7) != 0;
  out.train_attn = row.integer(8) != 0;
  out.train_unembed = row.integer(9) != 0;
  out.user_metadata = row.text(10);
  out.optimizer = row.text(11);
  out.created = row.integer(12);
  out.last_request = row.integer(13);
  out.unloaded = row.maybe_integer(14);
  out.from_path = row.text(15);
  out.corrupted = row.text(16);
  out.recovery_seq = row.integer(17);
  out.recovery_folder = row.text(18);
  out.recovery_hash = row.text(19);
  return out;
}

std::vector<ModelRecord> read_models(Query rows) {
  std::vector<ModelRecord> out;
  while (rows.step()) out.push_back(read_model(rows));
  return out;
}

void must_be_there(int64_t rows, std::string_view id) { check<ValueError>(rows == 1, "store: no such model: ", id); }

}  // namespace

void Tables::insert(const ModelRecord& m) {
  database_.run(
      insert_into("models", columns),
      {m.id,        m.session_id, m.owner,         m.base_model,    m.base_fingerprint, m.rank,         int64_t(m.seed),
       m.train_mlp, m.train_attn, m.train_unembed, m.user_metadata, m.optimizer,        m.created,      m.last_request,
       m.unloaded,  m.from_path,  m.corrupted,     m.recovery_seq,  m.recovery_folder,  m.recovery_hash});
}

std::optional<ModelRecord> Tables::model(std::string_view id) {
  Query row = database_.query(select("WHERE id = ?"), {id});
  if (!row.step()) return std::nullopt;
  return read_model(row);
}

void Tables::update(const ModelRecord& m) {
  must_be_there(
      database_.run("UPDATE models SET session_id = ?2, owner = ?3, base_model = ?4, base_fingerprint = ?5, rank = ?6,"
                    " seed = ?7, train_mlp = ?8, train_attn = ?9, train_unembed = ?10, user_metadata = ?11,"
                    " optimizer = ?12, created = ?13, last_request = ?14, unloaded = ?15, from_path = ?16,"
                    " corrupted = ?17, recovery_seq = ?18, recovery_folder = ?19, recovery_hash = ?20 WHERE id = ?1",
                    {m.id,
                     m.session_id,
                     m.owner,
                     m.base_model,
                     m.base_fingerprint,
                     m.rank,
                     int64_t(m.seed),
                     m.train_mlp,
                     m.train_attn,
                     m.train_unembed,
                     m.user_metadata,
                     m.optimizer,
                     m.created,
                     m.last_request,
                     m.unloaded,
                     m.from_path,
                     m.corrupted,
                     m.recovery_seq,
                     m.recovery_folder,
                     m.recovery_hash}),
      m.id);
}

void Tables::touch_model(std::string_view id, Time requested) {
  must_be_there(database_.run("UPDATE models SET last_request = max(last_request, ?) WHERE id = ?", {requested, id}),
                id);
}

void Tables::unload_model(std::string_view id, Time when) {
  must_be_there(database_.run("UPDATE models SET unloaded = coalesce(unloaded, ?) WHERE id = ?", {when, id}), id);
}

void Tables::mark_corrupted(std::string_view id, std::string_view why) {
  must_be_there(database_.run("UPDATE models SET corrupted = ? WHERE id = ?", {why, id}), id);
}

std::string Tables::set_recovery(std::string_view id, int64_t seq_id, std::string_view folder, std::string_view hash) {
  const auto before = model(id);
  must_be_there(before ? 1 : 0, id);
  check<ValueError>(seq_id >= before->recovery_seq,
                    "store: a newer internal checkpoint is known: ", before->recovery_seq, ", offered ", seq_id);
  database_.run("UPDATE models SET recovery_seq = ?, recovery_folder = ?, recovery_hash = ? WHERE id = ?",
                {seq_id, folder, hash, id});
  return before->recovery_folder == folder ? std::string() : before->recovery_folder;
}

std::vector<ModelRecord> Tables::models(const ListOptions& options, std::string_view project_id) {
  return read_models(database_.query(
      select(std::string(of_owner_in_project) + " ORDER BY last_request DESC, id DESC LIMIT ?3 OFFSET ?4"),
      {options.owner, project_id, options.limit, options.offset}));
}

int64_t Tables::count_models(std::string_view owner, std::string_view project_id) {
  return database_.integer(std::string("SELECT count(*) FROM models ") + of_owner_in_project, {owner, project_id});
}

std::vector<ModelRecord> Tables::models_of_session(std::string_view session_id) {
  return read_models(database_.query(select("WHERE session_id = ? ORDER BY created, id"), {session_id}));
}

std::vector<ModelRecord> Tables::live_models() {
  return read_models(database_.query(select("WHERE unloaded IS NULL ORDER BY created, id")));
}

}  // namespace hearth::server
