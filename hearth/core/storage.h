// Storage: a block of memory on a device that tensors share, with the version that in-place writes bump.
#pragma once

#include <atomic>
#include <memory>

#include "hearth/core/allocator.h"
#include "hearth/core/ref.h"

namespace hearth {

/// Counts in-place writes; views of one tensor share it.
class VersionCounter : public RefCounted {
 public:
  std::atomic<uint32_t> value{0};
};

class Storage final : public RefCounted {
 public:
  /// `bytes` of uninitialised memory from the device's allocator.
  Storage(Device device, size_t bytes);

  /// Memory that somebody else owns, e.g. a mapped file: `owner` keeps it alive. Writing to read-only memory is
  /// refused by the ops when `writable` is false.
  Storage(Device device, void* data, size_t bytes, std::shared_ptr<const void> owner, bool writable);

  /// Makes room for `bytes`, keeping what is there; the address changes. Raises ValueError for somebody else's memory.
  void resize(size_t bytes);

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }
  bool writable() const { return writable_; }

  std::atomic<uint32_t> version{0};

 private:
  ~Storage() override;

  void* data_;
  size_t bytes_;
  std::shared_ptr<const void> owner_;
  Device device_;
  bool writable_ = true;
  bool owned_ = true;
};

}  // namespace hearth
