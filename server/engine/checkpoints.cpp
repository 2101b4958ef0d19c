// EngineState, checkpoints: found by path, changed by their owner, kept as long as anything needs their files.
#include "hearth/core/error.h"
#include "server/engine/state.h"
#include "server/store/names.h"

namespace hearth::server {

// Another owner's is there only if it is public, and never to be changed.
std::optional<CheckpointRecord> EngineState::checkpoint(const std::string& owner, const std::string& path,
                                                        bool to_change) {
  CheckpointPath parts;
  try {
    parts = parse_checkpoint_path(path);
  } catch (const std::exception&) {
    return {};
  }
  std::optional<CheckpointRecord> record;
  if (const auto fresh = uncommitted_.find(parts.text()); fresh != uncommitted_.end())
    record = fresh->second;
  else
    record = store_.read().checkpoint(parts.run, parts.type, parts.name);
  if (!record || (record->owner != owner && (to_change || !record->is_public))) return {};
  if (record->expires && *record->expires <= now()) return {};
  return record;
}

Reply<WeightsInfo> EngineState::weights_info(const std::string& owner, const std::string& path) {
  const auto record = checkpoint(owner, path, false);
  if (!record) return Refusal{404, "no such checkpoint: " + path};
  return WeightsInfo{record->base_model, record->rank, record->train_mlp, record->train_attn, record->train_unembed};
}

void EngineState::change_checkpoint(const std::string& owner, const std::string& path, const std::string& event,
                                    Then<Nothing> then,
                                    std::function<std::string(Tables&, const CheckpointRecord&)> change) {
  const auto record = checkpoint(owner, path, true);
  if (!record) return then(Refusal{404, "no such checkpoint: " + path});
  AuditRecord audit{now(), owner, event, record->run, path, "{}"};
  const auto folder = std::make_shared<std::string>();
  write(
      [record = *record, change = std::move(change), audit, folder](Tables& tables) {
        *folder = change(tables, record);
        tables.insert(audit);
      },
      [this, then, folder](std::exception_ptr error) {
        if (error) return then(Refusal{503, failure_of(error).message, 1});
        if (!folder->empty()) store_.drop_folder(*folder);
        then(Nothing{});
      });
}

void EngineState::publish(const std::string& owner, const std::string& path, bool is_public, Then<Nothing> then) {
  change_checkpoint(owner, path, is_public ? "publish" : "unpublish", std::move(then),
                    [is_public](Tables& tables, const CheckpointRecord& record) {
                      tables.set_public(record.run, record.type, record.name, is_public);
                      return std::string();
                    });
}

void EngineState::set_ttl(const std::string& owner, const std::string& path, std::optional<int64_t> ttl,
                          Then<Nothing> then) {
  if (ttl && *ttl <= 0) return then(Refusal{400, "ttl_seconds must be positive: " + std::to_string(*ttl)});
  std::optional<Time> expires;
  if (ttl) expires = now() + *ttl * second;
  change_checkpoint(owner, path, "set_ttl", std::move(then), [expires](Tables& tables, const CheckpointRecord& record) {
    tables.set_expires(record.run, record.type, record.name, expires);
    return std::string();
  });
}

void EngineState::delete_checkpoint(const std::string& owner, const std::string& path, Then<Nothing> then) {
  CheckpointPath parts;
  try {
    parts = parse_checkpoint_path(path);
  } catch (const std::exception& error) {
    return then(Refusal{400, error.what()});
  }
  const auto record = store_.read().checkpoint(parts.run, parts.type, parts.name);
  if (!record || record->owner != owner) return then(Refusal{404, "no such checkpoint: " + path});
  AuditRecord audit{now(), owner, "delete_checkpoint", record->run, path, "{}"};
  const auto folder = std::make_shared<std::string>();
  write(
      [parts, audit, folder](Tables& tables) {
        // A repeat, or the end of its time at the same moment, finds nothing.
        const auto removed = tables.remove_checkpoint(parts.run, parts.type, parts.name);
        if (!removed) return;
        *folder = removed->folder;
        tables.insert(audit);
      },
      [this, then, folder](std::exception_ptr error) {
        if (error) return then(Refusal{503, failure_of(error).message, 1});
        if (!folder->empty()) store_.drop_folder(*folder);
        then(Nothing{});
      });
}

// The copy shares the files: they never change and stay as long as a row names them.
void EngineState::copy_weights(const std::string& owner, const std::string& path, const std::string& session_id,
                               const std::string& project_id, std::optional<int64_t> model_seq_id,
                               std::optional<int64_t> ttl, Then<std::string> then) {
  const auto source = checkpoint(owner, path, false);
  if (!source) return then(Refusal{404, "no such checkpoint: " + path});
  if (ttl && *ttl <= 0) return then(Refusal{400, "ttl_seconds must be positive: " + std::to_string(*ttl)});
  const Time time = now();
  if (!session_id.empty())
    if (const auto refusal = session_refusal(owner, session_id)) return then(*refusal);
  SessionRecord place;
  place.id = session_id.empty() ? "copy-" + std::to_string(time) : session_id;
  place.owner = owner;
  place.created = place.last_seen = time;
  place.finished = time;
  place.finish_reason = "success";
  place.project_id = project_id;
  ModelRecord run;
  run.id = training_id(place.id, session_id.empty() ? 0 : model_seq_id.value_or(time));
  run.session_id = place.id;
  run.owner = owner;
  run.base_model = source->base_model;
  run.base_fingerprint = source->base_fingerprint;
  run.rank = source->rank;
  run.train_mlp = source->train_mlp;
  run.train_attn = source->train_attn;
  run.train_unembed = source->train_unembed;
  run.created = run.last_request = time;
  run.unloaded = time;
  run.from_path = path;
  CheckpointRecord copy = *source;
  copy.run = run.id;
  copy.owner = owner;
  copy.created = time;
  copy.is_public = false;
  copy.expires.reset();
  if (ttl) copy.expires = time + *ttl * second;
  const std::string copied = CheckpointPath{copy.run, copy.type, copy.name}.text();
  AuditRecord audit{time, owner, "copy_weights", run.id, copied, "{}"};
  write(
      [run, copy, audit, place](Tables& tables) {
        if (!tables.session(place.id)) tables.insert(place);
        if (!tables.model(run.id)) tables.insert(run);
        if (tables.checkpoint(copy.run, copy.type, copy.name)) return;  // a repeat
        tables.insert(copy);
        tables.insert(audit);
      },
      [copied, then](std::exception_ptr error) {
        if (error) return then(Refusal{503, failure_of(error).message, 1});
        then(copied);
      });
}

}  // namespace hearth::server
