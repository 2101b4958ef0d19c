// UnknownFields: fields of newer clients that this server has never heard of, each said once.
#include "server/wire/unknown_fields.h"

namespace hearth::server {

bool UnknownFields::note(std::string_view request, std::string_view field) {
  constexpr size_t most = 256, longest = 100;
  std::string name = std::string(request) + "." + std::string(field.substr(0, longest));
  {
    const std::lock_guard lock(mutex_);
    if (names_.size() >= most || !names_.insert(name).second) return false;
  }
  if (tell_) tell_(name);
  return true;
}

std::set<std::string> UnknownFields::names() const {
  const std::lock_guard lock(mutex_);
  return names_;
}

}  // namespace hearth::server
