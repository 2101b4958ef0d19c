// Protobuf reader: walks the fields of one message in wire format; every length is checked before use.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "hearth/core/error.h"

namespace hearth::llm {

class ProtobufReader {
 public:
  ProtobufReader(std::string_view message, const std::string& name) : rest_(message), name_(name) {}

  /// Moves to the next field; false at the end. The value of the field before it is done with.
  bool next() {
    if (rest_.empty()) return false;
    const uint64_t key = varint();
    field_ = key >> 3;
    wire_ = static_cast<int>(key & 7);
    check<ValueError>(field_ > 0, name_, ": protobuf: field number 0");
    switch (wire_) {
      case 0:
        number_ = varint();
        break;
      case 1:
        bytes_ = take(8);
        break;
      case 2:
        bytes_ = take(varint());
        break;
      case 5:
        bytes_ = take(4);
        break;
      default:
        fail<ValueError>(name_, ": protobuf: wire type ", wire_, " of field ", field_);
    }
    return true;
  }

  uint64_t field() const { return field_; }

  uint64_t number() const {
    expect(0, "a number");
    return number_;
  }
  bool flag() const { return number() != 0; }
  int32_t int32() const { return static_cast<int32_t>(number()); }
  std::string_view bytes() const {
    expect(2, "a string");
    return bytes_;
  }
  float float32() const {
    expect(5, "a float");
    uint32_t bits = 0;
    std::memcpy(&bits, bytes_.data(), sizeof bits);
    return std::bit_cast<float>(bits);
  }

 private:
  void expect(int wire, const char* what) const {
    check<ValueError>(wire_ == wire, name_, ": protobuf: field ", field_, " should be ", what);
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      check<ValueError>(!rest_.empty(), name_, ": protobuf: truncated number");
      const unsigned char byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    fail<ValueError>(name_, ": protobuf: a number has more than ten bytes");
  }

  std::string_view take(uint64_t length) {
    check<ValueError>(length <= rest_.size(), name_, ": protobuf: field ", field_, " of ", length, " bytes, ",
                      rest_.size(), " are left");
    const std::string_view taken = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return taken;
  }

  std::string_view rest_;
  const std::string& name_;
  uint64_t field_ = 0;
  int wire_ = 0;
  uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace hearth::llm
