// Input that cannot be used: one clear error that names the culprit, exit code 2, nothing half-written.
#include <gtest/gtest.h>
#include <sys/mount.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "cli/command.h"

namespace hearth::cli_test {
namespace {

using Arguments = std::vector<std::string>;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

class BadInput : public testing::Test {
 protected:
  void SetUp() override {
    fs::copy(tiny_model(), model, fs::copy_options::recursive);
    write(rows, completion_rows());
  }

  /// `hearth tune` on this test's model and rows.
  Arguments tune(const Arguments& more = {}) const {
    Arguments arguments = {"tune", model, rows, "-o", out, "--steps", "4", "--batch-size", "4", "--rank", "2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  /// Exit code 2, exactly one line of error, which names everything in `named`; standard output stays empty.
  Outcome expect_refused(const Arguments& arguments, const std::vector<std::string>& named,
                         const Setting& setting = {}) const {
    const Outcome outcome = hearth_command(arguments, setting);
    EXPECT_EQ(outcome.code, 2) << outcome.err;
    EXPECT_EQ(outcome.out, "");
    std::string error;
    int lines = 0;
    for (size_t at = 0; at < outcome.err.size();) {
      const size_t end = std::min(outcome.err.find('\n', at), outcome.err.size());
      if (outcome.err.compare(at, 7, "error: ") == 0) {
        error = outcome.err.substr(at, end - at);
        ++lines;
      }
      at = end + 1;
    }
    EXPECT_EQ(lines, 1) << outcome.err;
    for (const std::string& name : named) EXPECT_NE(error.find(name), std::string::npos) << name << "\n" << outcome.err;
    return outcome;
  }

  /// The same for `tune`, which moreover leaves no output folder.
  void expect_tune_refused(const std::vector<std::string>& named, const Arguments& more = {},
                           const Setting& setting = {}) const {
    expect_refused(tune(more), named, setting);
    EXPECT_FALSE(fs::exists(out)) << "an output folder was left";
  }

  void change(const std::string& file, const std::string& from, const std::string& to) const {
    write(model + "/" + file, replaced(contents(model + "/" + file), from, to));
  }

  TempFolder folder;
  std::string model = folder / "model", rows = folder / "rows.jsonl", out = folder / "deep/out";
};

TEST_F(BadInput, MissingFiles) {
  expect_refused({"tune", folder / "nowhere", rows, "-o", out}, {"nowhere"});
  expect_refused({"tune", model, folder / "nothing.jsonl", "-o", out}, {"nothing.jsonl"});
  EXPECT_FALSE(fs::exists(folder / "deep"));
  for (const char* file : {"config.json", "model.safetensors", "tokenizer.json"}) {
    SCOPED_TRACE(file);
    const std::string kept = contents(model + "/" + file);
    fs::remove(model + "/" + file);
    expect_tune_refused({model});
    expect_refused({"sample", model, "--prompt", "The"}, {model});
    expect_refused({"eval", model, rows}, {model});
    expect_refused({"info", model}, {model});
    write(model + "/" + file, kept);
  }
}

TEST_F(BadInput, DamagedSafetensors) {
  const std::string path = model + "/model.safetensors", good = contents(path);
  uint64_t header = 0;
  std::memcpy(&header, good.data(), 8);
  std::string huge = good, noise = good;
  std::memset(huge.data(), 0x7f, 8);
  std::fill(noise.begin() + 8, noise.begin() + 40, 'x');
  const std::string name = "\"model.norm.weight\":";
  const size_t entry = good.find(name);
  ASSERT_NE(entry, std::string::npos);
  // Lies that keep the header's length: other dtype, other offsets.
  const std::string lie_dtype = good.substr(0, entry) + replaced(good.substr(entry), "\"F32\"", "\"F64\"");
  std::string lie_offset = good;
  const size_t digit = good.find("data_offsets\":[", entry) + 15;
  lie_offset[digit] = lie_offset[digit] == '9' ? '8' : '9';
  const std::map<std::string, std::string> damages = {{"empty", ""},
                                                      {"three bytes", "abc"},
                                                      {"header cut", good.substr(0, 8 + size_t(header) / 2)},
                                                      {"data cut", good.substr(0, good.size() - 5)},
                                                      {"bytes behind", good + "more"},
                                                      {"huge header", huge},
                                                      {"no JSON", noise},
                                                      {"lying dtype", lie_dtype},
                                                      {"lying offsets", lie_offset}};
  for (const auto& [what, bytes] : damages) {
    SCOPED_TRACE(what);
    write(path, bytes);
    expect_tune_refused({"model.safetensors"});
    expect_refused({"sample", model, "--prompt", "The"}, {"model.safetensors"});
    expect_refused({"export", model, "-o", out}, {"model.safetensors"});
    EXPECT_FALSE(fs::exists(folder / "deep"));
  }
}

TEST_F(BadInput, ConfigThatDoesNotFit) {
  const std::string good = contents(model + "/config.json");
  const std::vector<std::array<std::string, 3>> changes = {
      {"\"model_type\":\"llama\"", "\"model_type\":\"mamba\"", "mamba"},
      {"\"num_hidden_layers\":2", "\"num_hidden_layers\":3", "model.layers.2"},
      {"\"num_hidden_layers\":2", "\"num_hidden_layers\":1", "model.layers.1"},
      {"\"hidden_size\":32", "\"hidden_size\":64", "shape"},
      {"\"intermediate_size\":", "\"intermediate_size\":1", "shape"},
      {"\"num_key_value_heads\":2", "\"num_key_value_heads\":3", "num_key_value_heads"},
      {"\"num_hidden_layers\":2", "\"num_hidden_layers\":-2", "num_hidden_layers"},
      {"\"num_hidden_layers\":2", "\"num_hidden_layers\":\"two\"", "num_hidden_layers"},
      {"\"hidden_act\":\"silu\"", "\"hidden_act\":\"gelu\"", "gelu"},
      {"\"num_hidden_layers\":2,", "", "num_hidden_layers"},
      {"{", "", "config.json"}};
  for (const auto& [from, to, named] : changes) {
    SCOPED_TRACE(to);
    write(model + "/config.json", replaced(good, from, to));
    expect_tune_refused({named});
    expect_refused({"info", model}, {named});
  }
}

TEST_F(BadInput, TokenizerOfAnotherModel) {
  const Outcome made = hearth_command({"pretrain",
                                       rows,
                                       "-o",
                                       folder / "other",
                                       "--vocab-size",
                                       "265",
                                       "--hidden-size",
                                       "16",
                                       "--layers",
                                       "1",
                                       "--heads",
                                       "2",
                                       "--kv-heads",
                                       "1",
                                       "--context",
                                       "16",
                                       "--steps",
                                       "1",
                                       "--batch-size",
                                       "1"});
  EXPECT_EQ(made.code, 2) << "completion rows are no text to pretrain on";
  const std::string good = contents(model + "/tokenizer.json");
  write(model + "/tokenizer.json",
        replaced(good, "\"added_tokens\":[",
                 R"("added_tokens":[{"id":5000,"content":"<far>","single_word":false,"lstrip":false,"rstrip":false,)"
                 R"("normalized":false,"special":true},)"));
  expect_tune_refused({"tokenizer", "does not match"});
  expect_refused({"sample", model, "--prompt", "The"}, {"tokenizer", "does not match"});
  write(model + "/tokenizer.json", good.substr(0, good.size() / 2));
  expect_tune_refused({"tokenizer.json"});
}

TEST_F(BadInput, RowsThatAreNoRows) {
  const std::string good = R"({"prompt": "a", "completion": "b"})"
                           "\n";
  const std::vector<std::pair<std::string, std::string>> bad = {
      {good + good + "{\"prompt\": \"a\", \"compl\n" + good, "rows.jsonl:3"},
      {good + R"({"prompt": 5, "completion": "b"})"
              "\n",
       "rows.jsonl:2"},
      {good + R"({"prompt": "a"})"
              "\n",
       "rows.jsonl:2"},
      {good + "[]\n", "rows.jsonl:2"},
      {good + good + "{\"prompt\": \"\xff\xfe\", \"completion\": \"b\"}\n", "rows.jsonl:3"},
      {R"({"messages": [{"role": "wizard", "content": "x"}]})"
       "\n",
       "rows.jsonl:1"},
      {R"({"something": "else"})"
       "\n",
       "rows.jsonl:1"},
      {"", "rows.jsonl"},
      {"\n\n", "rows.jsonl"}};
  for (const auto& [text, named] : bad) {
    SCOPED_TRACE(text);
    write(rows, text);
    expect_tune_refused({named});
    expect_refused({"eval", model, rows}, {named});
  }
}

TEST_F(BadInput, EmptyAndOverLongExamples) {
  std::string text = completion_rows() + R"({"prompt": "a", "completion": ")";
  for (int i = 0; i < 300; ++i) text += "zq ";
  write(rows, text + "\"}\n");
  expect_tune_refused({"rows.jsonl:41", "1 of 41", "longer"}, {"--validation-split", "0"});
  for (const char* way : {"skip", "truncate"}) {
    const Outcome done = hearth_command(tune({"--too-long", way, "--validation-split", "0"}));
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_NE(done.err.find("1 "), std::string::npos) << done.err;
    EXPECT_NE(done.err.find(std::string(way) == "skip" ? "skipped" : "cut"), std::string::npos) << done.err;
    fs::remove_all(folder / "deep");
  }
  std::string one_text = R"({"text": ""})"
                         "\n"
                         R"({"text": "The cat sat on a mat."})"
                         "\n";
  write(rows, one_text);
  expect_tune_refused({"rows.jsonl:1", "1 of 2", "empty"}, {"--validation-split", "0"});
  const Outcome done = hearth_command(tune({"--empty", "skip", "--validation-split", "0"}));
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_NE(done.err.find("1 empty"), std::string::npos) << done.err;
  const Outcome cut = hearth_command(tune({"--empty", "truncate"}));
  EXPECT_EQ(cut.code, 2);
  EXPECT_NE(cut.err.find("--empty"), std::string::npos) << cut.err;
}

TEST_F(BadInput, OutputExists) {
  for (const Arguments& arguments : {tune(), Arguments{"export", model, "-o", out},
                                     Arguments{"pretrain", folder / "text.txt", "-o", out, "--steps", "1"}}) {
    SCOPED_TRACE(arguments[0]);
    write(folder / "text.txt", "Some text to learn from. Some more text to learn from.");
    write(out + "/mine.txt", "precious");
    const auto before = snapshot(folder / "deep");
    expect_refused(arguments, {"exists", out});
    EXPECT_EQ(snapshot(folder / "deep"), before);
    fs::remove_all(folder / "deep");
    write(out, "a file");
    expect_refused(arguments, {"exists", out});
    EXPECT_EQ(contents(out), "a file");
    fs::remove_all(folder / "deep");
  }
  expect_refused({"tune", model, rows, "-o", "/proc/hearth/out"}, {"/proc/hearth/out"});
}

/// Sets every number of a tensor in a safetensors file of float32 values.
void poison(const std::string& path, const std::string& tensor, float value) {
  std::string bytes = contents(path);
  uint64_t header = 0;
  std::memcpy(&header, bytes.data(), 8);
  const size_t at = bytes.find("data_offsets\":[", bytes.find("\"" + tensor + "\"")) + 15;
  const size_t begin = std::stoull(bytes.substr(at)), end = std::stoull(bytes.substr(bytes.find(',', at) + 1));
  for (size_t i = begin; i < end; i += 4) std::memcpy(bytes.data() + 8 + header + i, &value, 4);
  write(path, bytes);
}

TEST_F(BadInput, LossThatIsNotFinite) {
  // Steps so large that the numbers overflow soon: the run stops there and keeps what it saved before.
  const Arguments wild = tune(
      {"--lr", "1e30", "--clip", "0", "--schedule", "constant", "--warmup", "2", "--save-every", "1", "--steps", "40"});
  Arguments arguments = wild;
  arguments.erase(std::find(arguments.begin(), arguments.end(), "--steps"),
                  std::find(arguments.begin(), arguments.end(), "--steps") + 2);
  expect_refused(arguments, {"not finite", "step", "checkpoints/step-"});
  EXPECT_TRUE(fs::exists(out + "/checkpoints/step-00000001/adapter_model.safetensors") ||
              fs::exists(out + "/checkpoints/step-00000002/adapter_model.safetensors"));
  EXPECT_FALSE(fs::exists(out + "/adapter_model.safetensors"));
  fs::remove_all(folder / "deep");

  poison(model + "/model.safetensors", "model.norm.weight", std::numeric_limits<float>::quiet_NaN());
  expect_tune_refused({"not finite", "step 1"});
  expect_refused({"sample", model, "--prompt", "The", "--json"}, {"finite"});
  expect_refused({"eval", model, rows}, {"finite"});
}

TEST_F(BadInput, AdapterForAnotherBase) {
  const Outcome done = hearth_command(tune({"-q"}));
  ASSERT_EQ(done.code, 0) << done.err;
  write(folder / "text.txt", "One two three. <|endoftext|> Four five six. <|endoftext|> Seven eight nine and ten.");
  const Outcome made = hearth_command({"pretrain",
                                       folder / "text.txt",
                                       "-o",
                                       folder / "small",
                                       "--vocab-size",
                                       "270",
                                       "--hidden-size",
                                       "16",
                                       "--layers",
                                       "1",
                                       "--heads",
                                       "2",
                                       "--kv-heads",
                                       "1",
                                       "--context",
                                       "8",
                                       "--steps",
                                       "1",
                                       "--batch-size",
                                       "1"});
  ASSERT_EQ(made.code, 0) << made.err;
  const std::string small = folder / "small", merged = folder / "merged";
  expect_refused({"sample", small, "--adapter", out, "--prompt", "One"}, {"lora"});
  expect_refused({"eval", small, folder / "text.txt", "--adapter", out}, {"lora"});
  expect_refused({"export", small, "--adapter", out, "-o", merged}, {"lora"});
  EXPECT_FALSE(fs::exists(merged));
  expect_refused({"sample", model, "--adapter", folder / "none", "--prompt", "One"}, {"none"});
  const std::string weights = contents(out + "/adapter_model.safetensors");
  write(out + "/adapter_model.safetensors", weights.substr(0, weights.size() / 2));
  expect_refused({"sample", model, "--adapter", out, "--prompt", "One"}, {"adapter_model.safetensors"});
}

TEST_F(BadInput, NotEnoughMemory) {
  expect_tune_refused({"memory"}, {}, {.environment = {"HEARTH_MEMORY_LIMIT=100K"}});
  expect_refused({"eval", model, rows}, {"memory"}, {.environment = {"HEARTH_MEMORY_LIMIT=20K"}});
}

TEST_F(BadInput, FileThatMayNotGrow) {
  // The first checkpoint is larger than any file may be; what was there before stays whole.
  expect_refused(tune({"--save-every", "2"}), {out}, {.largest_file = 3000});
  for (const auto& [name, bytes] : snapshot(folder / "deep"))
    EXPECT_TRUE(name.find("safetensors") == std::string::npos) << name;
  const Outcome done = hearth_command(tune({"--save-every", "2", "--resume"}));
  EXPECT_EQ(done.code, 0) << done.err;
  const std::string merged = folder / "merged";
  expect_refused({"export", model, "--adapter", out, "-o", merged}, {merged}, {.largest_file = 3000});
  EXPECT_FALSE(fs::exists(merged));
}

TEST_F(BadInput, FullDisk) {
  const std::string disk = folder / "disk";
  fs::create_directories(disk);
  if (mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=120k") != 0)
    GTEST_SKIP() << "no small file system can be mounted: " << std::strerror(errno);
  out = disk + "/out";
  const Outcome outcome = expect_refused(tune({"--save-every", "1"}), {"no space left", out});
  for (const auto& [name, bytes] : snapshot(disk)) {
    EXPECT_EQ(name.find("writing-"), std::string::npos) << name;
    EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
  }
  EXPECT_FALSE(fs::exists(out + "/adapter_model.safetensors"));
  umount(disk.c_str());
}

TEST_F(BadInput, Options) {
  const std::vector<std::pair<Arguments, std::string>> bad = {{{"--rank", "0"}, "rank"},
                                                              {{"--alpha", "-1"}, "alpha"},
                                                              {{"--dropout", "1"}, "dropout"},
                                                              {{"--target", "nothing_proj"}, "nothing_proj"},
                                                              {{"--lr", "-1"}, "learning_rate"},
                                                              {{"--lr", "nan"}, "learning_rate"},
                                                              {{"--epochs", "0"}, "epochs"},
                                                              {{"--schedule", "wavy"}, "wavy"},
                                                              {{"--dtype", "int8"}, "int8"},
                                                              {{"--format", "verse"}, "verse"},
                                                              {{"--save-every", "0"}, "save_every"},
                                                              {{"--validation-split", "1"}, "validation_split"},
                                                              {{"--clip", "-1"}, "clip"},
                                                              {{"--full", "--dtype", "bfloat16"}, "bfloat16"}};
  for (const auto& [more, named] : bad) {
    SCOPED_TRACE(more.back());
    Arguments arguments = tune();
    if (more[0] == "--rank") arguments.resize(arguments.size() - 2);
    arguments.insert(arguments.end(), more.begin(), more.end());
    expect_refused(arguments, {named});
    EXPECT_FALSE(fs::exists(out));
  }
  const std::vector<std::pair<Arguments, std::string>> sampling = {
      {{"--temperature", "-1"}, "temperature"},
      {{"--top-p", "0"}, "top_p"},
      {{"--top-p", "1.5"}, "top_p"},
      {{"--top-k", "-1"}, "top_k"},
      {{"--min-p", "2"}, "min_p"},
      {{"--repetition-penalty", "0"}, "repetition_penalty"},
      {{"--max-tokens", "-1"}, "max_tokens"},
      {{"--dtype", "float99"}, "float99"},
      {{"--stop", ""}, "stop"}};
  for (const auto& [more, named] : sampling) {
    SCOPED_TRACE(more[0]);
    Arguments arguments = {"sample", model, "--json", "--prompt", "The"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    expect_refused(arguments, {named});
  }
}

TEST_F(BadInput, CommandLine) {
  const std::vector<std::pair<Arguments, std::string>> bad = {{{"dance"}, "dance"},
                                                              {{"tune"}, "MODEL"},
                                                              {{"tune", model, rows}, "--out"},
                                                              {tune({"--speed", "9"}), "--speed"},
                                                              {tune({"--seed", "many"}), "--seed"},
                                                              {tune({"--too-long", "maybe"}), "--too-long"},
                                                              {{"sample", model, "--system", "x"}, "--system"},
                                                              {{"export", model, "-o", out, "--dtype", "int8"}, "int8"},
                                                              {{"sample", model, "--frobnicate"}, "--frobnicate"}};
  for (const auto& [arguments, named] : bad) {
    const Outcome outcome = hearth_command(arguments);
    EXPECT_EQ(outcome.code, 2) << named;
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find(named), std::string::npos) << named << "\n" << outcome.err;
    EXPECT_FALSE(fs::exists(folder / "deep"));
  }
  const Outcome nothing = hearth_command({});
  EXPECT_EQ(nothing.code, 2);
  EXPECT_NE((nothing.out + nothing.err).find("hearth tune"), std::string::npos);
}

TEST_F(BadInput, HelpAndVersionSucceed) {
  EXPECT_EQ(hearth_command({"--version"}).code, 0);
  EXPECT_EQ(hearth_command({"--help"}).code, 0);
  for (const char* name : {"tune", "sample", "eval", "pretrain", "export", "info", "bench"}) {
    const Outcome help = hearth_command({name, "--help"});
    EXPECT_EQ(help.code, 0) << name;
    EXPECT_NE(help.out.find("MODEL") + help.out.find("DATA"), 2 * std::string::npos) << name;
  }
}

}  // namespace
}  // namespace hearth::cli_test
