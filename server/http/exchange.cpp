// What handlers hold of a request: it may outlive the connection and be used from any thread.
#include <utility>

#include "hearth/core/error.h"
#include "server/http/connection.h"
#include "server/http/log.h"

namespace hearth::server {

namespace {

/// Runs `fn(connection)` on the loop thread, if the connection is still there.
template <class Fn>
void on_loop(Loop& loop, const std::weak_ptr<Connection>& connection, Fn fn) {
  if (loop.in_loop_thread()) {
    if (const auto there = connection.lock()) fn(*there);
    return;
  }
  loop.post([connection, fn = std::move(fn)]() mutable {
    if (const auto there = connection.lock()) fn(*there);
  });
}

class ConnectionStream final : public StreamWriter::Sink {
 public:
  ConnectionStream(Loop& loop, std::weak_ptr<Connection> connection, std::uint64_t serial)
      : loop_(loop), connection_(std::move(connection)), serial_(serial) {}
  ~ConnectionStream() override {
    on_loop(loop_, connection_, [serial = serial_](Connection& c) { c.abandon(serial); });
  }
  bool write(std::string_view piece) override {
    const auto there = connection_.lock();
    return there && there->write_stream(serial_, piece);
  }
  void end() override {
    if (const auto there = connection_.lock()) there->end_stream(serial_);
  }
  bool gone() const override {
    const auto there = connection_.lock();
    return !there || !there->streams_to(serial_);
  }
  std::size_t waiting() const override {
    const auto there = connection_.lock();
    return there ? there->waiting() : 0;
  }

 private:
  Loop& loop_;
  std::weak_ptr<Connection> connection_;
  std::uint64_t serial_;
};

class ConnectionExchange final : public Respond::Exchange {
 public:
  ConnectionExchange(const std::shared_ptr<Connection>& connection, std::uint64_t serial)
      : loop_(connection->loop()), connection_(connection), serial_(serial) {}
  ~ConnectionExchange() override {
    if (!used_) on_loop(loop_, connection_, [serial = serial_](Connection& c) { c.abandon(serial); });
  }
  void answer(Response response) override {
    if (std::exchange(used_, true)) return;
    // Held by pointer: what is posted must be copyable.
    auto held = std::make_shared<Response>(std::move(response));
    on_loop(loop_, connection_, [serial = serial_, held](Connection& c) { c.answer(serial, std::move(*held)); });
  }
  StreamWriter stream(Response head) override {
    if (!std::exchange(used_, true))
      if (const auto there = connection_.lock()) there->begin_stream(serial_, std::move(head));
    return StreamWriter(std::make_shared<ConnectionStream>(loop_, connection_, serial_));
  }
  bool gone() const override {
    const auto there = connection_.lock();
    return !there || !there->waits_for(serial_);
  }
  void on_gone(std::function<void()> fn) override {
    if (const auto there = connection_.lock())
      there->on_gone(serial_, std::move(fn));
    else if (!used_)
      fn();
  }

 private:
  Loop& loop_;
  std::weak_ptr<Connection> connection_;
  std::uint64_t serial_;
  bool used_ = false;
};

}  // namespace

std::shared_ptr<Respond::Exchange> make_exchange(const std::shared_ptr<Connection>& connection, std::uint64_t serial) {
  return std::make_shared<ConnectionExchange>(connection, serial);
}

Response response_for(std::exception_ptr error, const std::string& route) {
  std::string what;
  try {
    std::rethrow_exception(error);
  } catch (const Error& e) {
    const bool ours = e.kind() == ErrorKind::Io || e.kind() == ErrorKind::Device || e.kind() == ErrorKind::OutOfMemory;
    if (!ours) return error_response(400, e.what());
    what = e.what();
  } catch (const std::exception& e) {
    what = e.what();
  } catch (...) {
    what = "unknown";
  }
  LogLine(LogLevel::error, "failed").field("route", route).field("error", what);
  return error_response(500, "internal error");
}

}  // namespace hearth::server
