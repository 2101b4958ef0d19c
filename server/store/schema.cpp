// Schema: the tables of the database, and how the file of an older hearth becomes one of this.
#include "server/store/schema.h"

#include <string>

#include "server/store/database.h"

namespace hearth::server {

namespace {

// "hrth": tells the file from those of other programs.
constexpr int64_t application_id = 0x68727468;

// Bodies and results lie in tables of their own: ending an operation must not rewrite its megabytes, listing must not
// read them, and dropping them is deleting a row.
constexpr const char* version_1 = R"sql(
CREATE TABLE sessions(
  id TEXT PRIMARY KEY, owner TEXT NOT NULL, created INTEGER NOT NULL, last_seen INTEGER NOT NULL, finished INTEGER,
  finish_reason TEXT NOT NULL, finish_detail TEXT NOT NULL, tags TEXT NOT NULL, user_metadata TEXT NOT NULL,
  sdk_version TEXT NOT NULL, project_id TEXT NOT NULL, display_name TEXT NOT NULL) STRICT;
CREATE INDEX sessions_by_owner ON sessions(owner, created);
CREATE INDEX sessions_open ON sessions(created) WHERE finished IS NULL;

CREATE TABLE models(
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL, owner TEXT NOT NULL, base_model TEXT NOT NULL,
  base_fingerprint TEXT NOT NULL, rank INTEGER NOT NULL, seed INTEGER NOT NULL, train_mlp INTEGER NOT NULL,
  train_attn INTEGER NOT NULL, train_unembed INTEGER NOT NULL, user_metadata TEXT NOT NULL, optimizer TEXT NOT NULL,
  created INTEGER NOT NULL, last_request INTEGER NOT NULL, unloaded INTEGER, from_path TEXT NOT NULL,
  corrupted TEXT NOT NULL, recovery_seq INTEGER NOT NULL, recovery_folder TEXT NOT NULL, recovery_hash TEXT NOT NULL)
  STRICT;
CREATE INDEX models_by_owner ON models(owner, last_request);
CREATE INDEX models_by_session ON models(session_id);
CREATE INDEX models_live ON models(created) WHERE unloaded IS NULL;

CREATE TABLE operations(
  number INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE, model_id TEXT NOT NULL, seq_id INTEGER NOT NULL,
  owner TEXT NOT NULL, kind TEXT NOT NULL, received INTEGER NOT NULL, state INTEGER NOT NULL,
  content_type TEXT NOT NULL, error TEXT NOT NULL, category TEXT NOT NULL, finished INTEGER NOT NULL,
  state_hash TEXT NOT NULL, cpu TEXT NOT NULL, build TEXT NOT NULL, reads_folder TEXT NOT NULL,
  reads_hash TEXT NOT NULL, body_dropped INTEGER NOT NULL DEFAULT 0, result_dropped INTEGER NOT NULL DEFAULT 0,
  UNIQUE(model_id, seq_id)) STRICT;
CREATE INDEX operations_reading ON operations(reads_folder) WHERE reads_folder <> '';
CREATE INDEX operations_with_contents ON operations(model_id) WHERE body_dropped = 0 OR result_dropped = 0;
CREATE TABLE operation_bodies(
  number INTEGER PRIMARY KEY REFERENCES operations(number) ON DELETE CASCADE, content BLOB NOT NULL) STRICT;
CREATE TABLE operation_results(
  number INTEGER PRIMARY KEY REFERENCES operations(number) ON DELETE CASCADE, content BLOB NOT NULL) STRICT;

CREATE TABLE samplers(
  id TEXT PRIMARY KEY, session_id TEXT NOT NULL, owner TEXT NOT NULL, base_model TEXT NOT NULL,
  model_path TEXT NOT NULL, snapshot_folder TEXT NOT NULL, snapshot_hash TEXT NOT NULL, created INTEGER NOT NULL,
  joined INTEGER NOT NULL) STRICT;
CREATE INDEX samplers_by_session ON samplers(session_id);
CREATE INDEX samplers_using ON samplers(snapshot_folder) WHERE snapshot_folder <> '';

CREATE TABLE samples(
  number INTEGER PRIMARY KEY, request_id TEXT NOT NULL UNIQUE,
  sampler_id TEXT NOT NULL REFERENCES samplers(id) ON DELETE CASCADE, seq_id INTEGER NOT NULL, owner TEXT NOT NULL,
  seed INTEGER NOT NULL, received INTEGER NOT NULL, state INTEGER NOT NULL, content_type TEXT NOT NULL,
  error TEXT NOT NULL, category TEXT NOT NULL, finished INTEGER NOT NULL, result_dropped INTEGER NOT NULL DEFAULT 0,
  UNIQUE(sampler_id, seq_id)) STRICT;
CREATE INDEX samples_queued ON samples(number) WHERE state = 0;
CREATE TABLE sample_bodies(
  number INTEGER PRIMARY KEY REFERENCES samples(number) ON DELETE CASCADE, content BLOB NOT NULL) STRICT;
CREATE TABLE sample_results(
  number INTEGER PRIMARY KEY REFERENCES samples(number) ON DELETE CASCADE, content BLOB NOT NULL) STRICT;

CREATE TABLE checkpoints(
  run TEXT NOT NULL, type INTEGER NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, folder TEXT NOT NULL,
  created INTEGER NOT NULL, expires INTEGER, size INTEGER NOT NULL, hash TEXT NOT NULL, is_public INTEGER NOT NULL,
  user_metadata TEXT NOT NULL, has_optimizer INTEGER NOT NULL, base_model TEXT NOT NULL,
  base_fingerprint TEXT NOT NULL, rank INTEGER NOT NULL, train_mlp INTEGER NOT NULL, train_attn INTEGER NOT NULL,
  train_unembed INTEGER NOT NULL, damage TEXT NOT NULL, PRIMARY KEY(run, type, name)) STRICT;
CREATE INDEX checkpoints_by_owner ON checkpoints(owner, created);
CREATE INDEX checkpoints_expiring ON checkpoints(expires) WHERE expires IS NOT NULL;
CREATE INDEX checkpoints_by_folder ON checkpoints(folder);

CREATE TABLE audit(
  number INTEGER PRIMARY KEY, time INTEGER NOT NULL, owner TEXT NOT NULL, event TEXT NOT NULL, model_id TEXT NOT NULL,
  path TEXT NOT NULL, detail TEXT NOT NULL) STRICT;
CREATE INDEX audit_by_owner ON audit(owner, time);

CREATE TABLE usage(
  bucket INTEGER NOT NULL, owner TEXT NOT NULL, session_id TEXT NOT NULL, base_model TEXT NOT NULL, kind TEXT NOT NULL,
  tokens INTEGER NOT NULL, PRIMARY KEY(owner, bucket, session_id, base_model, kind)) STRICT, WITHOUT ROWID;

CREATE TABLE secrets(id TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
)sql";

constexpr const char* scripts[] = {version_1};

}  // namespace

std::span<const char* const> schema_scripts() { return scripts; }

int migrate(Database& database, std::span<const char* const> steps) {
  const int64_t made_by = database.integer("PRAGMA application_id");
  const int64_t version = database.integer("PRAGMA user_version");
  const int64_t tables = database.integer("SELECT count(*) FROM sqlite_schema");
  check<IoError>(made_by == application_id || (made_by == 0 && tables == 0),
                 "database: belongs to another program: ", database.path());
  check<IoError>(version <= int64_t(steps.size()), "database: was made by a newer hearth (schema ", version,
                 ", this one knows up to ", steps.size(), "): ", database.path());
  for (size_t next = size_t(version); next < steps.size(); ++next) {
    database.execute("BEGIN IMMEDIATE");
    try {
      database.execute(steps[next]);
      database.execute("PRAGMA user_version=" + std::to_string(next + 1));
      database.execute("PRAGMA application_id=" + std::to_string(application_id));
      database.execute("COMMIT");
    } catch (...) {
      if (database.in_transaction()) database.execute("ROLLBACK");
      throw;
    }
  }
  return int(version);
}

}  // namespace hearth::server
