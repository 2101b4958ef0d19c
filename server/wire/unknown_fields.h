// UnknownFields: fields of newer clients that this server has never heard of, each said once.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace hearth::server {

/// Remembers the names of fields that decoders skipped and tells each new one once, e.g. to the log. For several
/// threads. Example: UnknownFields unknown([&](const std::string& name) { log->warn("unknown field {}", name); });
class UnknownFields {
 public:
  explicit UnknownFields(std::function<void(const std::string&)> tell = {}) : tell_(std::move(tell)) {}

  /// Notes "REQUEST.FIELD"; returns whether it is new. After 256 names no more are kept or told: a client may invent
  /// as many as it likes.
  bool note(std::string_view request, std::string_view field);

  std::set<std::string> names() const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string> names_;
  std::function<void(const std::string&)> tell_;
};

}  // namespace hearth::server
