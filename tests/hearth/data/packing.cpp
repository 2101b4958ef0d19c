// Tests of packing: what is in a batch, nothing lost or doubled in a pass, going on from a saved position.
#include "hearth/data/packing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "hearth/core/error.h"
#include "hearth/io/temporary_folder.h"

using namespace hearth;
using hearth::test::error_of;

namespace {

TokenExample example_of(int32_t first, int length) {
  TokenExample example;
  for (int i = 0; i < length; ++i) {
    example.tokens.push_back(first + i);
    example.weights.push_back(i < length / 2 ? 0.0f : 1.0f);
  }
  return example;
}

/// Example i begins with token 1000 i and has 2 .. 8 tokens.
std::vector<TokenExample> examples(int count) {
  std::vector<TokenExample> all;
  for (int i = 0; i < count; ++i) all.push_back(example_of(1000 * i, 2 + i * 5 % 7));
  return all;
}

std::string text_of(const PackedBatch& batch) {
  std::string text;
  for (size_t i = 0; i < batch.tokens.size(); ++i) {
    text += std::to_string(batch.tokens[i]) + ">" + std::to_string(batch.targets[i]) + "@" +
            std::to_string(batch.positions[i]) + "*" + std::to_string(batch.weights[i]) + " ";
  }
  for (const int32_t end : batch.cu_seqlens) text += "|" + std::to_string(end);
  return text;
}

TEST(PackedBatch, LaysSequencesEndToEnd) {
  PackingOptions options;
  options.batch_size = 2;
  options.shuffle = false;
  PackedBatches batches({{{1, 2, 3}, {0, 0, 1}}, {{7, 8}, {9, 0.5f}}}, options);
  const PackedBatch batch = batches.next();
  EXPECT_EQ(batch.tokens, (std::vector<int32_t>{1, 2, 7}));
  EXPECT_EQ(batch.targets, (std::vector<int32_t>{2, 3, 8}));
  EXPECT_EQ(batch.positions, (std::vector<int32_t>{0, 1, 0}));
  EXPECT_EQ(batch.weights, (std::vector<float>{0, 1, 0.5f}));
  EXPECT_EQ(batch.cu_seqlens, (std::vector<int32_t>{0, 2, 3}));
  EXPECT_EQ(batch.examples, (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(batch.size(), 3);
  EXPECT_EQ(batch.sequences(), 2);
  EXPECT_EQ(batch.longest(), 2);
  EXPECT_EQ(batch.weight_sum(), 1.5);
}

/// Walks one pass; every example must come once and batches keep their limits.
void check_pass(PackedBatches& batches, int64_t count) {
  const int64_t epoch = batches.position().epoch;
  const PackingOptions& options = batches.options();
  std::vector<int64_t> seen;
  int64_t number = 0;
  for (; batches.position().epoch == epoch; ++number) {
    const PackedBatch batch = batches.next();
    seen.insert(seen.end(), batch.examples.begin(), batch.examples.end());
    EXPECT_GT(batch.size(), 0);
    EXPECT_TRUE(options.batch_size == 0 || batch.sequences() <= options.batch_size);
    EXPECT_TRUE(options.batch_tokens == 0 || batch.size() <= options.batch_tokens);
    for (int64_t s = 0; s < batch.sequences(); ++s) {
      EXPECT_EQ(batch.tokens[size_t(batch.cu_seqlens[size_t(s)])], 1000 * batch.examples[size_t(s)]);
    }
  }
  EXPECT_EQ(number, batches.batches_in_epoch(epoch));
  std::sort(seen.begin(), seen.end());
  ASSERT_EQ(int64_t(seen.size()), count);
  for (int64_t i = 0; i < count; ++i) EXPECT_EQ(seen[size_t(i)], i);
}

TEST(PackedBatches, EachPassHasEveryExampleOnce) {
  for (const auto& [size, tokens] : std::vector<std::pair<int, int>>{{3, 0}, {0, 20}, {4, 12}, {100, 0}, {0, 7}}) {
    PackingOptions options;
    options.batch_size = size;
    options.batch_tokens = tokens;
    options.seed = 5;
    PackedBatches batches(examples(37), options);
    for (int pass = 0; pass < 3; ++pass) check_pass(batches, 37);
    EXPECT_EQ(batches.position().epoch, 3);
  }
}

TEST(PackedBatches, PassesAndSeedsDiffer) {
  PackingOptions options;
  options.batch_size = 37;
  PackedBatches batches(examples(37), options);
  const std::string first = text_of(batches.next()), second = text_of(batches.next());
  EXPECT_NE(first, second);
  PackedBatches again(examples(37), options);
  EXPECT_EQ(text_of(again.next()), first);
  options.seed = 1;
  PackedBatches other(examples(37), options);
  EXPECT_NE(text_of(other.next()), first);
}

TEST(PackedBatches, FromEverySavedPositionTheSameBatchesFollow) {
  PackingOptions options;
  options.batch_tokens = 20;
  options.seed = 9;
  PackedBatches whole(examples(37), options);
  std::vector<DataPosition> positions;
  std::vector<std::string> expected;
  for (int i = 0; i < 25; ++i) {
    positions.push_back(whole.position());
    expected.push_back(text_of(whole.next()));
  }
  for (size_t start = 0; start < positions.size(); ++start) {
    PackedBatches resumed(examples(37), options);
    resumed.seek(positions[start]);
    EXPECT_EQ(resumed.position(), positions[start]);
    for (size_t i = start; i < positions.size(); ++i) ASSERT_EQ(text_of(resumed.next()), expected[i]) << start;
  }
}

TEST(PackedBatches, RefusesAPositionOfOtherData) {
  PackingOptions options;
  options.batch_size = 4;
  PackedBatches batches(examples(10), options);
  batches.next();
  const DataPosition position = batches.position();
  auto changed = examples(10);
  changed[3].tokens[1] ^= 1;
  EXPECT_THROW(PackedBatches(changed, options).seek(position), ValueError);
  auto reweighted = examples(10);
  reweighted[3].weights[0] = 0.25f;
  EXPECT_THROW(PackedBatches(reweighted, options).seek(position), ValueError);
  EXPECT_THROW(PackedBatches(examples(11), options).seek(position), ValueError);
  options.seed = 1;
  EXPECT_THROW(PackedBatches(examples(10), options).seek(position), ValueError);
  DataPosition impossible = position;
  impossible.index = 10;
  EXPECT_THROW(batches.seek(impossible), ValueError);
  impossible = position;
  impossible.epoch = -1;
  EXPECT_THROW(batches.seek(impossible), ValueError);
  batches.seek(position);
}

std::vector<TokenExample> with_bad_ones() {
  std::vector<TokenExample> all = {example_of(0, 4), example_of(10, 9), {{1}, {1}}, {{1, 2}, {1, 0}}, {},
                                   example_of(20, 5)};
  return all;
}

TEST(PackedBatches, BadExamplesAreErrorsUnlessAskedOtherwise) {
  PackingOptions options;
  options.batch_size = 2;
  options.max_length = 5;
  EXPECT_NE(error_of<ValueError>([&] {
              PackedBatches(with_bad_ones(), options);
            }).find("1 of 6 examples are longer than 5 tokens, the first is number 1"),
            std::string::npos);
  options.on_too_long = BadExample::skip;
  EXPECT_NE(error_of<ValueError>([&] {
              PackedBatches(with_bad_ones(), options);
            }).find("3 of 6 examples have nothing to learn, the first is number 2"),
            std::string::npos);
  options.on_empty = BadExample::skip;
  options.shuffle = false;
  PackedBatches batches(with_bad_ones(), options);
  EXPECT_EQ(batches.report().kept, 2);
  EXPECT_EQ(batches.report().text(5), "2 of 6 examples, 4 skipped (3 empty, 1 longer than 5 tokens)");
  EXPECT_EQ(batches.next().examples, (std::vector<int64_t>{0, 5}))
      << "numbers are those of the data, not of what is kept";
}

TEST(PackedBatches, TruncatesWhenAskedAndCountsIt) {
  PackingOptions options;
  options.batch_size = 1;
  options.max_length = 6;
  options.on_too_long = BadExample::truncate;
  PackedBatches batches({example_of(0, 9)}, options);
  EXPECT_EQ(batches.report().text(6), "1 of 1 examples, 1 longer than 6 tokens cut");
  EXPECT_EQ(batches.next().size(), 5);
  options.max_length = 4;  // what was to be learned begins at token 4: nothing is left of it
  EXPECT_THROW(PackedBatches({example_of(0, 9)}, options), ValueError);
}

TEST(PackedBatches, WithoutMaxLengthTheBatchBudgetIsTheLimit) {
  PackingOptions options;
  options.batch_tokens = 8;
  EXPECT_EQ(PackedBatches({example_of(0, 9)}, options).next().size(), 8);
  EXPECT_THROW(PackedBatches({example_of(0, 10)}, options), ValueError);
}

TEST(PackedBatches, RefusesImpossibleOptionsAndExamples) {
  const auto refuses = [](int64_t size, int64_t tokens, int64_t length, BadExample empty = BadExample::error) {
    PackingOptions options;
    options.batch_size = size;
    options.batch_tokens = tokens;
    options.max_length = length;
    options.on_empty = empty;
    return !error_of<ValueError>([&] { PackedBatches(examples(3), options); }).empty();
  };
  EXPECT_TRUE(refuses(0, 0, 0));
  EXPECT_TRUE(refuses(-1, 0, 0));
  EXPECT_TRUE(refuses(0, -1, 0));
  EXPECT_TRUE(refuses(1, 0, -1));
  EXPECT_TRUE(refuses(1, 0, 1));
  EXPECT_TRUE(refuses(0, 10, 12));
  EXPECT_TRUE(refuses(0, int64_t(1) << 40, 0));
  EXPECT_TRUE(refuses(1, 0, 0, BadExample::truncate));
  EXPECT_FALSE(refuses(0, 10, 11));
  PackingOptions options;
  options.batch_size = 1;
  EXPECT_THROW(PackedBatches({}, options), ValueError);
  EXPECT_THROW(PackedBatches({{{1, 2}, {1}}}, options), ValueError);
  EXPECT_THROW(PackedBatches({{{1, 2}, {1, NAN}}}, options), ValueError);
}

}  // namespace
