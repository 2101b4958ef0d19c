// AdapterCache: a list in the order of use.
#include "server/engine/adapter_cache.h"

namespace hearth::server {

int64_t adapter_bytes(const llm::LoraAdapter& adapter) {
  int64_t bytes = 0;
  for (const auto& tensor : adapter.parameters())
    bytes += tensor.numel() * static_cast<int64_t>(dtype_size(tensor.dtype()));
  return bytes;
}

AdapterCache::Adapter AdapterCache::get(const std::string& hash, const std::function<Adapter()>& load) {
  if (const auto found = at_.find(hash); found != at_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->adapter;
  }
  Adapter adapter = load();
  put(hash, adapter);
  return adapter;
}

void AdapterCache::put(const std::string& hash, Adapter adapter) {
  if (at_.count(hash)) return;
  const int64_t bytes = adapter_bytes(*adapter);
  entries_.push_front({hash, std::move(adapter), bytes});
  at_[hash] = entries_.begin();
  bytes_ += bytes;
  while (bytes_ > limit_ && entries_.size() > 1) {
    bytes_ -= entries_.back().bytes;
    at_.erase(entries_.back().hash);
    entries_.pop_back();
  }
}

void AdapterCache::drop(const std::string& hash) {
  const auto found = at_.find(hash);
  if (found == at_.end()) return;
  bytes_ -= found->second->bytes;
  entries_.erase(found->second);
  at_.erase(found);
}

}  // namespace hearth::server
