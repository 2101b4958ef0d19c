// Storage: taking and returning memory.
#include "hearth/core/storage.h"

#include <algorithm>
#include <cstring>

#include "hearth/core/error.h"

namespace hearth {

// An empty tensor has an address too: adding an offset to a null pointer is undefined, even if nothing is read there.
Storage::Storage(Device device, size_t bytes)
    : data_(device.type == DeviceType::meta ? nullptr : allocator(device).allocate(bytes)),
      bytes_(bytes),
      device_(device) {}

Storage::Storage(Device device, void* data, size_t bytes, std::shared_ptr<const void> owner, bool writable)
    : data_(data), bytes_(bytes), owner_(std::move(owner)), device_(device), writable_(writable), owned_(false) {}

void Storage::resize(size_t bytes) {
  check<ValueError>(owned_, "resize_: memory that is not hearth's own cannot grow: ", bytes_, " to ", bytes, " bytes");
  if (device_.type == DeviceType::meta) {
    bytes_ = bytes;
    return;
  }
  void* fresh = allocator(device_).allocate(bytes);
  if (const size_t kept = std::min(bytes, bytes_)) std::memcpy(fresh, data_, kept);
  allocator(device_).deallocate(data_, bytes_);
  data_ = fresh;
  bytes_ = bytes;
}

Storage::~Storage() {
  if (owned_ && data_) allocator(device_).deallocate(data_, bytes_);
}

}  // namespace hearth
