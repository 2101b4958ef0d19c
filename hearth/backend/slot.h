// Slot: the place of one kernel, one function per device; an empty slot is one uniform error.
#pragma once

#include <type_traits>

#include "hearth/core/allocator.h"
#include "hearth/core/device.h"
#include "hearth/core/error.h"

namespace hearth {

template <class F>
class Slot;

/// A contract header in backend/kernels declares `using SoftmaxFn = void(const Tensor& y, const Tensor& x);` and
/// `inline constinit Slot<SoftmaxFn> softmax{"softmax"};`; a backend's table assigns it; an op calls it with the
/// device.
template <class R, class... Args>
class Slot<R(Args...)> {
 public:
  using Function = R(Args...);

  constexpr explicit Slot(const char* name) : name_(name) {}

  void set(DeviceType device, Function* function) { functions_[int(device)] = function; }
  bool has(DeviceType device) {
    if (!functions_[int(device)]) install_backends();
    return functions_[int(device)] != nullptr;
  }

  R operator()(Device device, Args... args) {
    Function* function = functions_[int(device.type)];
    if (!function) [[unlikely]] {
      // A meta tensor has a shape and no data: there is nothing to compute, unless a number has to come out.
      if (device.type == DeviceType::meta) {
        if constexpr (std::is_void_v<R>) return;
        fail<NotImplementedError>(name_, ": the result depends on data, which a meta tensor has not");
      }
      install_backends();
      function = functions_[int(device.type)];
      check<NotImplementedError>(function != nullptr, name_, ": no ", device_type_name(device.type),
                                 " kernel in this build");
    }
    return function(static_cast<Args>(args)...);
  }

 private:
  const char* name_;
  Function* functions_[device_type_count] = {};
};

}  // namespace hearth
