// Storage: taking and returning memory.
#include "hearth/core/storage.h"

namespace hearth {

// An empty tensor has an address too: adding an offset to a null pointer is undefined, even if nothing is read there.
Storage::Storage(Device device, size_t bytes)
    : data_(allocator(device).allocate(bytes)), bytes_(bytes), device_(device) {}

Storage::Storage(Device device, void* data, size_t bytes, std::shared_ptr<const void> owner, bool writable)
    : data_(data), bytes_(bytes), owner_(std::move(owner)), device_(device), writable_(writable), owned_(false) {}

Storage::~Storage() {
  if (owned_ && data_) allocator(device_).deallocate(data_, bytes_);
}

}  // namespace hearth
