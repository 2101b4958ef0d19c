// Message: protobuf bytes written field by field, right ones and wrong ones.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::test {

/// Example: Message().text(1, "s:train:0").number(2, 1).bytes
struct Message {
  std::string bytes;

  static std::string varint(uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7) out += char(value | 0x80);
    return out += char(value);
  }
  Message& number(int field, uint64_t value) {
    bytes += varint(uint64_t(field) << 3) + varint(value);
    return *this;
  }
  Message& text(int field, std::string_view value) {
    bytes += varint(uint64_t(field) << 3 | 2) + varint(value.size());
    bytes += value;
    return *this;
  }
  Message& real(int field, double value) {
    bytes += varint(uint64_t(field) << 3 | 1);
    bytes.append(reinterpret_cast<const char*>(&value), 8);
    return *this;
  }
  Message& fixed32(int field, uint32_t value) {
    bytes += varint(uint64_t(field) << 3 | 5);
    bytes.append(reinterpret_cast<const char*>(&value), 4);
    return *this;
  }
  Message& put(int field, const Message& inner) { return text(field, inner.bytes); }
};

template <class T>
std::string array_bytes(const std::vector<T>& values) {
  return std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

inline Message shaped(Message tensor, int dtype, const std::vector<int64_t>& shape) {
  tensor.number(3, dtype);
  for (const int64_t dimension : shape) tensor.number(4, uint64_t(dimension));
  return tensor;
}
inline Message floats(const std::vector<float>& values, const std::vector<int64_t>& shape) {
  return shaped(Message().text(1, array_bytes(values)), 1, shape);
}
inline Message integers(const std::vector<int64_t>& values, const std::vector<int64_t>& shape) {
  return shaped(Message().text(1, array_bytes(values)), 2, shape);
}
inline Message sparse(const std::vector<float>& values, const std::vector<int64_t>& row_starts,
                      const std::vector<int64_t>& columns, const std::vector<int64_t>& shape) {
  const Message csr =
      Message().text(1, array_bytes(values)).text(2, array_bytes(row_starts)).text(3, array_bytes(columns));
  return shaped(Message().put(2, csr), 1, shape);
}
inline Message tokens(const std::vector<int32_t>& ids) { return Message().put(1, Message().text(1, array_bytes(ids))); }
inline Message input(std::string_view name, const Message& tensor) { return Message().text(1, name).put(2, tensor); }
inline Message datum(const std::vector<int32_t>& ids) { return Message().put(1, tokens(ids)); }
inline Message request(const Message& datum) {
  return Message().text(1, "s:train:0").number(2, 1).put(3, datum).text(4, "cross_entropy");
}

}  // namespace hearth::test
