// Names: what clients may call things, encoding into folder names, checkpoint paths.
#include "server/store/names.h"

#include <gtest/gtest.h>

#include <set>

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

TEST(Names, ChecksWhatClientsSay) {
  for (const char* good : {"a", "000010", "final", "my.run_1-x", "...", ".hidden", "-rf"}) {
    EXPECT_TRUE(is_valid_name(good)) << good;
  }
  EXPECT_TRUE(is_valid_name(std::string(255, 'a')));
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".."), std::string("a/b"), std::string("a\\b"), std::string("a b"),
        std::string("a\0b", 3), std::string("\xc3\xa9"), std::string("%2e"), std::string("a+b"), std::string("a~b"),
        std::string(256, 'a')}) {
    EXPECT_FALSE(is_valid_name(bad)) << bad;
    EXPECT_THROW(check_name("save_weights", bad), ValueError);
  }
}

TEST(Names, AMessageCannotDriveATerminal) {
  try {
    check_name("save_weights", "\x1b[2J" + std::string(1000, 'x'));
    FAIL();
  } catch (const ValueError& e) {
    const std::string said = e.what();
    EXPECT_EQ(said.find('\x1b'), std::string::npos);
    EXPECT_LT(said.size(), 250u);
  }
}

TEST(Names, EncodingKeepsTextsApartAndPathsSafe) {
  EXPECT_EQ(encode_name("S:train:0"), "S%3Atrain%3A0");
  EXPECT_EQ(encode_name("step-10_a.b"), "step-10_a.b");
  EXPECT_EQ(encode_name("."), "%2E");
  EXPECT_EQ(encode_name(".."), "%2E.");
  EXPECT_EQ(encode_name("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
  EXPECT_EQ(encode_name(""), "%");
  std::set<std::string> seen;
  const std::string long_text(300, 'x');
  for (const std::string& text :
       {std::string(), std::string("%"), std::string("%25"), std::string("a"), std::string("A"), std::string("a%"),
        std::string(1, '\0'), std::string("~"), std::string("+"), long_text, long_text + "x", long_text + "y",
        std::string(100, 'x')}) {
    const std::string name = encode_name(text);
    EXPECT_TRUE(seen.insert(name).second) << name;
    EXPECT_LE(name.size(), 180u);
    EXPECT_EQ(name.find_first_of(std::string("/+\0", 3)), std::string::npos) << name;
  }
}

TEST(Names, CheckpointPathsComeApartAndTogether) {
  const CheckpointPath path = parse_checkpoint_path("tinker://11-22:train:0/sampler_weights/000010");
  EXPECT_EQ(path.run, "11-22:train:0");
  EXPECT_EQ(path.type, CheckpointType::sampler_weights);
  EXPECT_EQ(path.name, "000010");
  EXPECT_EQ(path.text(), "tinker://11-22:train:0/sampler_weights/000010");
  for (const char* bad : {"", "tinker:/", "tinker://", "tinker://r", "tinker://r/weights", "tinker://r/weights/",
                          "tinker:///weights/a", "tinker://r/weights/a/b", "tinker://r/weight/a",
                          "tinker://r/weights/..", "http://r/weights/a", "tinker://r//a", "tinker://r/weights/a?b"}) {
    EXPECT_THROW(parse_checkpoint_path(bad), ValueError) << bad;
  }
  EXPECT_THROW(parse_checkpoint_path("tinker://" + std::string(1000, 'r') + "/weights/a"), ValueError);
}

}  // namespace
}  // namespace hearth::server
