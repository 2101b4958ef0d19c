// Errors: one exception class per kind, and `check`, which builds "op: rule broken: what was seen" only when it fails.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace hearth {

enum class ErrorKind { Shape, Dtype, Device, Index, Value, Io, OutOfMemory, NotImplemented };

/// Base of every exception that hearth throws; `kind()` tells the class without a cast.
class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message) : std::runtime_error(message), kind_(kind) {}
  ErrorKind kind() const { return kind_; }

 private:
  ErrorKind kind_;
};

template <ErrorKind K>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& message) : Error(K, message) {}
};

using ShapeError = ErrorOf<ErrorKind::Shape>;
using DtypeError = ErrorOf<ErrorKind::Dtype>;
using DeviceError = ErrorOf<ErrorKind::Device>;
using IndexError = ErrorOf<ErrorKind::Index>;
using ValueError = ErrorOf<ErrorKind::Value>;
using IoError = ErrorOf<ErrorKind::Io>;
using OutOfMemoryError = ErrorOf<ErrorKind::OutOfMemory>;
using NotImplementedError = ErrorOf<ErrorKind::NotImplemented>;

/// Throws `E` with the streamed pieces as its message.
template <class E, class... Pieces>
[[noreturn, gnu::cold, gnu::noinline]] void fail(const Pieces&... pieces) {
  std::ostringstream out;
  (out << ... << pieces);
  throw E(out.str());
}

/// Throws `E` unless `ok`; the message is built only on failure.
/// Example: check<ShapeError>(k == k2, "matmul: inner dimensions differ: ", a.shape(), " x ", b.shape());
template <class E, class... Pieces>
inline void check(bool ok, const Pieces&... pieces) {
  if (!ok) [[unlikely]]
    fail<E>(pieces...);
}

}  // namespace hearth
