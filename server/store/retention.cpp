// Retention: the plan for a run, and the pass that applies it step by step.
#include "server/store/retention.h"

#include <algorithm>
#include <set>

#include "server/store/names.h"
#include "server/store/store.h"

namespace hearth::server {

namespace {

// Rows changed in one transaction: a few milliseconds.
constexpr size_t slice = 500;
constexpr int64_t pages_slice = 256;
// Free pages that stay for what comes next.
constexpr int64_t pages_kept = 256;

bool over(std::optional<Time> since, std::optional<Time> keep, Time now) {
  return since && keep && now - *since >= *keep;
}

void apply(Store& store, const RunPlan& plan) {
  for (size_t at = 0; at < plan.bodies.size(); at += slice) {
    store.write_now([&](Tables& t) {
      for (size_t i = at; i < std::min(at + slice, plan.bodies.size()); ++i) t.drop_body(plan.bodies[i]);
    });
  }
  for (size_t at = 0; at < plan.results.size(); at += slice) {
    store.write_now([&](Tables& t) {
      for (size_t i = at; i < std::min(at + slice, plan.results.size()); ++i) t.drop_result(plan.results[i]);
    });
  }
}

void thin_runs(Store& store, const RetentionSettings& settings, Time now, RetentionReport& report) {
  if (!settings.results && !settings.bodies) return;
  const Time shortest = std::min(settings.results.value_or(INT64_MAX), settings.bodies.value_or(INT64_MAX));
  std::string after;
  for (;;) {
    std::vector<RunPlan> plans;
    // Looking happens on the writer thread too: the reading connection belongs to another thread.
    store.write_now([&](Tables& t) {
      for (const ModelRecord& model : t.runs_with_contents(now - shortest, after, 20)) {
        after = model.id;
        const auto session = t.session(model.session_id);
        plans.push_back(
            plan_run(model, session ? session->finished : std::nullopt, t.operation_briefs(model.id), settings, now));
      }
    });
    if (plans.empty()) return;
    for (const RunPlan& plan : plans) {
      apply(store, plan);
      report.bodies += int64_t(plan.bodies.size());
      report.results += int64_t(plan.results.size());
    }
  }
}

/// Drops folders that rows have just forgotten.
void drop(Store& store, const std::vector<std::string>& folders, RetentionReport& report) {
  for (const std::string& folder : folders) {
    if (!folder.empty()) store.drop_folder(folder);
  }
  report.folders += int64_t(folders.size());
}

void end_samplers(Store& store, const RetentionSettings& settings, Time now, RetentionReport& report) {
  if (!settings.results) return;
  for (;;) {
    std::vector<std::string> folders;
    int64_t removed = 0;
    store.write_now([&](Tables& t) {
      for (const SamplerRecord& sampler : t.ended_samplers(now - *settings.results, 20)) {
        t.remove_sampler(sampler.id);
        if (!sampler.snapshot_folder.empty()) folders.push_back(sampler.snapshot_folder);
        ++removed;
      }
    });
    report.samplers += removed;
    drop(store, folders, report);
    if (removed == 0) return;
  }
}

void expire_checkpoints(Store& store, Time now, RetentionReport& report) {
  std::vector<std::string> folders;
  store.write_now([&](Tables& t) {
    for (const CheckpointRecord& c : t.expired_checkpoints(now)) {
      t.remove_checkpoint(c.run, c.type, c.name);
      t.insert(
          AuditRecord{now, c.owner, "checkpoint_expired", c.run, CheckpointPath{c.run, c.type, c.name}.text(), "{}"});
      folders.push_back(c.folder);
    }
  });
  report.checkpoints += int64_t(folders.size());
  drop(store, folders, report);
}

void forget_states(Store& store, RetentionReport& report) {
  std::vector<std::string> folders;
  store.write_now([&](Tables& t) {
    for (const ModelRecord& model : t.unloaded_with_state(-1)) {
      folders.push_back(model.recovery_folder);
      t.forget_state(model.id);
    }
  });
  // Folders that were to go earlier, while a replay could still have read them.
  store.write_now([&](Tables& t) {
    for (std::string& folder : t.folders_no_longer_read()) {
      if (store.folders().exists(folder)) folders.push_back(std::move(folder));
    }
  });
  drop(store, folders, report);
}

void shrink(Store& store, RetentionReport& report) {
  for (;;) {
    int64_t given = 0;
    store.write_now([&](Tables& t) {
      const int64_t free = t.free_pages();
      given = std::min(free - pages_kept, pages_slice);
      if (given > 0) t.give_pages_back(given);
    });
    if (given <= 0) return;
    report.pages += given;
  }
}

}  // namespace

RunPlan plan_run(const ModelRecord& model, std::optional<Time> ended, const std::vector<OperationRecord>& operations,
                 const RetentionSettings& settings, Time now) {
  RunPlan plan;
  const bool bodies = over(ended, settings.bodies, now);
  const bool results = over(ended, settings.results, now);
  for (const OperationRecord& operation : operations) {
    if (operation.outcome.state == OperationState::queued) continue;
    if (!model.unloaded && operation.seq_id > model.recovery_seq) continue;
    if (bodies && !operation.body_dropped) plan.bodies.push_back(operation.request_id);
    if (results && !operation.outcome.dropped) plan.results.push_back(operation.request_id);
  }
  return plan;
}

RetentionReport run_retention(Store& store, const RetentionSettings& settings, Time now) {
  RetentionReport report;
  thin_runs(store, settings, now, report);
  end_samplers(store, settings, now, report);
  expire_checkpoints(store, now, report);
  forget_states(store, report);
  if (settings.audit) {
    for (int64_t removed = 1; removed > 0;) {
      store.write_now([&](Tables& t) { removed = t.drop_audit(now - *settings.audit, int64_t(slice)); });
    }
  }
  std::set<std::string> hashes;
  store.write_now([&](Tables& t) {
    for (std::string& hash : t.checkpoint_hashes()) hashes.insert(std::move(hash));
  });
  report.archives = store.archives().keep_only(hashes, settings.archive_bytes);
  shrink(store, report);
  // The folders that were dropped are in the trash when this returns.
  store.write_now({});
  return report;
}

}  // namespace hearth::server
