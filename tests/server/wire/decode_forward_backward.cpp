// Tests of forward_backward: golden bytes, captures, every refusal.
#include <gtest/gtest.h>
#include <zstd.h>

#include <limits>

#include "captures.h"
#include "hearth/core/error.h"
#include "message.h"
#include "server/wire/command.h"
#include "server/wire/unknown_fields.h"
#include "tests/hearth/io/temporary_folder.h"

using namespace hearth;
using namespace hearth::server;
using namespace hearth::test;

namespace {

ForwardBackward decode(std::string_view bytes, UnknownFields* unknown = nullptr, const WireLimits& limits = {}) {
  return std::get<ForwardBackward>(decode_training(CommandKind::forward_backward, bytes, unknown, limits));
}
std::string refusal(const Message& message, const WireLimits& limits = {}) {
  return error_of<ValueError>([&] { decode(message.bytes, nullptr, limits); });
}
std::string input_refusal(const Message& tensor, const std::string& name = "weights", const WireLimits& limits = {}) {
  return refusal(request(datum({1, 2}).put(2, input(name, tensor))), limits);
}

TEST(DecodeForwardBackward, ReadsTheGoldenBytes) {
  const ForwardBackward command = decode(from_hex(golden_request_hex));
  EXPECT_EQ(command.model_id, "s:train:0");
  EXPECT_EQ(command.seq_id, 1);
  EXPECT_EQ(command.loss_fn, "cross_entropy");
  EXPECT_FALSE(command.forward_only);
  EXPECT_TRUE(command.config.empty());
  ASSERT_EQ(command.data.size(), 1u);
  EXPECT_EQ(command.data[0].tokens, (std::vector<int32_t>{5, 6, 7}));
  EXPECT_EQ(command.data[0].inputs.at("target_tokens"), (LossInput{{3}, {}, {6, 7, 8}}));
  EXPECT_EQ(command.data[0].inputs.at("weights"), (LossInput{{3}, {0, 1, 0.5f}, {}}));
}

TEST(DecodeForwardBackward, ReadsEveryCapture) {
  if (!has_captures()) GTEST_SKIP() << "shared data is absent: " << captures_folder();
  UnknownFields unknown;
  int read = 0;
  for (const std::string& path : captured("fb-")) {
    std::string bytes = read_all(path);
    if (path.find("-zstd-") != std::string::npos) {
      std::string plain(1 << 20, '\0');
      const size_t size = ZSTD_decompress(plain.data(), plain.size(), bytes.data(), bytes.size());
      ASSERT_FALSE(ZSTD_isError(size)) << path;
      bytes = plain.substr(0, size);
    }
    const ForwardBackward command = decode(bytes, &unknown);
    EXPECT_TRUE(command.model_id.starts_with("S1:train:")) << path;
    EXPECT_GE(command.seq_id, 1) << path;
    EXPECT_EQ(command.forward_only, path.find("-forward-") != std::string::npos) << path;
    for (const Datum& datum : command.data) {
      EXPECT_EQ(datum.inputs.at("target_tokens").shape[0], int64_t(datum.tokens.size())) << path;
    }
    EXPECT_EQ(*read_key(CommandKind::forward_backward, bytes), (OperationKey{command.model_id, command.seq_id, {}}));
    ++read;
  }
  EXPECT_GE(read, 11);
  EXPECT_TRUE(unknown.names().empty()) << *unknown.names().begin();
}

TEST(DecodeForwardBackward, ReadsConfigsOfCaptures) {
  if (!has_captures()) GTEST_SKIP() << "shared data is absent: " << captures_folder();
  const ForwardBackward ppo = decode(read_all(captures_folder() + "fb-ppo-0.bin"));
  EXPECT_EQ(ppo.config,
            (std::map<std::string, ConfigValue>{{"clip_high_threshold", 1.2}, {"clip_low_threshold", 0.8}}));
  const ForwardBackward sparse = decode(read_all(captures_folder() + "fb-cross_entropy-sparse-0.bin"));
  const LossInput& targets = sparse.data[0].inputs.at("target_tokens");
  const LossInput& weights = sparse.data[0].inputs.at("weights");
  ASSERT_EQ(targets.shape.size(), 2u);
  EXPECT_EQ(targets.shape, weights.shape);
  EXPECT_EQ(int64_t(targets.integers.size()), targets.shape[0] * targets.shape[1]);
}

TEST(DecodeForwardBackward, SpreadsSparseRows) {
  const Message tensor = sparse({1, 2, 3}, {0, 2, 3}, {0, 2, 1}, {2, 3});
  const ForwardBackward command = decode(request(datum({1, 2}).put(2, input("weights", tensor))).bytes);
  EXPECT_EQ(command.data[0].inputs.at("weights"), (LossInput{{2, 3}, {1, 0, 2, 0, 3, 0}, {}}));
}

TEST(DecodeForwardBackward, JoinsTextChunksAndGuessesAMissingShape) {
  Message both = datum({1, 2});
  both.put(1, tokens({3})).put(2, input("weights", floats({1, 2, 3}, {})));
  const ForwardBackward command = decode(request(both).bytes);
  EXPECT_EQ(command.data[0].tokens, (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(command.data[0].inputs.at("weights").shape, (std::vector<int64_t>{3}));
}

TEST(DecodeForwardBackward, TakesShapesPackedAndNot) {
  const Message packed = Message().text(1, array_bytes<float>({1, 2})).number(3, 1).text(4, "\x02\x01");
  EXPECT_EQ(decode(request(datum({1, 2}).put(2, input("w", packed))).bytes).data[0].inputs.at("w").shape,
            (std::vector<int64_t>{2, 1}));
}

TEST(DecodeForwardBackward, PrefersTheSecondConfig) {
  const auto entry = [](const char* key, const Message& value) { return Message().text(1, key).put(2, value); };
  Message message = request(datum({1}));
  message.put(5, Message().text(1, "beta").real(2, 0.5));
  EXPECT_EQ(decode(message.bytes).config, (std::map<std::string, ConfigValue>{{"beta", 0.5}}));
  message.put(7, entry("beta", Message().real(1, 0.25))).put(7, entry("loss_id", Message().text(2, "l1")));
  EXPECT_EQ(decode(message.bytes).config,
            (std::map<std::string, ConfigValue>{{"beta", 0.25}, {"loss_id", std::string("l1")}}));
  EXPECT_EQ(refusal(message.put(7, entry("beta", Message()))),
            "forward_backward: loss_fn_config_v2: \"beta\": is neither a number nor a text");
  EXPECT_EQ(
      refusal(request(datum({1})).put(5, Message().text(1, "b").real(2, std::numeric_limits<double>::infinity()))),
      "forward_backward: loss_fn_config: b: is not finite: inf");
}

TEST(DecodeForwardBackward, NamesWhatIsMissing) {
  EXPECT_EQ(refusal(Message()), "forward_backward: model_id: is missing");
  EXPECT_EQ(refusal(Message().text(1, "m")), "forward_backward: seq_id: must be at least 1: 0");
  EXPECT_EQ(refusal(Message().text(1, "m").number(2, uint64_t(-3))),
            "forward_backward: seq_id: must be at least 1: -3");
  EXPECT_EQ(refusal(Message().text(1, "m").number(2, 1)), "forward_backward: loss_fn: is missing");
  EXPECT_EQ(refusal(Message().text(1, "m").number(2, 1).text(4, "ppo")), "forward_backward: data: is empty");
  EXPECT_EQ(refusal(request(Message())), "forward_backward: data[0]: model_input: holds no tokens");
}

TEST(DecodeForwardBackward, RefusesChunksThatAreNoText) {
  EXPECT_EQ(refusal(request(Message().put(1, Message().put(2, Message().text(1, "png"))))),
            "forward_backward: data[0]: model_input: image: is not offered; only encoded_text is");
  EXPECT_EQ(refusal(request(Message().put(1, Message().put(3, Message())))),
            "forward_backward: data[0]: model_input: dmel (audio): is not offered; only encoded_text is");
  EXPECT_EQ(
      refusal(request(Message().put(1, Message().put(9, Message())))),
      "forward_backward: data[0]: model_input: a chunk that is neither text, image nor audio is not offered; only "
      "encoded_text is");
}

TEST(DecodeForwardBackward, RefusesWrongTokens) {
  EXPECT_EQ(refusal(request(datum({1, -7}))), "forward_backward: data[0]: model_input[1]: is no token id: -7");
  EXPECT_EQ(refusal(request(Message().put(1, Message().put(1, Message().text(1, "abcde"))))),
            "forward_backward: data[0]: model_input: 5 bytes are no whole number of 4-byte values");
}

TEST(DecodeForwardBackward, RefusesWrongTensors) {
  const std::string where = "forward_backward: data[0]: weights";
  EXPECT_EQ(input_refusal(floats({1, 2, 3}, {3})), where + ": shape [3] for 2 tokens");
  EXPECT_EQ(input_refusal(floats({1, 2}, {3})), where + ": 2 values for shape [3]");
  EXPECT_EQ(input_refusal(floats({1, 2}, {2, 0})), where + ": shape: wants 1 to 1024 columns: [2, 0]");
  EXPECT_EQ(input_refusal(floats({1, 2}, {2, 1, 1})), where + ": shape: wants [N] or [N, K]: [2, 1, 1]");
  EXPECT_EQ(input_refusal(floats({1, 2}, {-2})), where + ": shape has a negative dimension: [-2]");
  EXPECT_EQ(input_refusal(floats({1, 2}, {int64_t(1) << 62})),
            where + ": shape has more than 134217728 values: [4611686018427387904]");
  EXPECT_EQ(input_refusal(floats({1, std::numeric_limits<float>::quiet_NaN()}, {2})),
            where + "[1]: is not finite: nan");
  EXPECT_EQ(input_refusal(shaped(Message().text(1, "abc"), 1, {2})),
            where + ": 3 bytes are no whole number of 4-byte values");
  EXPECT_EQ(input_refusal(shaped(Message(), 1, {2})), where + ": holds neither dense nor sparse values");
  for (const int dtype : {0, 3, 4, 77}) {
    EXPECT_EQ(input_refusal(shaped(Message().text(1, "abcdefgh"), dtype, {2})),
              where + ": dtype: wants FLOAT32 (1) or INT64 (2): " + std::to_string(dtype));
  }
  EXPECT_EQ(input_refusal(floats({1, 2}, {2}), "target_tokens"),
            "forward_backward: data[0]: target_tokens: wants INT64");
}

TEST(DecodeForwardBackward, RefusesWrongSparseRows) {
  const std::string where = "forward_backward: data[0]: weights: ";
  EXPECT_EQ(input_refusal(sparse({}, {0, 0, 0}, {}, {2})), where + "a sparse tensor has two dimensions: [2]");
  EXPECT_EQ(input_refusal(sparse({}, {0, 0, 0}, {}, {2, 5000})), where + "has more than 1024 columns: [2, 5000]");
  EXPECT_EQ(input_refusal(sparse({}, {0, 0}, {}, {2, 3})),
            where + "crow_indices: wants one more than the rows: 2 for shape [2, 3]");
  EXPECT_EQ(input_refusal(sparse({}, {}, {}, {int64_t(-1), 3})), where + "a sparse tensor has two dimensions: [-1, 3]");
  EXPECT_EQ(input_refusal(sparse({1}, {0, 1, 1}, {}, {2, 3})),
            where + "col_indices: wants one for each value: 0 for 1");
  EXPECT_EQ(input_refusal(sparse({1}, {1, 1, 1}, {0}, {2, 3})), where + "crow_indices: begins at 1, not 0");
  EXPECT_EQ(input_refusal(sparse({1}, {0, 1, 2}, {0}, {2, 3})), where + "crow_indices: ends at 2, not at the 1 values");
  EXPECT_EQ(input_refusal(sparse({1}, {0, 9, 1}, {0}, {2, 3})),
            where + "crow_indices: falls or overshoots at row 0: 0, 9");
  EXPECT_EQ(input_refusal(sparse({1}, {0, -1, 1}, {0}, {2, 3})),
            where + "crow_indices: falls or overshoots at row 0: 0, -1");
  EXPECT_EQ(input_refusal(sparse({1}, {0, 1, 1}, {3}, {2, 3})), where + "col_indices[0]: outside of 3 columns: 3");
  EXPECT_EQ(input_refusal(sparse({1}, {0, 1, 1}, {-1}, {2, 3})), where + "col_indices[0]: outside of 3 columns: -1");
  EXPECT_EQ(input_refusal(sparse({1, 2}, {0, 2, 2}, {1, 1}, {2, 3})),
            where + "col_indices[1]: columns of a row must rise: 1");
}

TEST(DecodeForwardBackward, KeepsItsLimits) {
  WireLimits limits;
  limits.datums = 1;
  EXPECT_EQ(refusal(request(datum({1})).put(3, datum({1})), limits), "forward_backward: data: more than 1 datums: 2");
  limits = {};
  limits.tokens = 2;
  EXPECT_EQ(refusal(request(datum({1, 2, 3})), limits),
            "forward_backward: data[0]: model_input: more than 2 tokens: 3");
  limits = {};
  limits.values = 5;
  EXPECT_EQ(input_refusal(floats({1, 2}, {2}), "weights", limits), "");
  EXPECT_EQ(input_refusal(sparse({}, {0, 0, 0}, {}, {2, 3}), "weights", limits),
            "forward_backward: data[0]: weights: shape has more than 5 values: [2, 3]");
  const Message two =
      datum({1, 2}).put(2, input("a", floats({1, 2, 3, 4}, {2, 2}))).put(2, input("b", floats({1, 2}, {2})));
  EXPECT_NE(refusal(request(two), limits).find("the request's tensors have more than 5 values"), std::string::npos);
}

TEST(DecodeForwardBackward, NotesUnknownFieldsAndRefusesBentOnes) {
  std::vector<std::string> told;
  UnknownFields unknown([&](const std::string& name) { told.push_back(name); });
  Message inner = datum({1});
  inner.number(12, 5);
  for (int i = 0; i < 2; ++i) decode(request(inner).text(30, "new").bytes, &unknown);
  EXPECT_EQ(told, (std::vector<std::string>{"forward_backward.data field 12", "forward_backward.request field 30"}));
  EXPECT_EQ(refusal(request(datum({1})).fixed32(6, 1)), "forward_backward: request: field 6 has wire type 5, not 0");
  EXPECT_EQ(refusal(request(datum({1}).number(2, 5))), "forward_backward: data: field 2 has wire type 0, not 2");
}

TEST(DecodeForwardBackward, SurvivesEveryCutAndEveryFlippedByte) {
  const std::string golden = from_hex(golden_request_hex);
  for (size_t i = 0; i < golden.size(); ++i) {
    error_of<ValueError>([&] { decode(golden.substr(0, i)); });
    for (const int flip : {1, 0x80, 0xFF}) {
      std::string bent = golden;
      bent[i] = char(bent[i] ^ flip);
      error_of<ValueError>([&] { decode(bent); });
    }
  }
  EXPECT_NE(error_of<ValueError>([&] { decode(golden.substr(0, 60)); }).find("cut short or broken"), std::string::npos);
  EXPECT_NE(refusal(Message().text(1, "\xff")).find("not UTF-8"), std::string::npos);
}

TEST(ReadKey, ReadsTheKeyOfBrokenMessages) {
  const std::string golden = from_hex(golden_request_hex);
  const OperationKey key{"s:train:0", 1, {}};
  for (const size_t size : {size_t(13), size_t(14), size_t(60), golden.size()}) {
    EXPECT_EQ(read_key(CommandKind::forward_backward, golden.substr(0, size)), key) << size;
  }
  EXPECT_EQ(read_key(CommandKind::forward_backward, golden.substr(0, 12)), std::nullopt);
  EXPECT_EQ(read_key(CommandKind::forward_backward, ""), std::nullopt);
  EXPECT_EQ(read_key(CommandKind::forward_backward, Message().number(2, 4).text(1, "\xff").bytes), std::nullopt);
}

}  // namespace
