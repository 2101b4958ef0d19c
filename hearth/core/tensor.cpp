// Tensor: creation, geometry, access.
#include "hearth/core/tensor.h"

#include "hearth/core/dispatch.h"
#include "hearth/core/node.h"

namespace hearth {

namespace {

bool is_contiguous_layout(const Shape& shape, const Shape& strides) {
  int64_t expected = 1;
  for (int i = shape.size() - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] == 1) continue;
    if (strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

/// Free list of TensorImpl blocks, one per thread; a small eager op then takes no lock and no malloc.
struct ImplPool {
  static constexpr int capacity = 256;
  void* blocks[capacity];
  int count = 0;
  bool alive = true;
  ~ImplPool() {
    alive = false;
    while (count) ::operator delete(blocks[--count]);
  }
};
thread_local ImplPool impl_pool;

}  // namespace

void* TensorImpl::operator new(size_t bytes) {
  if (impl_pool.count) return impl_pool.blocks[--impl_pool.count];
  return ::operator new(bytes);
}

void TensorImpl::operator delete(void* pointer, size_t) {
  if (impl_pool.alive && impl_pool.count < ImplPool::capacity)
    impl_pool.blocks[impl_pool.count++] = pointer;
  else
    ::operator delete(pointer);
}

TensorImpl::TensorImpl(Ref<Storage> s, Dtype d, const Shape& sizes, const Shape& steps, int64_t start)
    : storage(std::move(s)),
      shape(sizes),
      strides(steps),
      offset(start),
      numel(sizes.numel()),
      dtype(d),
      contiguous(is_contiguous_layout(sizes, steps)) {}

TensorImpl::~TensorImpl() = default;

AutogradMeta& TensorImpl::autograd() {
  if (!meta) meta = std::make_unique<AutogradMeta>();
  return *meta;
}

Tensor Tensor::empty(const Shape& shape, Dtype dtype, Device device) {
  const int64_t n = checked_numel("empty", shape);
  int64_t bytes = 0;
  check<OutOfMemoryError>(!__builtin_mul_overflow(n, int64_t(dtype_size(dtype)), &bytes),
                          "empty: byte count overflows: ", shape, " of ", dtype);
  return Tensor(
      make_ref<TensorImpl>(make_ref<Storage>(device, size_t(bytes)), dtype, shape, contiguous_strides(shape), 0));
}

double Tensor::item() const {
  check<ValueError>(numel() == 1, "item: tensor must have one element: shape ", shape());
  double value = 0;
  dispatch(RealTypes{}, dtype(), "item", [&]<class T>() { value = double(*data<T>()); });
  return value;
}

int64_t Tensor::item_int() const {
  check<ValueError>(numel() == 1, "item: tensor must have one element: shape ", shape());
  int64_t value = 0;
  dispatch(RealTypes{}, dtype(), "item", [&]<class T>() { value = int64_t(*data<T>()); });
  return value;
}

Scalar Tensor::item_scalar() const {
  check<ValueError>(numel() == 1, "item: tensor must have one element: shape ", shape());
  Scalar value = 0;
  dispatch(AllTypes{}, dtype(), "item", [&]<class T>() {
    const T element = *data<T>();
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, uint64_t>)
      value = Scalar(element);
    else if constexpr (std::is_integral_v<T>)
      value = Scalar(int64_t(element));
    else if constexpr (requires { element.imag(); })
      value = Scalar(std::complex<double>(element));
    else
      value = Scalar(double(element));
  });
  return value;
}

Tensor Tensor::alias(const Shape& shape, const Shape& strides, int64_t offset) const {
  Ref<TensorImpl> view = make_ref<TensorImpl>(impl_->storage, impl_->dtype, shape, strides, offset);
  view->own_version = impl_->own_version;
  return Tensor(std::move(view));
}

Tensor Tensor::detach() const { return alias(shape(), strides(), offset()); }

Tensor Tensor::data_view() const {
  Tensor view = detach();
  view.impl()->own_version = make_ref<VersionCounter>();
  return view;
}

uint32_t Tensor::version() const {
  return impl_->own_version ? impl_->own_version->value.load() : impl_->storage->version.load();
}

void Tensor::bump_version() const { ++(impl_->own_version ? impl_->own_version->value : impl_->storage->version); }

void detail::fail_no_data(const Tensor& x) {
  fail<NotImplementedError>("meta: a tensor on the meta device has a shape but no data to read or write: shape ",
                            x.shape());
}

}  // namespace hearth
