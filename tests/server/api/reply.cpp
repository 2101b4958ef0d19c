// Reply: times both ways, numbers of a query, exceptions as answers.
#include "server/api/reply.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

TEST(Reply, TimesAreWrittenWithAZoneAndReadBack) {
  EXPECT_EQ(iso_time(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(iso_time(1795479544 * second + 123), "2026-11-24T00:19:04.000123Z");
  for (Time time : {Time(0), Time(951782400) * second, 4102444799 * second + 999999, Time(-1)})
    EXPECT_EQ(parse_time(iso_time(time)), time) << iso_time(time);
}

TEST(Reply, ReadsTheFormsThatClientsWrite) {
  const Time noon = 1795521600 * second;
  ASSERT_EQ(iso_time(noon), "2026-11-24T12:00:00Z");
  for (const char* text :
       {"2026-11-24T12:00:00Z", "2026-11-24T12:00:00+00:00", "2026-11-24 12:00", "2026-11-24T14:00:00+02:00",
        "2026-11-24T06:30:00-0530", "2026-11-24T12:00:00.000000+00", "2026-11-24T14:00:00 02:00"})
    EXPECT_EQ(parse_time(text), noon) << text;
  EXPECT_EQ(parse_time("2026-11-24"), noon - 12 * 3600 * second);
}

TEST(Reply, RefusesWhatIsNoTime) {
  for (const char* text : {"", "yesterday", "2026-13-01", "2026-02-30", "2026-11-24T25:00", "2026-11-24T12", "26-11-24",
                           "2026-11-24T12:00:00Q", "2026-11-24T12:00:00Zz"})
    EXPECT_FALSE(parse_time(text)) << text;
}

TEST(Reply, NumbersOfAQueryAreChecked) {
  Request request;
  request.query = {{"limit", "7"}, {"offset", "x"}, {"low", "-1"}, {"huge", "5000"}, {"over", "99999999999999999999"}};
  EXPECT_EQ(query_number(request, "limit", 20, 0, 100), 7);
  EXPECT_EQ(query_number(request, "absent", 20, 0, 100), 20);
  EXPECT_EQ(query_number(request, "huge", 20, 0, 100), 100);
  for (const char* name : {"offset", "low", "over"})
    EXPECT_THROW(query_number(request, name, 0, 0, 9), ValueError) << name;
}

Response answer(std::function<void()> action) {
  Response got;
  got.status = 0;
  answer_errors([&](const Request&, const Respond& respond) {
    action();
    respond(json_answer({{"fine", true}}));
  })(Request{}, Respond::to([&](Response response) { got = std::move(response); }));
  return got;
}

TEST(Reply, ExceptionsBecomeAnswersWithWords) {
  EXPECT_EQ(answer([] {}).body, R"({"fine":true})");
  Response wrong = answer([] { fail<ValueError>("limit: is odd"); });
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.body, R"({"detail":"limit: is odd"})");
  EXPECT_EQ(answer([] { not_found("run 'x'"); }).status, 404);
  EXPECT_EQ(answer([] { not_found("run 'x'"); }).body, R"({"detail":"run 'x' not found"})");
  EXPECT_EQ(answer([] { fail<IoError>("disk"); }).status, 500);
}

TEST(Reply, RefusalsKeepTheirStatusAndTime) {
  Response busy = refused({429, "too many", 1.5});
  EXPECT_EQ(busy.status, 429);
  ASSERT_EQ(busy.headers.size(), 1u);
  EXPECT_EQ(busy.headers[0].second, "2");
  EXPECT_TRUE(refused({404, "no"}).headers.empty());
}

TEST(Reply, BodiesAreObjects) {
  Request request;
  EXPECT_TRUE(json_body(request).is_object());
  request.body = "[1]";
  EXPECT_THROW(json_body(request), ValueError);
  request.body = "{";
  EXPECT_THROW(json_body(request), ValueError);
}

}  // namespace
}  // namespace hearth::server
