// Futures: who waits for which result, and the newest results. Older ones come from the store.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "server/engine/answers.h"
#include "server/http/loop.h"

namespace hearth::server {

/// Lives on the loop thread. Memory: one entry for each request that is not finished and for each open poll, and
/// results up to a bound.
class Futures {
 public:
  /// A finished request as the store has it; `dropped`: retention took its result.
  struct Stored {
    std::string owner;
    FutureAnswer answer;
    bool dropped = false;
  };
  struct Finished {
    int64_t cursor = 0;
    Completions::One one;
  };
  struct Sources {
    /// A finished request that is not in memory.
    std::function<std::optional<Stored>(const std::string& request_id)> stored;
    /// Finished samples of a sampler and clone after a cursor, in order.
    std::function<std::vector<Finished>(const std::string& sampler_id, int64_t clone, int64_t cursor)> finished;
    /// Why a request still waits, in words; may be empty.
    std::function<std::string(const std::string& request_id)> why;
  };

  Futures(Loop& loop, int64_t cache_bytes, Sources sources);
  ~Futures();
  Futures(const Futures&) = delete;

  /// A request that was accepted: until `finish`, asking for it waits.
  void begin(const std::string& request_id, const std::string& owner);
  /// The result is durable: tells all who wait and keeps it in the cache.
  void finish(const std::string& request_id, FutureAnswer answer);
  /// Tells those who wait for samples of a sampler and clone; cursors must ascend.
  void complete(const std::string& sampler_id, int64_t clone, Finished finished);

  /// Waits at most `hold`. 404 for what is unknown or another owner's, 410 for a result that retention took.
  void retrieve(const std::string& owner, const std::string& request_id, std::chrono::milliseconds hold,
                Then<FutureAnswer> then);
  void retrieve_many(const std::string& sampler_id, int64_t clone, int64_t cursor, std::chrono::milliseconds hold,
                     Then<Completions> then);
  /// Ends all waiting now, as if its time were over: the server stops.
  void release();
  /// The result is not needed in memory any more.
  void forget(const std::string& request_id);
  /// Nor is what nobody asked about for so long: results and cursors come from the store again.
  void forget_idle(std::chrono::milliseconds age);

  bool waits(const std::string& request_id) const { return live_.count(request_id) > 0; }
  int64_t open_polls() const { return static_cast<int64_t>(polls_.size()); }
  int64_t cached_bytes() const { return cached_bytes_; }
  int64_t streams() const { return static_cast<int64_t>(streams_.size()); }

 private:
  using Key = std::pair<std::string, int64_t>;  // sampler and clone
  struct Live {
    std::string owner;
    std::vector<uint64_t> polls;
  };
  struct Poll {
    std::function<void()> expire;
    std::multimap<std::chrono::steady_clock::time_point, uint64_t>::iterator deadline;
    Then<FutureAnswer> then;
    Then<Completions> then_many;
  };
  struct Kept {
    std::string request_id;
    Stored stored;
    std::chrono::steady_clock::time_point used;
  };
  struct Stream {
    std::deque<Finished> finished;  // all after `complete_from`
    int64_t complete_from = 0;
    std::chrono::steady_clock::time_point asked;
    std::vector<std::pair<uint64_t, int64_t>> polls;  // with the cursor of each
  };

  uint64_t add_poll(std::chrono::milliseconds hold, Poll poll);
  Poll take_poll(uint64_t id);
  void arm();
  void expire();
  void keep(const std::string& request_id, Stored stored);

  Loop& loop_;
  Sources sources_;
  std::unordered_map<std::string, Live> live_;
  std::unordered_map<uint64_t, Poll> polls_;
  std::multimap<std::chrono::steady_clock::time_point, uint64_t> deadlines_;
  uint64_t next_poll_ = 1;
  Timer timer_;
  std::chrono::steady_clock::time_point armed_for_ = std::chrono::steady_clock::time_point::max();
  std::list<Kept> kept_;  // newest first
  std::unordered_map<std::string, std::list<Kept>::iterator> kept_at_;
  int64_t cache_bytes_, cached_bytes_ = 0;
  std::map<Key, Stream> streams_;
};

}  // namespace hearth::server
