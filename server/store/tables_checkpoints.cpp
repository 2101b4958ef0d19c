// Tables: checkpoints, and which folders rows need.
#include "hearth/core/error.h"
#include "server/store/database.h"
#include "server/store/names.h"
#include "server/store/tables.h"

namespace hearth::server {

namespace {

constexpr std::string_view columns =
    "run, type, name, owner, folder, created, expires, size, hash, is_public, user_metadata, has_optimizer, "
    "base_model, base_fingerprint, rank, train_mlp, train_attn, train_unembed, damage";

std::string select(std::string_view rest) {
  return "SELECT " + std::string(columns) + " FROM checkpoints " + std::string(rest);
}

// What replay would read again: operations of live models behind the newest internal checkpoint.
constexpr const char* read_by_replay =
    "SELECT reads_folder FROM operations o JOIN models m ON m.id = o.model_id WHERE o.reads_folder <> '' AND "
    "m.unloaded IS NULL AND o.seq_id > m.recovery_seq AND o.state <> 2";

CheckpointRecord read_checkpoint(const Query& row) {
  CheckpointRecord out;
  out.run = row.text(0);
  out.type = CheckpointType(row.integer(1));
  out.name = row.text(2);
  out.owner = row.text(3);
  out.folder = row.text(4);
  out.created = row.integer(5);
  out.expires = row.maybe_integer(6);
  out.size = row.integer(7);
  out.hash = row.text(8);
  out.is_public = row.integer(9) != 0;
  out.user_metadata = row.text(10);
  out.has_optimizer = row.integer(11) != 0;
  out.base_model = row.text(12);
  out.base_fingerprint = row.text(13);
  out.rank = row.integer(14);
  out.train_mlp = row.integer(15) != 0;
  out.train_attn = row.integer(16) != 0;
  out.train_unembed = row.integer(17) != 0;
  out.damage = row.text(18);
  return out;
}

std::vector<CheckpointRecord> read_checkpoints(Query rows) {
  std::vector<CheckpointRecord> out;
  while (rows.step()) out.push_back(read_checkpoint(rows));
  return out;
}

void must_be_there(int64_t rows, std::string_view run, CheckpointType type, std::string_view name) {
  check<ValueError>(rows == 1,
                    "store: no such checkpoint: ", CheckpointPath{std::string(run), type, std::string(name)}.text());
}

}  // namespace

void Tables::insert(const CheckpointRecord& c) {
  check_name("checkpoint", c.name);
  database_.run(insert_into("checkpoints", columns),
                {c.run, int64_t(c.type), c.name, c.owner, c.folder, c.created, c.expires, c.size, c.hash, c.is_public,
                 c.user_metadata, c.has_optimizer, c.base_model, c.base_fingerprint, c.rank, c.train_mlp, c.train_attn,
                 c.train_unembed, c.damage});
}

std::string Tables::put(const CheckpointRecord& c) {
  const auto before = remove_checkpoint(c.run, c.type, c.name);
  insert(c);
  return before && before->folder != c.folder ? before->folder : std::string();
}

std::optional<CheckpointRecord> Tables::checkpoint(std::string_view run, CheckpointType type, std::string_view name) {
  Query row = database_.query(select("WHERE run = ? AND type = ? AND name = ?"), {run, int64_t(type), name});
  if (!row.step()) return std::nullopt;
  return read_checkpoint(row);
}

std::optional<CheckpointRecord> Tables::remove_checkpoint(std::string_view run, CheckpointType type,
                                                          std::string_view name) {
  auto before = checkpoint(run, type, name);
  if (before)
    database_.run("DELETE FROM checkpoints WHERE run = ? AND type = ? AND name = ?", {run, int64_t(type), name});
  return before;
}

void Tables::set_public(std::string_view run, CheckpointType type, std::string_view name, bool is_public) {
  must_be_there(database_.run("UPDATE checkpoints SET is_public = ? WHERE run = ? AND type = ? AND name = ?",
                              {is_public, run, int64_t(type), name}),
                run, type, name);
}

void Tables::set_expires(std::string_view run, CheckpointType type, std::string_view name,
                         std::optional<Time> expires) {
  must_be_there(database_.run("UPDATE checkpoints SET expires = ? WHERE run = ? AND type = ? AND name = ?",
                              {expires, run, int64_t(type), name}),
                run, type, name);
}

void Tables::set_damage(std::string_view run, CheckpointType type, std::string_view name, std::string_view damage) {
  must_be_there(database_.run("UPDATE checkpoints SET damage = ? WHERE run = ? AND type = ? AND name = ?",
                              {damage, run, int64_t(type), name}),
                run, type, name);
}

std::vector<CheckpointRecord> Tables::checkpoints(const ListOptions& options) {
  return read_checkpoints(database_.query(select("WHERE (?1 = '' OR owner = ?1)"
                                                 " ORDER BY created DESC, run, type, name LIMIT ?2 OFFSET ?3"),
                                          {options.owner, options.limit, options.offset}));
}

int64_t Tables::count_checkpoints(std::string_view owner) {
  return database_.integer("SELECT count(*) FROM checkpoints WHERE (?1 = '' OR owner = ?1)", {owner});
}

std::vector<CheckpointRecord> Tables::checkpoints_of_run(std::string_view run) {
  return read_checkpoints(database_.query(select("WHERE run = ? ORDER BY created DESC, type, name"), {run}));
}

std::vector<CheckpointRecord> Tables::expired_checkpoints(Time now) {
  return read_checkpoints(database_.query(select("WHERE expires <= ? ORDER BY expires"), {now}));
}

std::vector<std::string> Tables::known_folders() {
  Query rows = database_.query(
      std::string(
          "SELECT folder FROM checkpoints UNION SELECT snapshot_folder FROM samplers WHERE snapshot_folder <> '' "
          "UNION SELECT recovery_folder FROM models WHERE recovery_folder <> '' AND unloaded IS NULL "
          "UNION ") +
      read_by_replay);
  std::vector<std::string> out;
  while (rows.step()) out.push_back(rows.text(0));
  return out;
}

bool Tables::folder_is_known(std::string_view folder) {
  return database_.integer(
             std::string("SELECT EXISTS(SELECT 1 FROM checkpoints WHERE folder = ?1)"
                         " OR EXISTS(SELECT 1 FROM samplers WHERE snapshot_folder = ?1 AND snapshot_folder <> '')"
                         " OR EXISTS(SELECT 1 FROM models WHERE recovery_folder = ?1 AND unloaded IS NULL)"
                         " OR EXISTS(") +
                 read_by_replay + " AND o.reads_folder = ?1)",
             {folder}) != 0;
}

}  // namespace hearth::server
