// AdapterCache: the adapters of samplers, loaded when first needed, shared by content, the least used dropped first.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "llm/lora/adapter.h"

namespace hearth::server {

/// Lives on the worker thread. An adapter that requests still run on stays in memory until they end, cached or not.
class AdapterCache {
 public:
  using Adapter = std::shared_ptr<const llm::LoraAdapter>;
  explicit AdapterCache(int64_t limit) : limit_(limit) {}

  /// The adapter of a folder with this content hash; `load` is called where it is not there.
  Adapter get(const std::string& hash, const std::function<Adapter()>& load);
  void put(const std::string& hash, Adapter adapter);
  void drop(const std::string& hash);
  int64_t bytes() const { return bytes_; }

 private:
  struct Entry {
    std::string hash;
    Adapter adapter;
    int64_t bytes = 0;
  };
  std::list<Entry> entries_;  // newest first
  std::unordered_map<std::string, std::list<Entry>::iterator> at_;
  int64_t limit_, bytes_ = 0;
};

/// Memory of an adapter's weights.
int64_t adapter_bytes(const llm::LoraAdapter& adapter);

}  // namespace hearth::server
