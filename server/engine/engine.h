// Engine: sessions, models, samplers, their waiting requests and their results; all behind the wire and before the
// disk.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/engine/answers.h"
#include "server/engine/options.h"

namespace hearth::server {

class EngineState;
class Loop;
class Store;
struct Sample;
enum class CommandKind;

/// Lives on the loop thread: every member is called there and every callback runs there, sometimes before the call
/// returns. Models live on a worker thread of its own. What belongs to another owner is answered as if it did not
/// exist (404). After the destructor began no callback runs.
/// Example: Engine engine(loop, store, options); engine.recover([&](std::exception_ptr error) { server.listen(); });
class Engine {
 public:
  /// Raises ValueError for settings that cannot be (no model, two of one name). Loads nothing yet.
  Engine(Loop& loop, Store& store, EngineOptions options);
  /// Stops the worker after the step that it is in; nothing that was acknowledged is lost.
  ~Engine();
  Engine(const Engine&) = delete;

  /// Reads the record and brings every live model back: its newest recovery checkpoint, then its journal. Requests are
  /// accepted meanwhile and run after it. `done` gets what makes serving impossible, or nullptr.
  void recover(std::function<void(std::exception_ptr)> done);
  /// Finishes the running step, takes recovery checkpoints, then calls `done`; new requests are refused with 503.
  void drain(std::function<void()> done);

  // Training and sampling requests: `body` as it came (decompressed). Answered once it is durable. A repeat of
  // (model_id, seq_id), (session_id, model_seq_id) or (sampling_session_id, seq_id) gets the first answer.
  void submit(const std::string& owner, CommandKind kind, std::string body, Then<Accepted> then);
  void sample(const std::string& owner, std::string body, Then<Accepted> then);

  /// Answers as soon as the future is done or failed, at the latest after `hold` (then with `waiting`).
  void retrieve(const std::string& owner, const std::string& request_id, std::chrono::milliseconds hold,
                Then<FutureAnswer> then);
  /// The samples of one sampler and clone (seq_id / 10^9) that finished after `cursor`; waits up to `hold` for one.
  /// `retrieved` may be forgotten.
  void retrieve_many(const std::string& owner, const std::string& sampler_id, int64_t clone, int64_t cursor,
                     std::chrono::milliseconds hold, const std::vector<std::string>& retrieved, Then<Completions> then);
  /// Stops a request that is not finished; its future fails. Of training requests only those that have not begun.
  void cancel(const std::string& owner, const std::string& request_id);

  void create_session(const std::string& owner, NewSession session, Then<std::string> then);
  Reply<Nothing> heartbeat(const std::string& owner, const std::string& session_id);  ///< 410 once finished
  void finish_session(const std::string& owner, const std::string& session_id, const std::string& reason,
                      const std::string& detail, Then<Nothing> then);

  void create_sampler(const std::string& owner, NewSampler sampler, Then<std::string> then);
  void join_sampler(const std::string& owner, const std::string& sampler_id, Then<int64_t> then);
  Reply<SamplerInfo> sampler_info(const std::string& owner, const std::string& sampler_id);
  Reply<ModelInfo> model_info(const std::string& owner, const std::string& model_id);
  /// Models that are served, with what their config files say.
  std::vector<BaseModelInfo> base_models() const;

  // Checkpoints, by path ("tinker://RUN/weights/NAME"). Repeating a change is no error.
  Reply<WeightsInfo> weights_info(const std::string& owner, const std::string& path);
  void publish(const std::string& owner, const std::string& path, bool is_public, Then<Nothing> then);
  /// `ttl` in seconds from now; none: for ever.
  void set_ttl(const std::string& owner, const std::string& path, std::optional<int64_t> ttl, Then<Nothing> then);
  void delete_checkpoint(const std::string& owner, const std::string& path, Then<Nothing> then);
  /// The path of the copy, which is a run of its own that cannot be trained: in the session, or, without one, in a
  /// session of its own that belongs to the project. Both empty: of neither.
  void copy_weights(const std::string& owner, const std::string& path, const std::string& session_id,
                    const std::string& project_id, std::optional<int64_t> model_seq_id, std::optional<int64_t> ttl,
                    Then<std::string> then);

  /// For text endpoints: not in the journal, not kept. `model`: a served name, a sampler's id or a sampler checkpoint's
  /// path. `sample.prompt` is taken from `prompt` when that has text or messages. Returns a number for `stop_stream`.
  int64_t stream(const std::string& owner, const std::string& model, Prompt prompt, Sample sample,
                 std::function<void(const StreamedToken&)> on_token, Then<StreamEnd> on_end);
  void stop_stream(int64_t stream);

  EngineStatus status() const;

 private:
  std::shared_ptr<EngineState> state_;
};

}  // namespace hearth::server
