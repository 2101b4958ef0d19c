// Futures: polls are told by completion or by their deadline, whichever comes first; one timer serves all deadlines.
#include "server/engine/futures.h"

#include <algorithm>

namespace hearth::server {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

int64_t bytes_of(const std::string& request_id, const Futures::Stored& stored) {
  constexpr int64_t entry = 256;
  return entry + static_cast<int64_t>(request_id.size() + stored.owner.size() + stored.answer.bytes.size() +
                                      stored.answer.error.size());
}

template <class Finish>
Completions completions_after(const Finish& finished, int64_t cursor) {
  Completions out;
  out.cursor = cursor;
  for (const auto& one : finished)
    if (one.cursor > cursor) {
      out.finished.push_back(one.one);
      out.cursor = one.cursor;
    }
  return out;
}

}  // namespace

Futures::Futures(Loop& loop, int64_t cache_bytes, Sources sources)
    : loop_(loop), sources_(std::move(sources)), cache_bytes_(cache_bytes) {}

Futures::~Futures() { timer_.cancel(); }

void Futures::begin(const std::string& request_id, const std::string& owner) { live_[request_id].owner = owner; }

void Futures::finish(const std::string& request_id, FutureAnswer answer) {
  const auto found = live_.find(request_id);
  if (found == live_.end()) return;
  Live live = std::move(found->second);
  live_.erase(found);
  keep(request_id, Stored{live.owner, answer});
  for (const uint64_t id : live.polls)
    if (polls_.count(id)) take_poll(id).then(answer);
}

void Futures::retrieve(const std::string& owner, const std::string& request_id, milliseconds hold,
                       Then<FutureAnswer> then) {
  const auto unknown = [&] { then(Refusal{404, "retrieve_future: no such request: " + request_id}); };
  if (const auto live = live_.find(request_id); live != live_.end()) {
    if (live->second.owner != owner) return unknown();
    Poll poll;
    poll.then = std::move(then);
    live->second.polls.push_back(next_poll_);
    poll.expire = [this, request_id, id = next_poll_] {
      FutureAnswer waiting;
      waiting.queue_reason = sources_.why(request_id);
      if (const auto still = live_.find(request_id); still != live_.end()) std::erase(still->second.polls, id);
      take_poll(id).then(std::move(waiting));
    };
    const uint64_t id = add_poll(hold, std::move(poll));
    if (hold.count() <= 0) std::exchange(polls_.at(id).expire, {})();
    return;
  }
  if (const auto kept = kept_at_.find(request_id); kept != kept_at_.end()) {
    if (kept->second->stored.owner != owner) return unknown();
    kept->second->used = steady_clock::now();
    kept_.splice(kept_.begin(), kept_, kept->second);
    return then(kept->second->stored.answer);
  }
  auto stored = sources_.stored(request_id);
  if (!stored || stored->owner != owner) return unknown();
  if (stored->dropped) return then(Refusal{410, "retrieve_future: the result was dropped: " + request_id});
  keep(request_id, *stored);
  then(std::move(stored->answer));
}

void Futures::complete(const std::string& sampler_id, int64_t clone, Finished finished) {
  const auto found = streams_.find({sampler_id, clone});
  if (found == streams_.end()) return;  // nobody has asked; the store remembers
  found->second.finished.push_back(finished);
  const auto polls = std::exchange(found->second.polls, {});
  for (const auto& [id, cursor] : polls)
    if (polls_.count(id)) {
      Completions answer;
      answer.finished = {finished.one};
      answer.cursor = finished.cursor;
      take_poll(id).then_many(std::move(answer));
    }
}

void Futures::retrieve_many(const std::string& sampler_id, int64_t clone, int64_t cursor, milliseconds hold,
                            Then<Completions> then) {
  const Key key{sampler_id, clone};
  auto found = streams_.find(key);
  if (found == streams_.end() || cursor < found->second.complete_from) {
    Stream& stream = streams_[key];
    stream.complete_from = cursor;
    const auto stored = sources_.finished(sampler_id, clone, cursor);
    const int64_t newest = stored.empty() ? cursor : stored.back().cursor;
    std::deque<Finished> all(stored.begin(), stored.end());
    for (const auto& one : stream.finished)
      if (one.cursor > newest) all.push_back(one);
    stream.finished = std::move(all);
    found = streams_.find(key);
  }
  Stream& stream = found->second;
  stream.asked = steady_clock::now();
  while (!stream.finished.empty() && stream.finished.front().cursor <= cursor) stream.finished.pop_front();
  stream.complete_from = std::max(stream.complete_from, cursor);
  Completions ready = completions_after(stream.finished, cursor);
  if (!ready.finished.empty() || hold.count() <= 0) return then(std::move(ready));
  Poll poll;
  poll.then_many = std::move(then);
  const uint64_t id = next_poll_;
  stream.polls.push_back({id, cursor});
  poll.expire = [this, key, id, cursor] {
    if (const auto still = streams_.find(key); still != streams_.end())
      std::erase_if(still->second.polls, [&](const auto& entry) { return entry.first == id; });
    Completions nothing;
    nothing.cursor = cursor;
    take_poll(id).then_many(std::move(nothing));
  };
  add_poll(hold, std::move(poll));
}

void Futures::forget(const std::string& request_id) {
  const auto found = kept_at_.find(request_id);
  if (found == kept_at_.end()) return;
  cached_bytes_ -= bytes_of(request_id, found->second->stored);
  kept_.erase(found->second);
  kept_at_.erase(found);
}

void Futures::forget_idle(milliseconds age) {
  const auto before = steady_clock::now() - age;
  while (!kept_.empty() && kept_.back().used <= before) forget(std::string(kept_.back().request_id));
  std::erase_if(streams_, [&](const auto& entry) {
    const Stream& stream = entry.second;
    return stream.polls.empty() && stream.asked <= before;
  });
}

uint64_t Futures::add_poll(milliseconds hold, Poll poll) {
  const uint64_t id = next_poll_++;
  poll.deadline = deadlines_.emplace(steady_clock::now() + hold, id);
  polls_.emplace(id, std::move(poll));
  arm();
  return id;
}

Futures::Poll Futures::take_poll(uint64_t id) {
  const auto found = polls_.find(id);
  Poll poll = std::move(found->second);
  deadlines_.erase(poll.deadline);
  polls_.erase(found);
  return poll;
}

// The timer is set anew only for an earlier deadline; one that comes too early finds nothing and is set again.
void Futures::arm() {
  if (deadlines_.empty()) return;
  const auto first = deadlines_.begin()->first;
  if (first >= armed_for_) return;
  timer_.cancel();
  armed_for_ = first;
  const auto wait = std::chrono::ceil<milliseconds>(first - steady_clock::now());
  timer_ = loop_.after(std::max(wait, milliseconds(0)), [this] { expire(); });
}

void Futures::expire() {
  armed_for_ = steady_clock::time_point::max();
  const auto now = steady_clock::now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    std::exchange(polls_.at(deadlines_.begin()->second).expire, {})();
  }
  arm();
}

void Futures::release() {
  while (!deadlines_.empty()) std::exchange(polls_.at(deadlines_.begin()->second).expire, {})();
}

void Futures::keep(const std::string& request_id, Stored stored) {
  const int64_t bytes = bytes_of(request_id, stored);
  if (bytes > cache_bytes_ || kept_at_.count(request_id)) return;
  kept_.push_front({request_id, std::move(stored), steady_clock::now()});
  kept_at_[request_id] = kept_.begin();
  cached_bytes_ += bytes;
  while (cached_bytes_ > cache_bytes_) {
    const Kept& last = kept_.back();
    cached_bytes_ -= bytes_of(last.request_id, last.stored);
    kept_at_.erase(last.request_id);
    kept_.pop_back();
  }
}

}  // namespace hearth::server
