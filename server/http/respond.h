// How a handler answers: at once, later, or piece by piece.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "server/http/response.h"

namespace hearth::server {

/// The rest of an answer whose head was sent; made by Respond::stream. A handle; everything on the loop thread.
class StreamWriter {
 public:
  /// Where the pieces go; the server's own, and a test's.
  struct Sink {
    virtual ~Sink() = default;
    virtual bool write(std::string_view piece) = 0;
    virtual void end() = 0;
    virtual bool gone() const = 0;
    virtual std::size_t waiting() const = 0;
  };
  explicit StreamWriter(std::shared_ptr<Sink> sink) : sink_(std::move(sink)) {}

  /// Sends a piece. False where the client is gone, or reads so slowly that the connection was given up.
  bool write(std::string_view piece) const { return sink_->write(piece); }
  /// The answer is complete. Where all handles are dropped without it, the connection is cut, so that the client sees
  /// that something is missing.
  void end() const { sink_->end(); }
  bool gone() const { return sink_->gone(); }
  /// Bytes that were written and not yet taken by the network.
  std::size_t waiting() const { return sink_->waiting(); }

 private:
  std::shared_ptr<Sink> sink_;
};

/// Answers one request, once: later answers are dropped, and so are answers to a client that is gone. A handle; on the
/// loop thread only. Where the last copy goes without an answer, the client gets 500.
/// Example: [](Request request, Respond respond) { respond(json_response("{}")); }
class Respond {
 public:
  /// One request that waits for its answer; the server's own, and a test's.
  struct Exchange {
    virtual ~Exchange() = default;
    virtual void answer(Response response) = 0;
    virtual StreamWriter stream(Response head) = 0;
    virtual bool gone() const = 0;
    virtual void on_gone(std::function<void()> fn) = 0;
  };
  explicit Respond(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  /// For tests of handlers: the answer is given to `fn`, a stream's pieces come as one body when it ends.
  static Respond to(std::function<void(Response)> fn);

  void operator()(Response response) const { exchange_->answer(std::move(response)); }
  /// Sends the head (its `body` as the first piece) and gives what the rest is written to, e.g. server-sent events.
  StreamWriter stream(Response head) const { return exchange_->stream(std::move(head)); }
  /// Whether the client closed the connection.
  bool gone() const { return exchange_->gone(); }
  /// `fn` is called when the client closes the connection before the answer is complete; at most once, also where that
  /// happened already. It may hold no copy of this handle.
  void on_gone(std::function<void()> fn) const { exchange_->on_gone(std::move(fn)); }

 private:
  std::shared_ptr<Exchange> exchange_;
};

}  // namespace hearth::server
