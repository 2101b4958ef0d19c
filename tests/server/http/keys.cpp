// API keys: who owns one, and what a keys file may hold.
#include "server/http/keys.h"

#include <gtest/gtest.h>

#include "hearth/core/error.h"
#include "server/http/address.h"

namespace hearth::server {
namespace {

TEST(Keys, KnowsWhoseAKeyIs) {
  const std::string first = new_key(), second = new_key(), other = new_key();
  const Keys keys = Keys::parse("# ours\n\n" + keys_line("ada", first) + "  # laptop\r\n" + keys_line("bo", second) +
                                "\n" + keys_line("ada", other) + "\n");
  EXPECT_EQ(keys.size(), 3u);
  EXPECT_EQ(keys.owner(first), "ada");
  EXPECT_EQ(keys.owner(other), "ada");
  EXPECT_EQ(keys.owner(second), "bo");
  EXPECT_EQ(keys.owner(new_key()), std::nullopt);
  EXPECT_EQ(keys.owner(""), std::nullopt);
  EXPECT_EQ(keys.owner(first.substr(0, first.size() - 1)), std::nullopt);
}

TEST(Keys, AreWhatTheSdkTakesAndNeverTheSame) {
  const std::string key = new_key();
  EXPECT_EQ(key.size(), 47u);
  EXPECT_EQ(key.substr(0, 4), "tml-");
  EXPECT_NE(key, new_key());
  EXPECT_EQ(keys_line("ada", key).find(key.substr(4)), std::string::npos);
}

/// What parsing says against a text.
std::string complaint(const std::string& text) {
  try {
    Keys::parse(text, "keys.txt");
  } catch (const ValueError& error) {
    return error.what();
  }
  return "";
}

TEST(Keys, SaysWhichLineIsWrongAndNeverShowsIt) {
  const std::string key = new_key(), line = keys_line("ada", key);
  EXPECT_NE(complaint(line + "\nbo " + key).find("keys.txt:2"), std::string::npos);
  EXPECT_EQ(complaint("bo " + key).find(key), std::string::npos);
  EXPECT_EQ(complaint(key + "/ " + key).find(key), std::string::npos);
  for (const std::string& text :
       std::vector<std::string>{"", "# none", "ada", line + " more", "a/b " + line.substr(4),
                                line.substr(0, line.size() - 1), line + "0", "ada " + std::string(64, 'g')})
    EXPECT_NE(complaint(text), "") << text;
  try {
    Keys::load("/nonexistent/keys");
    ADD_FAILURE() << "a file that is not there";
  } catch (const IoError& error) {
    EXPECT_STREQ(error.what(), "keys: cannot read /nonexistent/keys: does not exist");
  }
  EXPECT_THROW(keys_line("a b", key), ValueError);
}

TEST(Address, KnowsLoopback) {
  EXPECT_TRUE(parse_address("127.0.0.1:8000").loopback);
  EXPECT_TRUE(parse_address("127.9.9.9:1").loopback);
  EXPECT_TRUE(parse_address("[::1]:8000").loopback);
  EXPECT_TRUE(parse_address("localhost:0").loopback);
  EXPECT_FALSE(parse_address("0.0.0.0:8000").loopback);
  EXPECT_FALSE(parse_address("[::]:8000").loopback);
  EXPECT_FALSE(parse_address("192.168.1.5:8000").loopback);
  for (const char* text : {"", "8000", ":8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "::1:80",
                           "[::1:80", "example.org:80", "127.0.0.1:80 "})
    EXPECT_THROW(parse_address(text), ValueError) << text;
}

TEST(Address, KnowsNamesOfLoopback) {
  for (const char* text : {"localhost", "LOCALHOST:8000", "127.0.0.1:8000", "[::1]:8000", "http://localhost:3000"})
    EXPECT_TRUE(names_loopback(text)) << text;
  for (const char* text : {"", "evil.example", "localhost.evil.example:8000", "127.0.0.1.evil.example", "null",
                           "https://evil.example", "192.168.0.1:8000"})
    EXPECT_FALSE(names_loopback(text)) << text;
}

}  // namespace
}  // namespace hearth::server
