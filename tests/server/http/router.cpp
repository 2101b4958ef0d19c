// Routes: literals, placeholders, escapes, what is refused.
#include "server/http/router.h"

#include <gtest/gtest.h>

#include "hearth/core/error.h"
#include "server/http/url.h"

namespace hearth::server {
namespace {

const Handler nothing = [](Request, Respond) {};

Router some_routes() {
  Router router;
  for (const char* pattern :
       {"/", "/a", "/a/{x}", "/a/b", "/a/{x}/c", "/a/b/{y}/d", "/runs/{run}/checkpoints/{type}/{name}"})
    router.add("GET", pattern, nothing);
  router.add("DELETE", "/a/{x}", nothing);
  return router;
}

std::string pattern_for(const Router& router, std::string_view path) {
  const Router::Match match = router.find("GET", path);
  return match.route ? match.route->pattern : std::to_string(match.status);
}

TEST(Router, FindsLiteralsBeforePlaceholders) {
  const Router router = some_routes();
  EXPECT_EQ(pattern_for(router, "/"), "/");
  EXPECT_EQ(pattern_for(router, "/a"), "/a");
  EXPECT_EQ(pattern_for(router, "/a/b"), "/a/b");
  EXPECT_EQ(pattern_for(router, "/a/q"), "/a/{x}");
}

TEST(Router, TriesThePlaceholderWhereTheLiteralLeadsNowhere) {
  const Router router = some_routes();
  EXPECT_EQ(pattern_for(router, "/a/b/c"), "/a/{x}/c");
  EXPECT_EQ(router.find("GET", "/a/b/c").parameters, std::vector<std::string>{"b"});
  EXPECT_EQ(pattern_for(router, "/a/b/c/d"), "/a/b/{y}/d");
}

TEST(Router, KeepsColonsAndDecodesEscapesInsideOneSegment) {
  const Router router = some_routes();
  const Router::Match match = router.find("GET", "/runs/3f:train:0/checkpoints/weights/a%2Fb%20c");
  ASSERT_TRUE(match.route);
  EXPECT_EQ(match.parameters, (std::vector<std::string>{"3f:train:0", "weights", "a/b c"}));
}

TEST(Router, RefusesEmptySegmentsAndBrokenEscapes) {
  const Router router = some_routes();
  EXPECT_EQ(pattern_for(router, "/a/"), "404");
  EXPECT_EQ(pattern_for(router, "//a"), "404");
  for (const char* path : {"/a/%", "/a/%4", "/a/%zz", "/a/%00", "/a/%ff", "/a/%c0%af", "/a/%ed%a0%80", "", "a"})
    EXPECT_EQ(pattern_for(router, path), "400") << path;
  EXPECT_EQ(pattern_for(router, std::string(100000, '/')), "404");
}

TEST(Router, NamesTheMethodsThatAPathTakes) {
  const Router router = some_routes();
  const Router::Match match = router.find("POST", "/a/x");
  EXPECT_EQ(match.status, 405);
  EXPECT_EQ(match.allow, "DELETE, GET");
  EXPECT_TRUE(router.find("HEAD", "/a/x").route);
}

TEST(Router, RefusesPatternsThatAreWrongOrThere) {
  Router router = some_routes();
  EXPECT_THROW(router.add("GET", "/a/{other}", nothing), ValueError);
  EXPECT_THROW(router.add("GET", "a", nothing), ValueError);
  EXPECT_THROW(router.add("GET", "/x{y}", nothing), ValueError);
}

TEST(Url, ParsesQueries) {
  std::map<std::string, std::string> query;
  EXPECT_TRUE(parse_query("limit=20&name=a+b%2Bc&flag&&limit=30", &query));
  EXPECT_EQ(query, (std::map<std::string, std::string>{{"flag", ""}, {"limit", "30"}, {"name", "a b+c"}}));
  EXPECT_FALSE(parse_query("a=%0", &query));
  std::string out;
  EXPECT_TRUE(percent_decode("%F0%9F%94%A5", &out));
  EXPECT_EQ(out, "\xF0\x9F\x94\xA5");
  EXPECT_FALSE(percent_decode("%F0%9F%94", &out));
}

}  // namespace
}  // namespace hearth::server
