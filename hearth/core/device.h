// Device: where a tensor's memory lives.
#pragma once

#include <cstdint>
#include <ostream>

namespace hearth {

enum class DeviceType : uint8_t { cpu, cuda, meta };

inline constexpr int device_type_count = 3;

struct Device {
  DeviceType type = DeviceType::cpu;
  int8_t index = 0;
  friend bool operator==(const Device&, const Device&) = default;
};

inline const char* device_type_name(DeviceType type) {
  return type == DeviceType::cpu ? "cpu" : type == DeviceType::meta ? "meta" : "cuda";
}

inline std::ostream& operator<<(std::ostream& out, Device device) {
  out << device_type_name(device.type);
  if (device.type != DeviceType::cpu) out << ':' << int(device.index);
  return out;
}

}  // namespace hearth
