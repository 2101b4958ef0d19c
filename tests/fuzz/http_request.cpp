// Fuzzes what a connection sends: requests, their targets, their bodies by zstd, gzip and chunks. In pieces of any
// size the outcome is the same, and no body becomes larger than its limit.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "server/http/request_parser.h"
#include "server/http/router.h"
#include "server/http/url.h"

namespace {

using namespace hearth::server;
using State = RequestParser::State;

void must(bool holds) {
  if (!holds) std::abort();
}

Limits limits() {
  Limits limits;
  limits.header_bytes = 4096;
  limits.body_bytes = 16384;
  limits.decompressed_bytes = 65536;
  return limits;
}

struct Outcome {
  State state;
  std::size_t used;
  int status;
  std::string body;
  /// A request that is complete is the same one. One that is not may be refused earlier the more of it is there.
  bool operator==(const Outcome& other) const {
    return (state == State::done) == (other.state == State::done) && used == other.used && body == other.body;
  }
};

/// Feeds pieces of `step` bytes as a connection does: what was not taken comes again with the next piece.
Outcome parse(std::string_view text, std::size_t step, bool take, RequestParser& parser) {
  std::size_t at = 0, end = 0;
  while (end < text.size() && parser.state() != State::done && parser.state() != State::failed) {
    end = std::min(text.size(), end + step);
    at += parser.feed(text.substr(at, end - at));
    if (parser.state() == State::decide) {
      take ? parser.take_body() : parser.drop_body(1000);
      at += parser.feed(text.substr(at, end - at));
    }
    must(at <= end);
    must(parser.body_size() <= limits().decompressed_bytes + 1);
  }
  const bool failed = parser.state() == State::failed, done = parser.state() == State::done;
  if (failed) must(parser.failure().status >= 400 && !parser.failure().detail.empty());
  return {parser.state(), done ? at : 0, failed ? parser.failure().status : 0, done ? parser.request().body : ""};
}

const Router& router() {
  static const Router routes = [] {
    Router r;
    const auto nothing = [](Request, Respond) {};
    for (const char* pattern :
         {"/", "/api/v1/samplers/{id}", "/api/v1/runs/{run}/checkpoints/{type}/{name}", "/api/v1/{x}"})
      r.add("GET", pattern, nothing);
    r.add("POST", "/api/v1/forward_backward", nothing);
    return r;
  }();
  return routes;
}

void use_target(const std::string& method, std::string_view target) {
  const std::size_t mark = target.find('?');
  const Router::Match match = router().find(method, target.substr(0, mark));
  must((match.route != nullptr) == (match.status == 200));
  for (const std::string& parameter : match.parameters)
    must(!parameter.empty() && parameter.find('\0') == std::string::npos);
  std::map<std::string, std::string> query;
  if (mark != std::string_view::npos) parse_query(target.substr(mark + 1), &query);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // Near the limit of headers it matters how much is there at a time.
  const bool short_enough = size < limits().header_bytes / 2;
  for (const bool take : {true, false}) {
    RequestParser whole(limits()), pieces(limits()), bytes(limits());
    const Outcome first = parse(text, size + 1, take, whole);
    const Outcome second = parse(text, 7, take, pieces);
    if (short_enough) must(second == first && parse(text, 1, take, bytes) == first);
    if (take && first.state == State::done) use_target(whole.request().method, whole.target());
  }
  use_target("GET", text);
  return 0;
}
