// Tests of text windows: every target once a pass, shifts, going on from a saved position.
#include "hearth/data/text_dataset.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "hearth/core/error.h"

using namespace hearth;

namespace {

std::vector<int32_t> stream(int count) {
  std::vector<int32_t> tokens;
  for (int i = 0; i < count; ++i) tokens.push_back(i);
  return tokens;
}

TextDatasetOptions options_of(int64_t context, int64_t batch_size, bool shift = false) {
  TextDatasetOptions options;
  options.context = context;
  options.batch_size = batch_size;
  options.seed = 3;
  options.shift = shift;
  return options;
}

TEST(TextDataset, CutsWindowsInOrderWithoutShuffle) {
  TextDatasetOptions options = options_of(4, 2);
  options.shuffle = false;
  TextDataset data(stream(11), options);
  EXPECT_EQ(data.windows_in_epoch(0), 3);
  EXPECT_EQ(data.batches_in_epoch(0), 2);
  const PackedBatch batch = data.next();
  EXPECT_EQ(batch.tokens, (std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(batch.targets, (std::vector<int32_t>{1, 2, 3, 4, 5, 6, 7, 8}));
  EXPECT_EQ(batch.positions, (std::vector<int32_t>{0, 1, 2, 3, 0, 1, 2, 3}));
  EXPECT_EQ(batch.cu_seqlens, (std::vector<int32_t>{0, 4, 8}));
  EXPECT_EQ(batch.weight_sum(), 8);
  EXPECT_EQ(data.next().tokens, (std::vector<int32_t>{8, 9})) << "the last window is as short as it comes";
  EXPECT_EQ(data.position().epoch, 1);
}

TEST(TextDataset, EveryTargetComesOnceAPass) {
  for (const bool shift : {false, true}) {
    for (const int count : {2, 3, 8, 9, 10, 101}) {
      TextDataset data(stream(count), options_of(8, 3, shift));
      for (int64_t pass = 0; pass < 20; ++pass) {
        std::vector<int32_t> targets;
        int64_t batches = 0;
        for (; data.position().epoch == pass; ++batches) {
          const PackedBatch batch = data.next();
          EXPECT_LE(batch.sequences(), 3);
          EXPECT_LE(batch.longest(), 8);
          EXPECT_GT(batch.size(), 0);
          targets.insert(targets.end(), batch.targets.begin(), batch.targets.end());
        }
        EXPECT_EQ(batches, data.batches_in_epoch(pass));
        std::sort(targets.begin(), targets.end());
        ASSERT_EQ(int(targets.size()), count - 1);
        for (int i = 0; i + 1 < count; ++i) ASSERT_EQ(targets[size_t(i)], i + 1);
      }
    }
  }
}

TEST(TextDataset, ShiftsMoveTheCuts) {
  TextDataset data(stream(100), options_of(8, 100, true));
  std::vector<std::vector<int32_t>> firsts;
  for (int pass = 0; pass < 8; ++pass) {
    const PackedBatch batch = data.next();
    std::vector<int32_t> starts;
    for (size_t i = 0; i < batch.tokens.size(); ++i) {
      if (batch.positions[i] == 0) starts.push_back(batch.tokens[i] % 8);
    }
    std::sort(starts.begin(), starts.end());
    firsts.push_back(starts);
  }
  std::sort(firsts.begin(), firsts.end());
  EXPECT_GT(std::unique(firsts.begin(), firsts.end()) - firsts.begin(), 2);
}

TEST(TextDataset, FromEverySavedPositionTheSameBatchesFollow) {
  for (const bool shift : {false, true}) {
    TextDataset whole(stream(101), options_of(8, 3, shift));
    std::vector<DataPosition> positions;
    std::vector<std::vector<int32_t>> expected;
    for (int i = 0; i < 15; ++i) {
      positions.push_back(whole.position());
      expected.push_back(whole.next().tokens);
    }
    for (size_t start = 0; start < positions.size(); ++start) {
      TextDataset resumed(stream(101), options_of(8, 3, shift));
      resumed.seek(positions[start]);
      for (size_t i = start; i < positions.size(); ++i) ASSERT_EQ(resumed.next().tokens, expected[i]);
    }
  }
}

TEST(TextDataset, RefusesPositionsOfOtherData) {
  TextDataset data(stream(101), options_of(8, 3));
  data.next();
  const DataPosition position = data.position();
  EXPECT_THROW(TextDataset(stream(102), options_of(8, 3)).seek(position), ValueError);
  EXPECT_THROW(TextDataset(stream(101), options_of(9, 3)).seek(position), ValueError);
  DataPosition impossible = position;
  impossible.index = 1000;
  EXPECT_THROW(data.seek(impossible), ValueError);
}

TEST(TextDataset, RefusesImpossibleOptions) {
  EXPECT_THROW(TextDataset(stream(10), options_of(0, 1)), ValueError);
  EXPECT_THROW(TextDataset(stream(10), options_of(1, 0)), ValueError);
  EXPECT_THROW(TextDataset(stream(10), options_of(1 << 20, 1 << 20)), ValueError);
  EXPECT_THROW(TextDataset(stream(1), options_of(4, 1)), ValueError);
  EXPECT_THROW(TextDataset({}, options_of(4, 1)), ValueError);
}

}  // namespace
