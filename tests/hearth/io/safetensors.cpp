// Tests of safetensors files: peers' files, round trips, truncation, bit flips, shards, failing writes.
#include "hearth/io/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <random>

#include "faulty_file_system.h"
#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "temporary_folder.h"

using namespace hearth;
using hearth::test::error_of;
using hearth::test::FaultyFileSystem;
using hearth::test::TemporaryFolder;

namespace {

const std::string fixture = HEARTH_TEST_DATA "/io/all_dtypes.safetensors";
const std::string sharded = HEARTH_TEST_DATA "/io/sharded";

std::span<const std::byte> as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

template <class T>
std::vector<double> values(const Tensor& tensor) {
  const T* data = tensor.data<T>();
  return std::vector<double>(data, data + tensor.numel());
}

template <class T>
Tensor make(const Shape& shape, std::initializer_list<T> numbers) {
  Tensor tensor = Tensor::empty(shape, dtype_of<T>);
  std::copy(numbers.begin(), numbers.end(), tensor.data<T>());
  return tensor;
}

std::map<std::string, Tensor> all_tensors(const SafetensorsFile& file) {
  std::map<std::string, Tensor> tensors;
  for (const std::string& name : file.names()) tensors[name] = file.tensor(name);
  return tensors;
}

/// Touches every byte that a reader hands out, so that a sanitizer sees a wrong one.
uint64_t sum_of_bytes(const SafetensorsFile& file) {
  uint64_t sum = 0;
  for (const auto& [name, tensor] : all_tensors(file)) {
    const auto* bytes = static_cast<const unsigned char*>(tensor.raw());
    for (size_t i = 0; i < size_t(tensor.numel()) * dtype_size(tensor.dtype()); ++i) sum += bytes[i];
  }
  return sum;
}

TEST(SafetensorsFile, ReadsEveryDtypeThatThePackageWrote) {
  const SafetensorsFile file = SafetensorsFile::open(fixture);
  const std::vector<double> numbers = {-2, -1, 0, 1, 2, 3};
  EXPECT_EQ(values<double>(file.tensor("float64")), numbers);
  EXPECT_EQ(values<float>(file.tensor("float32")), numbers);
  EXPECT_EQ(values<float16>(file.tensor("float16")), numbers);
  EXPECT_EQ(values<bfloat16>(file.tensor("bfloat16")), numbers);
  EXPECT_EQ(values<int64_t>(file.tensor("int64")), numbers);
  EXPECT_EQ(values<int32_t>(file.tensor("int32")), numbers);
  EXPECT_EQ(values<int16_t>(file.tensor("int16")), numbers);
  EXPECT_EQ(values<int8_t>(file.tensor("int8")), numbers);
  EXPECT_EQ(values<uint8_t>(file.tensor("uint8")), (std::vector<double>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(values<bool>(file.tensor("bool")), (std::vector<double>{0, 1, 1, 1, 1, 1}));
  EXPECT_EQ(file.tensor("float32").shape(), Shape({2, 3}));
  EXPECT_EQ(file.tensor("scalar").shape(), Shape());
  EXPECT_EQ(file.tensor("scalar").item(), 1.5);
  EXPECT_EQ(file.tensor("empty").shape(), Shape({0, 4}));
  EXPECT_EQ(file.tensor("n\xc3\xa4me \"q\"").item(), 7);
  EXPECT_EQ(file.metadata().at("note"), "line\nbreak");
  EXPECT_EQ(file.names().size(), 13u);
}

TEST(SafetensorsFile, TensorsShareTheMappingAndOutliveTheFile) {
  TemporaryFolder folder;
  const std::string path = folder.put("a.safetensors", read_file(fixture));
  Tensor first, second;
  {
    const SafetensorsFile file = SafetensorsFile::open(path);
    first = file.tensor("float32");
    second = file.tensor("float32");
  }
  std::filesystem::remove(path);
  EXPECT_EQ(first.raw(), second.raw()) << "the bytes were copied";
  EXPECT_EQ(values<float>(first)[5], 3);
}

TEST(SafetensorsFile, AWriteToATensorStaysInMemory) {
  TemporaryFolder folder;
  const std::string path = folder.put("a.safetensors", read_file(fixture));
  Tensor tensor = SafetensorsFile::open(path).tensor("float32");
  tensor.data<float>()[0] = 99;
  EXPECT_EQ(read_file(path), read_file(fixture));
  EXPECT_EQ(values<float>(SafetensorsFile::open(path).tensor("float32"))[0], -2);
}

TEST(SafetensorsFile, CopiesTensorsThatAreNotAligned) {
  const std::string json = R"({"a":{"dtype":"I8","shape":[1],"data_offsets":[0,1]},)"
                           R"("b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  const uint64_t length = json.size();
  const float number = 2.5f;
  std::string bytes = std::string(reinterpret_cast<const char*>(&length), 8) + json + "\7";
  bytes.append(reinterpret_cast<const char*>(&number), 4);
  const Tensor tensor = SafetensorsFile::from_memory(as_bytes(bytes), "m").tensor("b");
  EXPECT_EQ(tensor.item(), 2.5);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.raw()) % 4, 0u);
}

TEST(SafetensorsFile, RefusesBooleansThatAreNone) {
  std::string bytes = read_file(fixture);
  const SafetensorsFile good = SafetensorsFile::open(fixture);
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  bytes[8 + length + good.info("bool").begin + 1] = 2;
  const SafetensorsFile file = SafetensorsFile::from_memory(as_bytes(bytes), "m");
  EXPECT_NE(error_of<IoError>([&] { file.tensor("bool"); }).find("m: tensor \"bool\": a boolean must be 0 or 1, is 2"),
            std::string::npos);
}

TEST(SafetensorsFile, NamesWhatIsNotThere) {
  const SafetensorsFile file = SafetensorsFile::open(fixture);
  EXPECT_FALSE(file.contains("x"));
  EXPECT_NE(error_of<IoError>([&] { file.tensor("x"); }).find("has no tensor \"x\""), std::string::npos);
  EXPECT_THROW(file.info("x"), IoError);
  EXPECT_THROW(SafetensorsFile::open(HEARTH_TEST_DATA "/io/none.safetensors"), IoError);
  EXPECT_THROW(SafetensorsFile::open(HEARTH_TEST_DATA "/io"), IoError);
}

TEST(SafetensorsFile, EveryTruncationIsOneIoError) {
  const std::string bytes = read_file(fixture);
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(SafetensorsFile::from_memory(as_bytes(bytes.substr(0, size)), "m"), IoError) << size;
  }
  EXPECT_THROW(SafetensorsFile::from_memory(as_bytes(bytes + "x"), "m"), IoError);
}

TEST(SafetensorsFile, RandomBitFlipsNeverDoWorseThanAnIoError) {
  const std::string bytes = read_file(fixture);
  std::mt19937 random(1);
  int refused = 0;
  constexpr int rounds = 4000;
  for (int round = 0; round < rounds; ++round) {
    std::string broken = bytes;
    for (unsigned flips = 1 + random() % 3; flips > 0; --flips)
      broken[random() % broken.size()] ^= char(1 << random() % 8);
    try {
      sum_of_bytes(SafetensorsFile::from_memory(as_bytes(broken), "m"));
    } catch (const IoError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, rounds / 4) << "flips in the header must be seen";
}

TEST(SaveSafetensors, RoundTripsEveryDtypeAndIsDeterministic) {
  TemporaryFolder folder;
  const SafetensorsFile file = SafetensorsFile::open(fixture);
  const std::string once = folder.path("once"), twice = folder.path("twice");
  save_safetensors(once, all_tensors(file), file.metadata());
  const SafetensorsFile back = SafetensorsFile::open(once);
  EXPECT_EQ(back.names(), file.names());
  EXPECT_EQ(back.metadata(), file.metadata());
  EXPECT_EQ(sum_of_bytes(back), sum_of_bytes(file));
  for (const std::string& name : file.names()) {
    const Tensor a = file.tensor(name), b = back.tensor(name);
    ASSERT_EQ(a.dtype(), b.dtype()) << name;
    ASSERT_EQ(a.shape(), b.shape()) << name;
    const size_t bytes = size_t(a.numel()) * dtype_size(a.dtype());
    EXPECT_TRUE(bytes == 0 || std::memcmp(a.raw(), b.raw(), bytes) == 0) << name;
    EXPECT_EQ(reinterpret_cast<uintptr_t>(b.raw()) % dtype_size(b.dtype()), 0u) << name;
  }
  save_safetensors(twice, all_tensors(back), back.metadata());
  EXPECT_EQ(read_file(once), read_file(twice));
}

TEST(SaveSafetensors, WritesViewsInRowMajorOrder) {
  TemporaryFolder folder;
  const Tensor whole = make<float>({2, 3}, {0, 1, 2, 3, 4, 5});
  const Tensor transposed = whole.alias({3, 2}, {1, 3}, 0), column = whole.alias({2}, {3}, 1),
               repeated = whole.alias({2, 2}, {0, 1}, 4);
  save_safetensors(folder.path("v"), {{"t", transposed}, {"c", column}, {"r", repeated}});
  const SafetensorsFile file = SafetensorsFile::open(folder.path("v"));
  EXPECT_EQ(values<float>(file.tensor("t")), (std::vector<double>{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values<float>(file.tensor("c")), (std::vector<double>{1, 4}));
  EXPECT_EQ(values<float>(file.tensor("r")), (std::vector<double>{4, 5, 4, 5}));
}

TEST(SaveSafetensors, OverwritesTheFileThatItsTensorsComeFrom) {
  TemporaryFolder folder;
  const std::string path = folder.put("a.safetensors", read_file(fixture));
  const auto tensors = all_tensors(SafetensorsFile::open(path));
  save_safetensors(path, tensors);
  EXPECT_EQ(values<float>(SafetensorsFile::open(path).tensor("float32"))[5], 3);
}

TEST(SaveSafetensors, AtEveryFailingCallTheOldFileStaysAndNoOther) {
  TemporaryFolder folder;
  const std::map<std::string, Tensor> tensors = {{"a", make<float>({2}, {1, 2})}, {"b", make<int8_t>({1}, {3})}};
  FaultyFileSystem counter;
  save_safetensors(folder.path("count"), tensors, {}, counter);
  ASSERT_GE(counter.calls, 8);
  for (int call = 0; call + 3 < counter.calls; ++call) {  // the last three concern the folder, after the rename
    TemporaryFolder fresh;
    const std::string path = fresh.put("a", "old");
    FaultyFileSystem fs;
    fs.fail_at = call;
    EXPECT_THROW(save_safetensors(path, tensors, {}, fs), IoError) << fs.failed_call;
    EXPECT_EQ(read_file(path), "old") << fs.failed_call;
    EXPECT_EQ(fresh.names().size(), 1u) << fs.failed_call;
    EXPECT_EQ(fs.open_files, 0) << fs.failed_call;
  }
}

TEST(SaveSafetensors, RefusesWhatCannotBeWritten) {
  TemporaryFolder folder;
  const Tensor tensor = make<float>({1}, {1});
  EXPECT_THROW(save_safetensors(folder.path("a"), {{"x", Tensor()}}), ValueError);
  EXPECT_THROW(save_safetensors(folder.path("a"), {{"__metadata__", tensor}}), ValueError);
  EXPECT_THROW(save_safetensors(folder.path("a"), {{"\xff", tensor}}), ValueError);
  EXPECT_THROW(save_safetensors(folder.path("a"), {{"x", tensor}}, {{"k", "\xff"}}), ValueError);
  EXPECT_THROW(save_safetensors(folder.path("no/a"), {{"x", tensor}}), IoError);
  EXPECT_TRUE(folder.names().empty());
  save_safetensors(folder.path("none"), {});
  EXPECT_TRUE(SafetensorsFile::open(folder.path("none")).names().empty());
}

// A copy of the sharded fixture with one thing changed.
class Shards : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& entry : std::filesystem::directory_iterator(sharded)) {
      std::filesystem::copy(entry.path(), folder_.path(entry.path().filename().string()));
    }
  }
  void edit_index(const std::string& from, const std::string& to) {
    const std::string path = folder_.path("model.safetensors.index.json");
    std::string text = read_file(path);
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    write_file_atomic(path, text.replace(at, from.size(), to));
  }
  std::string refusal() {
    return error_of<Error>([&] { ShardedSafetensors::open(folder_.path()); });
  }
  TemporaryFolder folder_;
};

TEST_F(Shards, AreOneSetOfTensors) {
  const ShardedSafetensors set = ShardedSafetensors::open(folder_.path());
  EXPECT_EQ(set.names(), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(values<float>(set.tensor("c")), (std::vector<double>{2, 3, 4, 5}));
  EXPECT_EQ(set.info("b").shape, (std::vector<int64_t>{2, 2}));
  EXPECT_THROW(set.tensor("d"), IoError);
}

TEST_F(Shards, ASingleFileIsASetToo) {
  std::filesystem::copy(fixture, folder_.path("model.safetensors"));
  const ShardedSafetensors set = ShardedSafetensors::open(folder_.path());
  EXPECT_TRUE(set.contains("float32"));
  EXPECT_FALSE(set.contains("a"));
}

TEST_F(Shards, RefusesAnEmptyFolderAndAMissingShard) {
  EXPECT_NE(error_of<IoError>([] { ShardedSafetensors::open("/nowhere"); }).find("has neither"), std::string::npos);
  std::filesystem::remove(folder_.path("model-00002-of-00002.safetensors"));
  EXPECT_NE(refusal().find("does not exist: " + folder_.path("model-00002-of-00002.safetensors")), std::string::npos);
}

TEST_F(Shards, RefusesPathsThatLeaveTheFolder) {
  for (const char* path : {"../model.safetensors", "/etc/passwd", "x/y", "..", ".", ""}) {
    edit_index("\"c\": \"model-00002-of-00002.safetensors\"", std::string("\"c\": \"") + path + "\"");
    EXPECT_NE(refusal().find("must be a file in the same folder"), std::string::npos) << path << refusal();
    edit_index(std::string("\"c\": \"") + path + "\"", "\"c\": \"model-00002-of-00002.safetensors\"");
  }
}

TEST_F(Shards, RefusesAnIndexThatDisagreesWithTheShards) {
  edit_index("\"c\":", "\"d\":");
  EXPECT_NE(refusal().find("lists tensor \"d\" here"), std::string::npos);
  edit_index("\"d\":", "\"c\":");
  edit_index("\"b\": \"model-00001-of-00002.safetensors\",", "");
  EXPECT_NE(refusal().find("tensor \"b\" is not listed here"), std::string::npos);
}

TEST_F(Shards, RefusesATensorThatTwoShardsHold) {
  std::filesystem::copy(folder_.path("model-00001-of-00002.safetensors"), folder_.path("model-00003.safetensors"));
  edit_index("\"b\": \"model-00001-of-00002.safetensors\"", "\"b\": \"model-00003.safetensors\"");
  EXPECT_NE(refusal().find("is not listed here"), std::string::npos);
}

TEST_F(Shards, RefusesABrokenIndex) {
  edit_index("\"weight_map\"", "\"other\"");
  EXPECT_NE(refusal().find("weight_map: is missing"), std::string::npos);
  edit_index("\"other\": {", "\"weight_map\": {\"z\": 1,");
  EXPECT_NE(refusal().find("z: wants a string"), std::string::npos);
  write_file_atomic(folder_.path("model.safetensors.index.json"), "{\"weight_map\": {}}");
  EXPECT_NE(refusal().find("weight_map is empty"), std::string::npos);
  write_file_atomic(folder_.path("model.safetensors.index.json"), "{");
  EXPECT_NE(refusal().find("model.safetensors.index.json:1:"), std::string::npos);
}

TEST(SafetensorsPeers, ReadsTheFrozenModelsAndRandomStreams) {
  const ShardedSafetensors tied = ShardedSafetensors::open(HEARTH_TEST_DATA "/models/llama-tied");
  EXPECT_TRUE(tied.contains("model.embed_tokens.weight"));
  const std::string path = HEARTH_SHARED "/data/torch-rng/streams.safetensors";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "shared data is absent: " << path;
  EXPECT_EQ(SafetensorsFile::open(path).names().size(), 635u);
}

}  // namespace
