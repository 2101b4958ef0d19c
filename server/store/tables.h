// Tables: what can be asked of the database and written to it, typed, one group of functions a table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/store/records.h"

namespace hearth::server {

class Database;

/// All tables over one connection. Used by one thread at a time. `insert` of a key that is there raises ValueError
/// ("database: rule broken: ..."), an update of a row that is not there raises ValueError; IoError where the disk
/// fails.
class Tables {
 public:
  explicit Tables(Database& database) : database_(database) {}
  Database& database() { return database_; }

  // Sessions (tables_sessions.cpp).
  void insert(const SessionRecord& session);
  std::optional<SessionRecord> session(std::string_view id);
  void touch_session(std::string_view id, Time seen);
  /// The first reason stays; a repeat changes nothing. False: it had ended already.
  bool finish_session(std::string_view id, Time when, std::string_view reason, std::string_view detail);
  void set_session_project(std::string_view id, std::string_view project_id);
  std::vector<SessionRecord> sessions(const ListOptions& options);
  int64_t count_sessions(std::string_view owner);
  /// Not ended; of all owners, oldest first.
  std::vector<SessionRecord> open_sessions();

  // Models (tables_models.cpp).
  void insert(const ModelRecord& model);
  std::optional<ModelRecord> model(std::string_view id);
  void update(const ModelRecord& model);
  void touch_model(std::string_view id, Time requested);
  void unload_model(std::string_view id, Time when);
  void mark_corrupted(std::string_view id, std::string_view why);
  /// Returns the folder of the internal checkpoint that this one replaces; empty: there was none.
  std::string set_recovery(std::string_view id, int64_t seq_id, std::string_view folder, std::string_view hash);
  /// By last request, without those whose creation failed; `project_id` restricts to the sessions of a project.
  std::vector<ModelRecord> models(const ListOptions& options, std::string_view project_id = {});
  int64_t count_models(std::string_view owner, std::string_view project_id = {});
  std::vector<ModelRecord> models_of_session(std::string_view session_id);
  /// Not unloaded, oldest first: what start-up brings back.
  std::vector<ModelRecord> live_models();

  // The journal (tables_operations.cpp).
  void insert(const OperationRecord& operation);
  std::optional<OperationRecord> operation(std::string_view request_id);
  std::optional<OperationRecord> operation(std::string_view model_id, int64_t seq_id);
  /// Ends an operation that is queued; false (and nothing written) when it has ended before.
  bool finish_operation(std::string_view request_id, const Outcome& outcome, std::string_view state_hash = {},
                        std::string_view cpu = {}, std::string_view build = {});
  void set_operation_reads(std::string_view request_id, std::string_view folder, std::string_view hash);
  /// Of one model with seq_id > `after`, ascending. Results are left out unless asked for: replay needs bodies only.
  std::vector<OperationRecord> operations(std::string_view model_id, int64_t after = -1, bool with_results = false,
                                          int64_t limit = -1);
  /// The same without bodies and results.
  std::vector<OperationRecord> operation_briefs(std::string_view model_id, int64_t after = INT64_MIN);
  int64_t last_seq_id(std::string_view model_id);  ///< -1: none
  void drop_body(std::string_view request_id);
  void drop_result(std::string_view request_id);

  // Samplers and samples (tables_samplers.cpp).
  void insert(const SamplerRecord& sampler);
  std::optional<SamplerRecord> sampler(std::string_view id);
  std::vector<SamplerRecord> samplers_of_session(std::string_view session_id);
  int64_t join_sampler(std::string_view id);  ///< 1, 2, 3...
  void remove_sampler(std::string_view id);   ///< with its samples
  void insert(const SampleRecord& sample);
  std::optional<SampleRecord> sample(std::string_view request_id);
  std::optional<SampleRecord> sample(std::string_view sampler_id, int64_t seq_id);
  bool finish_sample(std::string_view request_id, const Outcome& outcome);
  std::vector<SampleRecord> queued_samples();  ///< oldest first, with bodies
  /// Those that ended after `after`, with seq_id in [first, last], in the order in which they did; without bodies and
  /// results.
  std::vector<SampleRecord> finished_samples(std::string_view sampler_id, int64_t first, int64_t last, Time after);
  void remove_sample(std::string_view request_id);

  // Checkpoints (tables_checkpoints.cpp).
  void insert(const CheckpointRecord& checkpoint);
  /// Inserts, or replaces the one of that name. Returns the replaced one's folder; empty: there was none.
  std::string put(const CheckpointRecord& checkpoint);
  std::optional<CheckpointRecord> checkpoint(std::string_view run, CheckpointType type, std::string_view name);
  /// Returns what was removed; nothing: there was none.
  std::optional<CheckpointRecord> remove_checkpoint(std::string_view run, CheckpointType type, std::string_view name);
  void set_public(std::string_view run, CheckpointType type, std::string_view name, bool is_public);
  void set_expires(std::string_view run, CheckpointType type, std::string_view name, std::optional<Time> expires);
  void set_damage(std::string_view run, CheckpointType type, std::string_view name, std::string_view damage);
  std::vector<CheckpointRecord> checkpoints(const ListOptions& options);
  int64_t count_checkpoints(std::string_view owner);
  std::vector<CheckpointRecord> checkpoints_of_run(std::string_view run);
  std::vector<CheckpointRecord> expired_checkpoints(Time now);
  /// Every folder that a row needs: of checkpoints, samplers, internal checkpoints, and what operations read that
  /// replay of a live model would do again.
  std::vector<std::string> known_folders();
  bool folder_is_known(std::string_view folder);

  // Audit, usage, secrets (tables_accounts.cpp).
  void insert(const AuditRecord& entry);
  std::vector<AuditRecord> audit(std::string_view owner, Time from, Time to, int64_t limit = 10000);
  void add_usage(const UsageRecord& usage);
  std::vector<UsageRecord> usage(std::string_view owner, Time from, Time to);
  std::optional<std::string> secret(std::string_view id);
  void put_secret(std::string_view id, std::string_view value);

  // What retention looks for (tables_retention.cpp).
  /// Runs of sessions that ended at or before `ended`, with bodies or results still there, in the order of their ids,
  /// beginning after `after`.
  std::vector<ModelRecord> runs_with_contents(Time ended, std::string_view after, int64_t limit);
  /// Samplers of sessions that ended at or before `ended`.
  std::vector<SamplerRecord> ended_samplers(Time ended, int64_t limit);
  /// Unloaded models whose internal checkpoint is still recorded.
  std::vector<ModelRecord> unloaded_with_state(int64_t limit);
  void forget_state(std::string_view model_id);
  /// Folders that operations once read and no row needs any more.
  std::vector<std::string> folders_no_longer_read();
  std::vector<std::string> checkpoint_hashes();
  int64_t drop_audit(Time before, int64_t limit);
  int64_t free_pages();
  void give_pages_back(int64_t pages);  ///< makes the database file smaller

 private:
  Database& database_;
};

}  // namespace hearth::server
