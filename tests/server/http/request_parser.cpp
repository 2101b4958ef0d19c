// Parsing: requests in pieces of every size, what is refused and how, bodies by zstd and gzip, bombs.
#include "server/http/request_parser.h"

#include <gtest/gtest.h>

#include "tests/server/http/compressed.h"

namespace hearth::server {
namespace {

using State = RequestParser::State;

/// Feeds `text` in pieces of `step` bytes; what was not taken comes again with the next piece.
std::size_t feed_all(RequestParser& parser, const std::string& text, std::size_t step) {
  std::size_t at = 0, end = 0;
  while (end < text.size() && parser.state() != State::done && parser.state() != State::failed) {
    end = std::min(text.size(), end + step);
    at += parser.feed(std::string_view(text).substr(at, end - at));
    if (parser.state() != State::decide) continue;
    parser.take_body();
    at += parser.feed(std::string_view(text).substr(at, end - at));
  }
  return at;
}

struct Outcome {
  State state;
  int status;
  std::string body;
  bool operator==(const Outcome&) const = default;
};

Outcome outcome(const std::string& text, std::size_t step = 1 << 20, const Limits& limits = {}) {
  RequestParser parser(limits);
  feed_all(parser, text, step);
  const bool done = parser.state() == State::done;
  return {parser.state(), parser.state() == State::failed ? parser.failure().status : 0,
          done ? parser.request().body : ""};
}

const std::string post = "POST /x HTTP/1.1\r\nHost: h\r\n";

std::string with_body(const std::string& headers, const std::string& body) {
  return post + headers + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

TEST(RequestParser, GivesTheSameInPiecesOfEverySize) {
  const std::string text(3000, 'x');
  const std::vector<std::string> requests = {
      "GET /x?y=1 HTTP/1.1\r\nHost: h\r\n\r\n",
      with_body("", "hello"),
      with_body("", ""),
      post + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;name=value\r\n!\r\n0\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nTrailer: yes\r\n\r\n",
      with_body("Content-Encoding: zstd\r\n", test::zstd_frame(text)),
      with_body("Content-Encoding: gzip\r\n", test::gzip_member(text)),
      "GARBAGE\r\n\r\n"};
  for (const std::string& request : requests) {
    const Outcome whole = outcome(request);
    EXPECT_NE(whole.state, State::header) << request;
    for (const std::size_t step : {1, 2, 3, 4, 5, 7, 64}) EXPECT_EQ(outcome(request, step), whole) << step << request;
  }
}

TEST(RequestParser, DecompressesBodies) {
  std::string text;
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919 % 10007);
  EXPECT_EQ(outcome(with_body("Content-Encoding: zstd\r\n", test::zstd_frame(text)), 1000).body, text);
  EXPECT_EQ(outcome(with_body("Content-Encoding: gzip\r\n", test::gzip_member(text)), 1000).body, text);
  EXPECT_EQ(outcome(with_body("Content-Encoding: identity\r\n", text), 1000).body, text);
}

TEST(RequestParser, RefusesWhatIsNotItsContentEncoding) {
  const std::string good = test::zstd_frame("hello");
  for (const std::string& body :
       {std::string("hello"), good.substr(0, good.size() - 1), good + good, good + "x", test::gzip_member("hello")})
    EXPECT_EQ(outcome(with_body("Content-Encoding: zstd\r\n", body)).status, 400);
  const std::string zipped = test::gzip_member("hello");
  for (const std::string& body : {std::string("hello"), zipped.substr(0, zipped.size() - 1), zipped + zipped, good})
    EXPECT_EQ(outcome(with_body("Content-Encoding: gzip\r\n", body)).status, 400);
  EXPECT_EQ(outcome(with_body("Content-Encoding: br\r\n", "hello")).status, 415);
  EXPECT_EQ(outcome(with_body("Content-Encoding: gzip, zstd\r\n", "hello")).status, 415);
}

TEST(RequestParser, StopsBombs) {
  Limits limits;
  limits.decompressed_bytes = 1 << 20;
  const std::string zeros(16 << 20, '\0');
  const std::string small_bomb = test::zstd_frame(zeros);
  EXPECT_LT(small_bomb.size(), 20000u);
  for (const std::size_t step : {100, 1 << 20}) {
    EXPECT_EQ(outcome(with_body("Content-Encoding: zstd\r\n", small_bomb), step, limits).status, 413);
    EXPECT_EQ(outcome(with_body("Content-Encoding: gzip\r\n", test::gzip_member(zeros)), step, limits).status, 413);
  }
  const std::string fits(1 << 20, '\0');
  EXPECT_EQ(outcome(with_body("Content-Encoding: zstd\r\n", test::zstd_frame(fits)), 1 << 20, limits).body.size(),
            fits.size());
  EXPECT_EQ(outcome(with_body("Content-Encoding: zstd\r\n", test::zstd_frame(fits + "x")), 1 << 20, limits).status,
            413);
}

TEST(RequestParser, RefusesWhatAnotherParserMightReadInAnotherWay) {
  const std::string chunk = "\r\n0\r\n\r\n";
  EXPECT_EQ(outcome(post + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n" + chunk).status, 400);
  EXPECT_EQ(outcome(post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" + chunk).status, 400);
  EXPECT_EQ(outcome(post + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello").status, 400);
  EXPECT_EQ(outcome(post + "Content-Length: 5, 6\r\n\r\nhello").status, 400);
  EXPECT_EQ(outcome(post + "Content-Length: -5\r\n\r\nhello").status, 400);
  EXPECT_EQ(outcome(post + "Content-Length: 99999999999999999999999\r\n\r\nhello").status, 400);
  EXPECT_EQ(outcome(post + "Transfer-Encoding: gzip, chunked\r\n" + chunk).status, 501);
  EXPECT_EQ(outcome(post + "Transfer-Encoding: chunked, identity\r\n" + chunk).status, 501);
  EXPECT_EQ(outcome(post + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n").status, 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n").status, 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\nHost : a\r\n\r\n").status, 400);
  EXPECT_EQ(outcome("GET / HTTP/1.1\r\n\r\n").status, 400);
  EXPECT_EQ(outcome("GET / HTTP/2.0\r\nHost: a\r\n\r\n").status, 505);
  EXPECT_EQ(outcome(post + "\r\n").status, 411);
  EXPECT_EQ(outcome(post + "Expect: magic\r\nContent-Length: 0\r\n\r\n").status, 417);
  EXPECT_EQ(outcome("\x16\x03\x01\x02\x01 a TLS hello").status, 400);
}

TEST(RequestParser, LimitsHeadersAndBodies) {
  Limits limits;
  limits.header_bytes = 1000;
  limits.body_bytes = 100;
  const std::string header = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(2000, 'x');
  for (const std::size_t step : {1, 100, 10000}) EXPECT_EQ(outcome(header, step, limits).status, 431) << step;
  EXPECT_EQ(outcome(with_body("", std::string(101, 'x')), 10, limits).status, 413);
  EXPECT_EQ(outcome(with_body("", std::string(100, 'x')), 10, limits).state, State::done);
  const std::string chunks =
      "\r\n40\r\n" + std::string(64, 'x') + "\r\n40\r\n" + std::string(64, 'x') + "\r\n0\r\n\r\n";
  EXPECT_EQ(outcome(post + "Transfer-Encoding: chunked\r\n" + chunks, 10, limits).status, 413);
  const std::string endless = post + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(100000, 'x');
  EXPECT_EQ(outcome(endless, 1000).status, 400);
}

TEST(RequestParser, LeavesWhatFollowsARequest) {
  RequestParser parser(Limits{});
  const std::string text = with_body("", "hello");
  EXPECT_EQ(feed_all(parser, text + "GET / HTTP/1.1", 1 << 20), text.size());
}

TEST(RequestParser, DropsBodiesThatNobodyWants) {
  const std::string text = with_body("Content-Encoding: nonsense\r\n", "hello");
  RequestParser parser(Limits{});
  const std::size_t head = parser.feed(text);
  parser.drop_body(5);
  parser.feed(std::string_view(text).substr(head));
  EXPECT_EQ(parser.state(), State::done);
  EXPECT_EQ(parser.request().body, "");
  RequestParser shorter(Limits{});
  shorter.feed(text);
  shorter.drop_body(4);
  EXPECT_EQ(shorter.state(), State::failed);
}

TEST(RequestParser, LimitsHeadersTogetherInPiecesOfEverySize) {
  Limits limits;
  limits.header_bytes = 4096;
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n", empty = many;
  for (int i = 0; i < 400; ++i) many += "X-" + std::to_string(i) + ": some words\r\n";
  for (int i = 0; i < 3000; ++i) empty += "a:\r\n";
  for (const std::string& text : {many, empty})
    for (const std::size_t step : {1, 20, 1000, 100000})
      EXPECT_EQ(outcome(text + "\r\n", step, limits).status, 431) << step;
}

TEST(RequestParser, TakesOneLengthInDigitsOnly) {
  for (const char* length : {"5, 5", "5,6", "+5", "-5", "0x5", "", "5 5", "18446744073709551616"})
    EXPECT_NE(outcome(post + "Content-Length: " + length + "\r\n\r\nhello").state, State::done) << length;
}

}  // namespace
}  // namespace hearth::server
