// Shape: a short list of int64 (sizes or strides) that needs no heap up to six dimensions.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <iosfwd>
#include <span>
#include <vector>

namespace hearth {

class Shape {
 public:
  static constexpr int inline_capacity = 6;

  Shape() = default;
  Shape(std::initializer_list<int64_t> values) { assign(values.begin(), int(values.size())); }
  Shape(std::span<const int64_t> values) { assign(values.data(), int(values.size())); }
  Shape(const std::vector<int64_t>& values) { assign(values.data(), int(values.size())); }
  Shape(int size, int64_t value) {
    reserve_exactly(size);
    for (int i = 0; i < size; ++i) data()[i] = value;
  }
  Shape(const Shape& other) { assign(other.data(), other.size_); }
  Shape(Shape&& other) noexcept { steal(other); }
  Shape& operator=(const Shape& other) {
    if (this != &other) {
      free_heap();
      assign(other.data(), other.size_);
    }
    return *this;
  }
  Shape& operator=(Shape&& other) noexcept {
    if (this != &other) {
      free_heap();
      steal(other);
    }
    return *this;
  }
  ~Shape() { free_heap(); }

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const int64_t* data() const { return size_ <= inline_capacity ? inline_ : heap_; }
  int64_t* data() { return size_ <= inline_capacity ? inline_ : heap_; }
  int64_t operator[](int i) const { return data()[i]; }
  int64_t& operator[](int i) { return data()[i]; }
  const int64_t* begin() const { return data(); }
  const int64_t* end() const { return data() + size_; }
  int64_t* begin() { return data(); }
  int64_t* end() { return data() + size_; }
  int64_t back() const { return data()[size_ - 1]; }
  operator std::span<const int64_t>() const { return {data(), size_t(size_)}; }

  void insert(int position, int64_t value);
  void erase(int position);
  void push_back(int64_t value) { insert(size_, value); }

  /// Product of the sizes; 1 for a 0-dim shape.
  int64_t numel() const {
    int64_t n = 1;
    for (int i = 0; i < size_; ++i) n *= data()[i];
    return n;
  }

  friend bool operator==(const Shape& a, const Shape& b) {
    return a.size_ == b.size_ && std::memcmp(a.data(), b.data(), size_t(a.size_) * sizeof(int64_t)) == 0;
  }

 private:
  void reserve_exactly(int size) {
    size_ = size;
    if (size > inline_capacity) heap_ = new int64_t[size_t(size)];
  }
  void assign(const int64_t* values, int size) {
    reserve_exactly(size);
    if (size) std::memcpy(data(), values, size_t(size) * sizeof(int64_t));
  }
  void steal(Shape& other) noexcept {
    size_ = other.size_;
    std::memcpy(inline_, other.inline_, sizeof inline_);
    other.size_ = 0;
  }
  void free_heap() {
    if (size_ > inline_capacity) delete[] heap_;
    size_ = 0;
  }

  union {
    int64_t inline_[inline_capacity] = {};
    int64_t* heap_;
  };
  int size_ = 0;
};

std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// Row-major strides, in elements.
Shape contiguous_strides(const Shape& shape);

/// The shape that two shapes broadcast to. Raises ShapeError naming `op` when they do not.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

/// Product of the sizes with overflow check. Raises ShapeError for a negative size, OutOfMemoryError on overflow.
int64_t checked_numel(const char* op, const Shape& shape);

/// `dim` counted from the front: -1 means the last. Raises IndexError naming `op`. A 0-dim shape accepts 0 and -1.
int wrap_dim(const char* op, int64_t dim, int rank);

}  // namespace hearth
