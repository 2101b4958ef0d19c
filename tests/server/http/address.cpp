// Tests of addresses and of what counts as this machine.
#include "server/http/address.h"

#include <gtest/gtest.h>

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

TEST(Address, ParsesAddressesAndKnowsLoopback) {
  EXPECT_EQ(parse_address("localhost:80").host, "127.0.0.1");
  EXPECT_TRUE(parse_address("127.9.9.9:0").loopback);
  EXPECT_TRUE(parse_address("[::1]:65535").loopback);
  EXPECT_FALSE(parse_address("0.0.0.0:8000").loopback);
  EXPECT_FALSE(parse_address("[::]:8000").loopback);
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80x", "[::1:80",
                           "example.com:80", ":80", "::1:80"})
    EXPECT_THROW(parse_address(text), ValueError) << text;
}

TEST(Address, OnlyThisMachinesNamesAreLoopback) {
  for (const char* text : {"localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000", "http://localhost:3000"})
    EXPECT_TRUE(names_loopback(text)) << text;
  for (const char* text : {"", "null", "localhost.example.com", "127.0.0.1.example.com:80", "http://example.com",
                           "192.168.0.1", "0.0.0.0", "localhost@example.com", "file://"})
    EXPECT_FALSE(names_loopback(text)) << text;
}

}  // namespace
}  // namespace hearth::server
