// Load tokenizer: finds the tokenizer files of a folder and reads them.
#include <algorithm>
#include <fstream>

#include "hearth/core/error.h"
#include "llm/tokenizer/tokenizer.h"
#include "llm/tokenizer/tokenizer_parts.h"

namespace hearth::llm {

namespace {

namespace fs = std::filesystem;

constexpr uintmax_t file_limit = uintmax_t{1} << 30;

std::string read_file(const fs::path& path) {
  std::error_code error;
  const uintmax_t size = fs::file_size(path, error);
  check<IoError>(!error, path.string(), ": ", error.message());
  check<IoError>(size <= file_limit, path.string(), ": ", size, " bytes are too many for a tokenizer file");
  std::string text(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(text.data(), static_cast<std::streamsize>(size));
  check<IoError>(file.good() || (size == 0 && file.is_open()), path.string(), ": cannot be read");
  return text;
}

bool has(const fs::path& folder, const char* name) { return fs::is_regular_file(folder / name); }

std::string read_if_there(const fs::path& folder, const char* name) {
  return has(folder, name) ? read_file(folder / name) : std::string();
}

TokenizerSideFiles read_side_files(const fs::path& folder) {
  return {read_if_there(folder, "tokenizer_config.json"), read_if_there(folder, "special_tokens_map.json"),
          read_if_there(folder, "added_tokens.json"), read_if_there(folder, "chat_template.jinja")};
}

// The preferred name, or the only file that fits the pattern; empty when there is none.
fs::path find_one(const fs::path& folder, const char* preferred, const std::string& prefix,
                  const std::string& extension) {
  if (has(folder, preferred)) return folder / preferred;
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().extension() == extension &&
        entry.path().filename().string().starts_with(prefix))
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  check<IoError>(found.size() < 2, folder.string(), ": more than one *", extension,
                 " could be the tokenizer: ", found.empty() ? "" : found[0].filename().string(), ", ",
                 found.size() < 2 ? "" : found[1].filename().string());
  return found.empty() ? fs::path() : found[0];
}

TokenizerParts read_parts(const fs::path& folder, const TokenizerSideFiles& side, int32_t vocab_size) {
  if (has(folder, "tokenizer.json")) {
    const fs::path path = folder / "tokenizer.json";
    return read_tokenizer_json(read_file(path), path.string());
  }
  for (const auto& [vocab, merges] : {std::pair("vocab.json", "merges.txt"), std::pair("encoder.json", "vocab.bpe")}) {
    if (!has(folder, vocab) || !has(folder, merges)) continue;
    return read_vocab_merges(read_file(folder / vocab), read_file(folder / merges),
                             vocab_merges_options(side.config, folder.string()), (folder / vocab).string());
  }
  if (const fs::path path = find_one(folder, "tokenizer.model", "", ".model"); !path.empty())
    return read_sentencepiece(read_file(path), path.string());
  if (const fs::path path = find_one(folder, "tokenizer.bin", "tok", ".bin"); !path.empty())
    return read_llama2c_tokenizer(read_file(path), path.string(), vocab_size);
  fail<IoError>(folder.string(),
                ": no tokenizer: none of tokenizer.json, vocab.json with merges.txt, *.model, tokenizer.bin");
}

Tokenizer finish(TokenizerParts parts) {
  apply_side_files({}, "", parts);
  return Tokenizer(std::move(parts));
}

}  // namespace

Tokenizer load_tokenizer(const fs::path& path, int32_t vocab_size) {
  if (fs::is_directory(path)) {
    const TokenizerSideFiles side = read_side_files(path);
    TokenizerParts parts = read_parts(path, side, vocab_size);
    apply_side_files(side, path.string(), parts);
    return Tokenizer(std::move(parts));
  }
  check<IoError>(fs::exists(path), path.string(), ": does not exist");
  const std::string extension = path.extension().string();
  if (extension == ".json") return parse_tokenizer_json(read_file(path), path.string());
  if (extension == ".model") return parse_sentencepiece(read_file(path), path.string());
  if (extension == ".bin") return parse_llama2c_tokenizer(read_file(path), path.string(), vocab_size);
  fail<IoError>(path.string(), ": not a tokenizer file: the name should end in .json, .model or .bin");
}

Tokenizer parse_tokenizer_json(std::string_view json, const std::string& name) {
  return finish(read_tokenizer_json(json, name));
}

Tokenizer parse_vocab_merges(std::string_view vocab_json, std::string_view merges_txt, const std::string& name) {
  return finish(read_vocab_merges(vocab_json, merges_txt, {}, name));
}

Tokenizer parse_sentencepiece(std::string_view model, const std::string& name) {
  return finish(read_sentencepiece(model, name));
}

Tokenizer parse_llama2c_tokenizer(std::string_view bytes, const std::string& name, int32_t vocab_size) {
  return finish(read_llama2c_tokenizer(bytes, name, vocab_size));
}

}  // namespace hearth::llm
