// Tests of the usual answers.
#include "server/http/response.h"

#include <gtest/gtest.h>

namespace hearth::server {
namespace {

TEST(Response, ErrorsAreJsonWhateverTheTextHolds) {
  EXPECT_EQ(error_response(400, "a \"b\" \\ \n\x01").body, R"({"detail":"a \"b\" \\ \u000a\u0001"})");
  EXPECT_EQ(error_response(400, "\xc3\xa4 \xff\xc3").body, "{\"detail\":\"\xc3\xa4 \\ufffd\\ufffd\"}")
      << "JSON is UTF-8, also where a client's text is not";
  EXPECT_EQ(error_response(404, "x").status, 404);
}

TEST(Response, BusyAnswersSayWhenToTryAgain) {
  const Response response = busy_response("later", 3);
  EXPECT_EQ(response.status, 429);
  ASSERT_EQ(response.headers.size(), 1u);
  EXPECT_EQ(response.headers[0], std::make_pair(std::string("Retry-After"), std::string("3")));
}

TEST(Response, EveryStatusHasWords) {
  EXPECT_EQ(status_words(413), "Content Too Large");
  EXPECT_FALSE(status_words(599).empty());
}

}  // namespace
}  // namespace hearth::server
