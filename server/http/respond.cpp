// Answers given to a function instead of a client: what tests of handlers use.
#include "server/http/respond.h"

#include <string>
#include <utility>

namespace hearth::server {

namespace {

using Answer = std::function<void(Response)>;

struct Collected : StreamWriter::Sink {
  Collected(Response head, Answer answer) : response(std::move(head)), answer(std::move(answer)) {}
  bool write(std::string_view piece) override {
    response.body += piece;
    return true;
  }
  void end() override {
    if (const Answer fn = std::exchange(answer, nullptr)) fn(std::move(response));
  }
  bool gone() const override { return false; }
  std::size_t waiting() const override { return 0; }

  Response response;
  Answer answer;
};

struct ToFunction : Respond::Exchange {
  explicit ToFunction(Answer fn) : answer_(std::move(fn)) {}
  ~ToFunction() override {
    if (answer_) answer_(error_response(500, "internal error"));
  }
  void answer(Response response) override {
    if (const Answer fn = std::exchange(answer_, nullptr)) fn(std::move(response));
  }
  StreamWriter stream(Response head) override {
    return StreamWriter(std::make_shared<Collected>(std::move(head), std::exchange(answer_, nullptr)));
  }
  bool gone() const override { return false; }
  void on_gone(std::function<void()>) override {}

  Answer answer_;
};

}  // namespace

Respond Respond::to(std::function<void(Response)> fn) { return Respond(std::make_shared<ToFunction>(std::move(fn))); }

}  // namespace hearth::server
