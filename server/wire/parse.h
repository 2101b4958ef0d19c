// Parsing protobuf without a word on the console: what is wrong with a message is said to its sender.
#pragma once

#include <google/protobuf/stubs/logging.h>

#include <cstdint>
#include <string_view>

#include "hearth/core/error.h"

namespace hearth::server {

/// Raises ValueError for bytes that are no such message, or hold a text that is not UTF-8.
template <class Message>
Message parse_message(std::string_view bytes, std::string_view name) {
  static const auto quiet = google::protobuf::SetLogHandler(nullptr);
  static_cast<void>(quiet);
  Message message;
  check<ValueError>(bytes.size() < size_t(INT32_MAX), name, ": more than 2 GiB: ", bytes.size(), " bytes");
  check<ValueError>(message.ParseFromArray(bytes.data(), int(bytes.size())), name,
                    ": the message is broken, or a text in it is not UTF-8");
  return message;
}

}  // namespace hearth::server
