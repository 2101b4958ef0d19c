// Tensor: a handle to an n-dimensional array; arithmetic lives in hearth/ops as free functions.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "hearth/core/dtype.h"
#include "hearth/core/error.h"
#include "hearth/core/grad_mode.h"
#include "hearth/core/promote.h"
#include "hearth/core/shape.h"
#include "hearth/core/storage.h"

namespace hearth {

class TensorImpl;
class Node;
struct AutogradMeta;

/// One intrusive pointer. Copying a Tensor copies the handle, not the data; an undefined Tensor holds nothing.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<TensorImpl> impl) : impl_(std::move(impl)) {}

  /// Uninitialised contiguous memory. Raises ShapeError for negative sizes, OutOfMemoryError.
  static Tensor empty(const Shape& shape, Dtype dtype = Dtype::float32, Device device = {});

  bool defined() const { return bool(impl_); }
  TensorImpl* impl() const { return impl_.get(); }
  const Ref<TensorImpl>& ref() const { return impl_; }

  const Shape& shape() const;
  const Shape& strides() const;  ///< in elements
  int64_t size(int64_t dim) const;
  int64_t stride(int64_t dim) const;
  int dim() const;
  int64_t numel() const;
  int64_t offset() const;  ///< in elements from the start of the storage
  Dtype dtype() const;
  Device device() const;
  const Ref<Storage>& storage() const;
  bool is_contiguous() const;

  /// The first element. The typed form raises DtypeError when T is not the tensor's type.
  void* raw() const;
  template <class T>
  T* data() const {
    check<DtypeError>(dtype() == dtype_of<T>, "data: tensor holds ", dtype(), ", asked for ", dtype_of<T>);
    return static_cast<T*>(raw());
  }

  /// The only element as a C++ number. Raises ValueError when there is not exactly one, DtypeError for a complex one.
  double item() const;
  int64_t item_int() const;
  /// The only element in its own kind: bool, integer, double or complex. Raises ValueError as `item`.
  Scalar item_scalar() const;

  // Autograd state; see core/node.h for how ops record.
  bool requires_grad() const;
  /// Raises ValueError for a non-leaf, DtypeError for an integral tensor.
  const Tensor& set_requires_grad(bool value = true) const;
  bool is_leaf() const;
  Tensor grad() const;
  void set_grad(const Tensor& grad) const;
  Ref<Node> grad_fn() const;
  void retain_grad() const;
  uint32_t version() const;
  void bump_version() const;
  /// Runs `hook` on the gradient of this tensor; what it returns (if defined) replaces the gradient. Returns an id.
  int64_t register_hook(std::function<Tensor(const Tensor&)> hook) const;
  void remove_hook(int64_t id) const;

  /// The same memory without history; shares the version counter.
  Tensor detach() const;
  /// The same memory without history and with a version counter of its own (PyTorch's `.data`).
  Tensor data_view() const;
  /// A view of the same memory with another geometry, without history. Ops wrap it; it checks nothing.
  Tensor alias(const Shape& shape, const Shape& strides, int64_t offset) const;

  friend bool operator==(const Tensor&, const Tensor&) = delete;
  bool is_same(const Tensor& other) const { return impl_ == other.impl_; }

 private:
  Ref<TensorImpl> impl_;
};

using TensorList = std::vector<Tensor>;

class TensorImpl final : public RefCounted {
 public:
  TensorImpl(Ref<Storage> storage, Dtype dtype, const Shape& shape, const Shape& strides, int64_t offset);

  static void* operator new(size_t bytes);
  static void operator delete(void* pointer, size_t bytes);

  Ref<Storage> storage;
  Shape shape;
  Shape strides;
  int64_t offset;
  int64_t numel;
  Dtype dtype;
  bool contiguous;
  Ref<VersionCounter> own_version;     ///< set by data_view only
  std::unique_ptr<AutogradMeta> meta;  ///< made on first use
  void* object = nullptr;              ///< what a front end (Python) shows this tensor as while it lives; not owned

  AutogradMeta& autograd();

 private:
  ~TensorImpl() override;
};

namespace detail {
/// Raises DeviceError: only meta tensors have no data.
[[noreturn]] void fail_no_data(const Tensor& x);
}  // namespace detail

inline const Shape& Tensor::shape() const { return impl_->shape; }
inline const Shape& Tensor::strides() const { return impl_->strides; }
inline int64_t Tensor::size(int64_t dim) const { return impl_->shape[wrap_dim("size", dim, impl_->shape.size())]; }
inline int64_t Tensor::stride(int64_t dim) const {
  return impl_->strides[wrap_dim("stride", dim, impl_->shape.size())];
}
inline int Tensor::dim() const { return impl_->shape.size(); }
inline int64_t Tensor::numel() const { return impl_->numel; }
inline int64_t Tensor::offset() const { return impl_->offset; }
inline Dtype Tensor::dtype() const { return impl_->dtype; }
inline Device Tensor::device() const { return impl_->storage->device(); }
inline const Ref<Storage>& Tensor::storage() const { return impl_->storage; }
inline bool Tensor::is_contiguous() const { return impl_->contiguous; }
inline void* Tensor::raw() const {
  if (!impl_->storage->data()) [[unlikely]]
    detail::fail_no_data(*this);
  return static_cast<char*>(impl_->storage->data()) + size_t(impl_->offset) * dtype_size(impl_->dtype);
}

}  // namespace hearth
