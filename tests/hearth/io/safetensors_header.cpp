// Tests of the safetensors header: every way to lie, and what the writer gives.
#include "hearth/io/safetensors_header.h"

#include <gtest/gtest.h>

#include <cstring>

#include "hearth/core/error.h"
#include "temporary_folder.h"

using namespace hearth;
using hearth::test::error_of;

namespace {

std::string file_of(const std::string& json, size_t data_bytes) {
  const uint64_t length = json.size();
  return std::string(reinterpret_cast<const char*>(&length), 8) + json + std::string(data_bytes, '\1');
}

SafetensorsHeader parse(const std::string& file) {
  return parse_safetensors_header({reinterpret_cast<const std::byte*>(file.data()), file.size()}, "m.safetensors");
}

std::string refusal(const std::string& json, size_t data_bytes) {
  return error_of<IoError>([&] { parse(file_of(json, data_bytes)); });
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& range) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + range + "}";
}

TEST(SafetensorsHeader, ReadsWhatTheFormatAllows) {
  const std::string json = "{\"__metadata__\":{\"k\":\"v\"}," + entry("b", "F32", "[2,3]", "[0,24]") + "," +
                           entry("a", "BF16", "[]", "[24,26]") + "," + entry("z", "I8", "[0,7]", "[26,26]") + "}  ";
  const SafetensorsHeader header = parse(file_of(json, 26));
  EXPECT_EQ(header.tensors.size(), 3u);
  EXPECT_EQ(header.tensors.at("b").shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(header.tensors.at("a").dtype, Dtype::bfloat16);
  EXPECT_EQ(header.tensors.at("a").begin, 24u);
  EXPECT_EQ(header.metadata.at("k"), "v");
  EXPECT_EQ(header.data_start, 8 + json.size());
  EXPECT_TRUE(parse(file_of("{}", 0)).tensors.empty());
}

TEST(SafetensorsHeader, RefusesLengthsOutsideTheFile) {
  EXPECT_NE(error_of<IoError>([] { parse(""); }).find("too short"), std::string::npos);
  EXPECT_NE(error_of<IoError>([] { parse("1234567"); }).find("too short"), std::string::npos);
  EXPECT_NE(error_of<IoError>([] { parse(std::string(8, '\xff')); }).find("larger than"), std::string::npos);
  std::string file = file_of("{}", 0);
  file[0] = 3;
  EXPECT_NE(error_of<IoError>([&] { parse(file); }).find("leaves the file"), std::string::npos);
  file[0] = 0;
  EXPECT_NE(error_of<IoError>([&] { parse(file); }).find("does not begin with {"), std::string::npos);
}

struct Lie {
  const char* what;
  std::string json;
  size_t data_bytes;
  const char* says;
};

std::vector<Lie> tensor_lies() {
  return {
      {"unknown dtype", entry("t", "F31", "[1]", "[0,4]"), 4, "dtype is not supported: F31"},
      {"dtype not a string", "\"t\":{\"dtype\":1,\"shape\":[1],\"data_offsets\":[0,4]}", 4, "dtype must be a string"},
      {"not an object", "\"t\":[]", 0, "must be an object"},
      {"no dtype", "\"t\":{\"shape\":[1],\"data_offsets\":[0,4]}", 4, "must have exactly"},
      {"an extra key", "\"t\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"x\":1}", 4,
       "must have exactly"},
      {"shape not a list", entry("t", "F32", "4", "[0,4]"), 4, "shape must be a list"},
      {"negative size", entry("t", "F32", "[-1]", "[0,4]"), 4, "shape must hold whole numbers"},
      {"fractional size", entry("t", "F32", "[1.5]", "[0,4]"), 4, "shape must hold whole numbers"},
      {"size over 2^63", entry("t", "F32", "[18446744073709551615]", "[0,4]"), 4, "shape must hold whole numbers"},
      {"product overflows", entry("t", "F32", "[4294967296,4294967296]", "[0,0]"), 0, "shape is too large"},
      {"bytes overflow", entry("t", "F64", "[2305843009213693952]", "[0,0]"), 0, "shape is too large"},
      {"a zero hides an overflow", entry("t", "F32", "[0,4294967296,4294967296]", "[0,0]"), 0, "shape is too large"},
      {"three offsets", entry("t", "F32", "[1]", "[0,4,8]"), 4, "data_offsets must be a list of two"},
      {"negative offset", entry("t", "F32", "[1]", "[-4,0]"), 4, "data_offsets must hold"},
      {"backwards", entry("t", "F32", "[1]", "[4,0]"), 4, "run backwards"},
      {"outside", entry("t", "F32", "[2]", "[0,8]"), 4, "leave the file"},
      {"far outside", entry("t", "F32", "[1]", "[9223372036854775803,9223372036854775807]"), 4, "leave the file"},
      {"shape too small", entry("t", "F32", "[1]", "[0,8]"), 8, "needs 4 bytes, data_offsets give 8"},
      {"shape too large", entry("t", "F32", "[3]", "[0,8]"), 8, "needs 12 bytes, data_offsets give 8"},
  };
}

TEST(SafetensorsHeader, RefusesLiesAboutATensorAndNamesIt) {
  for (const Lie& lie : tensor_lies()) {
    const std::string message = refusal("{" + lie.json + "}", lie.data_bytes);
    EXPECT_NE(message.find("m.safetensors: tensor \"t\""), std::string::npos) << lie.what << ": " << message;
    EXPECT_NE(message.find(lie.says), std::string::npos) << lie.what << ": " << message;
  }
  std::string ones = "[1";
  for (int i = 0; i < 64; ++i) ones += ",1";
  EXPECT_NE(refusal("{" + entry("t", "U8", ones + "]", "[0,1]") + "}", 1).find("65 dimensions"), std::string::npos);
}

TEST(SafetensorsHeader, RefusesOverlapsHolesAndBytesLeftOver) {
  const std::string a = entry("a", "F32", "[1]", "[0,4]");
  EXPECT_NE(refusal("{" + a + "," + entry("b", "F32", "[1]", "[2,6]") + "}", 6).find("tensor \"b\": overlaps"),
            std::string::npos);
  EXPECT_NE(refusal("{" + a + "," + entry("b", "F32", "[1]", "[0,4]") + "}", 4).find("tensor \"b\": overlaps"),
            std::string::npos);
  EXPECT_NE(refusal("{" + a + "," + entry("b", "F32", "[1]", "[8,12]") + "}", 12).find("tensor \"b\": leaves a hole"),
            std::string::npos);
  EXPECT_NE(refusal("{" + entry("b", "F32", "[1]", "[4,8]") + "}", 8).find("tensor \"b\": leaves a hole"),
            std::string::npos);
  EXPECT_NE(refusal("{" + a + "}", 7).find("bytes after the last tensor: 3"), std::string::npos);
  EXPECT_NE(refusal("{}", 1).find("bytes after the last tensor: 1"), std::string::npos);
}

TEST(SafetensorsHeader, RefusesBrokenJsonAndDuplicateNames) {
  const std::string a = entry("a", "F32", "[1]", "[0,4]");
  EXPECT_NE(refusal("{" + a, 4).find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal("{" + a + "}x", 4).find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal("{" + a + "," + a + "}", 4).find("\"a\" comes twice"), std::string::npos);
  EXPECT_NE(refusal("{" + std::string(100'000, '['), 0).find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal("{\"a\":" + std::string(100'000, '['), 0).find("not valid JSON"), std::string::npos);
  EXPECT_NE(refusal("{\"__metadata__\":{\"k\":1}}", 0).find("must hold strings"), std::string::npos);
  EXPECT_NE(refusal("{\"__metadata__\":[]}", 0).find("__metadata__ must be an object"), std::string::npos);
  EXPECT_NE(refusal("{\"\xff\":{}}", 0), "");
}

TEST(SafetensorsHeader, AMessageAboutALongNameIsShort) {
  const std::string name(100'000, 'n');
  EXPECT_LT(refusal("{" + entry(name, "F31", "[1]", "[0,4]") + "}", 4).size(), 1000u);
}

TEST(WriteSafetensorsHeader, IsAlignedAndReadsBack) {
  std::map<std::string, SafetensorsInfo> tensors;
  tensors["x \"quoted\" \xc3\xa9"] = {Dtype::float32, {2, 3}, 0, 0};
  tensors["y"] = {Dtype::boolean, {}, 0, 0};
  const std::string bytes = write_safetensors_header(tensors, {"x \"quoted\" \xc3\xa9", "y"}, {{"k", "line\nbreak"}});
  EXPECT_EQ(bytes.size() % 8, 0u);
  const SafetensorsHeader header = parse(bytes + std::string(25, '\0'));
  EXPECT_EQ(header.tensors.at("y").begin, 24u);
  EXPECT_EQ(header.tensors.at("y").end, 25u);
  EXPECT_EQ(header.metadata.at("k"), "line\nbreak");
}

TEST(WriteSafetensorsHeader, RefusesNamesThatTheFormatCannotHold) {
  for (const std::string name : {"__metadata__", "\xff"}) {
    std::map<std::string, SafetensorsInfo> tensors{{name, {}}};
    EXPECT_THROW(write_safetensors_header(tensors, {name}, {}), ValueError) << name;
  }
}

}  // namespace
