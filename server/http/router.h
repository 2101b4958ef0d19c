// Which handler a request belongs to.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/request.h"
#include "server/http/respond.h"

namespace hearth::server {

using Handler = std::function<void(Request, Respond)>;

/// Who may call a route: those with a key (everybody where the server has no keys), or everybody.
enum class Access { keyed, open };

struct RouteOptions {
  RouteOptions(Access access = Access::keyed, bool quiet = false) : access(access), quiet(quiet) {}
  Access access;
  bool quiet;  // what is called all the time (polls, heartbeats, probes): logged at level debug
};

struct Route {
  std::string method, pattern;
  Handler handler;
  RouteOptions options;
};

/// Routes by method and path. A pattern is made of literal segments and {placeholders}, which stand for one whole
/// segment that is not empty; a literal wins over a placeholder. Ids keep their ':'.
/// Example: router.add("GET", "/api/v1/samplers/{id}", [](Request r, Respond respond) { ... r.parameters[0] ... });
class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  /// Raises ValueError for a pattern that is wrong or there already.
  void add(std::string method, std::string pattern, Handler handler, RouteOptions options = {});

  struct Match {
    const Route* route = nullptr;  // null: see status
    std::vector<std::string> parameters;
    int status = 200;           // 400 the path is not percent-encoded UTF-8, 404, 405
    std::string detail, allow;  // of an error; the methods that a 405 names
  };
  /// `path` as it came in the request, without its query. HEAD finds the routes of GET.
  Match find(std::string_view method, std::string_view path) const;

 private:
  struct Node;
  std::unique_ptr<Node> root_;
};

}  // namespace hearth::server
