// Routes as a tree of path segments.
#include "server/http/router.h"

#include <map>
#include <utility>

#include "hearth/core/error.h"
#include "server/http/url.h"

namespace hearth::server {

struct Router::Node {
  std::map<std::string, Node, std::less<>> literal;
  std::unique_ptr<Node> placeholder;
  std::map<std::string, Route, std::less<>> methods;
};

Router::Router() : root_(std::make_unique<Node>()) {}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

namespace {

/// "/a/b" -> "a", "b"; "/" -> "".
std::vector<std::string_view> segments_of(std::string_view path) {
  std::vector<std::string_view> segments;
  path.remove_prefix(1);
  while (true) {
    const std::size_t slash = path.find('/');
    segments.push_back(path.substr(0, slash));
    if (slash == std::string_view::npos) return segments;
    path.remove_prefix(slash + 1);
  }
}

bool is_placeholder(std::string_view segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

}  // namespace

void Router::add(std::string method, std::string pattern, Handler handler, RouteOptions options) {
  check<ValueError>(!pattern.empty() && pattern[0] == '/', "router: a pattern begins with '/': seen ", pattern);
  Node* node = root_.get();
  for (const std::string_view segment : segments_of(pattern)) {
    if (is_placeholder(segment)) {
      if (!node->placeholder) node->placeholder = std::make_unique<Node>();
      node = node->placeholder.get();
    } else {
      check<ValueError>(segment.find_first_of("{}%") == std::string_view::npos,
                        "router: a segment is a literal or one {placeholder}: seen ", pattern);
      node = &node->literal[std::string(segment)];
    }
  }
  Route route{method, pattern, std::move(handler), options};
  const bool added = node->methods.emplace(std::move(method), std::move(route)).second;
  check<ValueError>(added, "router: a route is there already: ", pattern);
}

namespace {

/// The node for the segments from `at` on: a literal wins, a placeholder is tried where no literal leads anywhere.
template <class Node>
const Node* descend(const Node& node, const std::vector<std::string>& segments, std::size_t at,
                    std::vector<std::string>* parameters) {
  if (at == segments.size()) return node.methods.empty() ? nullptr : &node;
  if (const auto next = node.literal.find(segments[at]); next != node.literal.end())
    if (const Node* found = descend(next->second, segments, at + 1, parameters)) return found;
  if (!node.placeholder || segments[at].empty()) return nullptr;
  parameters->push_back(segments[at]);
  if (const Node* found = descend(*node.placeholder, segments, at + 1, parameters)) return found;
  parameters->pop_back();
  return nullptr;
}

Router::Match no_match(int status, std::string detail) {
  Router::Match match;
  match.status = status;
  match.detail = std::move(detail);
  return match;
}

constexpr std::size_t most_segments = 64;

}  // namespace

Router::Match Router::find(std::string_view method, std::string_view path) const {
  if (path.empty() || path[0] != '/') return no_match(400, "the path must begin with '/'");
  std::vector<std::string> segments;
  for (const std::string_view segment : segments_of(path)) {
    if (segments.size() == most_segments) return no_match(404, "no such path");
    if (!percent_decode(segment, &segments.emplace_back()))
      return no_match(400, "the path is not percent-encoded UTF-8");
  }
  Match match;
  const Node* node = descend(*root_, segments, 0, &match.parameters);
  if (!node) return no_match(404, "no such path");
  auto route = node->methods.find(method);
  if (route == node->methods.end() && method == "HEAD") route = node->methods.find("GET");
  if (route != node->methods.end()) {
    match.route = &route->second;
    return match;
  }
  match = no_match(405, "this path does not take " + std::string(method));
  for (const auto& [name, unused] : node->methods) match.allow += (match.allow.empty() ? "" : ", ") + name;
  return match;
}

}  // namespace hearth::server
