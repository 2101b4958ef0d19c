// Tables: what retention looks for.
#include "hearth/core/error.h"
#include "server/store/database.h"
#include "server/store/tables.h"

namespace hearth::server {

namespace {

std::vector<ModelRecord> models_of(Tables& tables, const std::vector<std::string>& ids) {
  std::vector<ModelRecord> out;
  for (const std::string& id : ids) {
    if (auto model = tables.model(id)) out.push_back(std::move(*model));
  }
  return out;
}

std::vector<std::string> texts(Query rows) {
  std::vector<std::string> out;
  while (rows.step()) out.push_back(rows.text(0));
  return out;
}

}  // namespace

std::vector<ModelRecord> Tables::runs_with_contents(Time ended, std::string_view after, int64_t limit) {
  return models_of(*this,
                   texts(database_.query("SELECT m.id FROM models m JOIN sessions s ON s.id = m.session_id"
                                         " WHERE m.id > ?1 AND s.finished <= ?2 AND EXISTS(SELECT 1 FROM operations o"
                                         " WHERE o.model_id = m.id AND (body_dropped = 0 OR result_dropped = 0))"
                                         " ORDER BY m.id LIMIT ?3",
                                         {after, ended, limit})));
}

std::vector<SamplerRecord> Tables::ended_samplers(Time ended, int64_t limit) {
  std::vector<SamplerRecord> out;
  for (const std::string& id :
       texts(database_.query("SELECT p.id FROM samplers p JOIN sessions s ON s.id = p.session_id WHERE s.finished <= ?"
                             " LIMIT ?",
                             {ended, limit}))) {
    if (auto found = sampler(id)) out.push_back(std::move(*found));
  }
  return out;
}

std::vector<ModelRecord> Tables::unloaded_with_state(int64_t limit) {
  return models_of(*this, texts(database_.query("SELECT id FROM models WHERE unloaded IS NOT NULL"
                                                " AND recovery_folder <> '' LIMIT ?",
                                                {limit})));
}

void Tables::forget_state(std::string_view model_id) {
  const int64_t rows =
      database_.run("UPDATE models SET recovery_folder = '' WHERE id = ? AND unloaded IS NOT NULL", {model_id});
  check<ValueError>(rows == 1, "store: no such model, or it is not unloaded: ", model_id);
}

std::vector<std::string> Tables::folders_no_longer_read() {
  std::vector<std::string> out;
  for (std::string& folder : texts(database_.query("SELECT DISTINCT reads_folder FROM operations"
                                                   " WHERE reads_folder <> ''"))) {
    if (!folder_is_known(folder)) out.push_back(std::move(folder));
  }
  return out;
}

std::vector<std::string> Tables::checkpoint_hashes() { return texts(database_.query("SELECT hash FROM checkpoints")); }

int64_t Tables::drop_audit(Time before, int64_t limit) {
  return database_.run("DELETE FROM audit WHERE number IN (SELECT number FROM audit WHERE time < ? LIMIT ?)",
                       {before, limit});
}

int64_t Tables::free_pages() { return database_.integer("PRAGMA freelist_count"); }

void Tables::give_pages_back(int64_t pages) {
  database_.execute("PRAGMA incremental_vacuum(" + std::to_string(pages) + ")");
}

}  // namespace hearth::server
