// Block: memory of the CPU's allocator with an owner, for packed operands and scratch.
#pragma once

#include <cstddef>
#include <utility>

#include "hearth/backend/cpu/allocator.h"

namespace hearth::cpu {

/// Owns `bytes()` uninitialised bytes, 64-byte aligned, on huge pages where that pays.
class Block {
 public:
  Block() = default;
  /// Raises OutOfMemoryError that names the size.
  explicit Block(size_t bytes) : data_(bytes ? cpu_allocator().allocate(bytes) : nullptr), bytes_(bytes) {}
  Block(Block&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Block& operator=(Block&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Block() {
    if (data_) cpu_allocator().deallocate(data_, bytes_);
  }

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  /// The memory, at least `bytes` of it; what it held is lost when it has to grow.
  void* at_least(size_t bytes) {
    if (bytes > bytes_) {
      *this = Block();  // returned first, so that both need not exist at once
      *this = Block(bytes);
    }
    return data_;
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace hearth::cpu
