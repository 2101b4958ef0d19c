// The allocator of each device.
#include "hearth/core/allocator.h"

#include <atomic>

#include "hearth/core/error.h"

namespace hearth {

namespace {
std::atomic<Allocator*> allocators[device_type_count];
}

void set_allocator(DeviceType type, Allocator* allocator) { allocators[int(type)].store(allocator); }

Allocator& allocator(Device device) {
  Allocator* found = allocators[int(device.type)].load(std::memory_order_acquire);
  if (!found) [[unlikely]] {
    install_backends();
    found = allocators[int(device.type)].load();
    check<DeviceError>(found != nullptr, "allocator: no ", device_type_name(device.type), " backend in this build");
  }
  return *found;
}

}  // namespace hearth
