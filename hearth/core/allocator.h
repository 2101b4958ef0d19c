// Allocator: what a device owes for memory. Backends install theirs; core only asks.
#pragma once

#include <cstddef>

#include "hearth/core/device.h"

namespace hearth {

struct AllocatorStats {
  size_t in_use = 0;    ///< bytes handed out now
  size_t peak = 0;      ///< largest `in_use` since the last reset
  size_t reserved = 0;  ///< bytes held from the operating system
};

/// Thread-safe. Memory is 64-byte aligned and not initialised.
class Allocator {
 public:
  virtual ~Allocator() = default;
  /// Raises OutOfMemoryError that names the sizes.
  virtual void* allocate(size_t bytes) = 0;
  virtual void deallocate(void* data, size_t bytes) = 0;
  virtual AllocatorStats stats() const = 0;
  virtual void reset_peak() = 0;
  /// Returns cached free memory to the operating system.
  virtual void trim() = 0;
};

/// The allocator of a device. Raises DeviceError when this build has no such backend.
Allocator& allocator(Device device);

/// Called by a backend's table.
void set_allocator(DeviceType type, Allocator* allocator);

/// Fills every slot of every backend in this build, once. Defined by backend/install.cpp.
void install_backends();

}  // namespace hearth
