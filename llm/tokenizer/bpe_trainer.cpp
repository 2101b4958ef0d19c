// BPE trainer: counts words once, then merges pair after pair, touching only the words that hold it.
#include "llm/tokenizer/bpe_trainer.h"

#include <algorithm>
#include <memory>
#include <queue>
#include <unordered_map>

#include "hearth/core/error.h"
#include "llm/tokenizer/added_tokens.h"
#include "llm/tokenizer/bpe_export.h"
#include "llm/tokenizer/byte_alphabet.h"
#include "llm/tokenizer/pre_tokenizer.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

using Pair = std::pair<int32_t, int32_t>;

uint64_t key_of(Pair pair) {
  return static_cast<uint64_t>(static_cast<uint32_t>(pair.first)) << 32 | static_cast<uint32_t>(pair.second);
}

struct Word {
  std::vector<int32_t> ids;
  int64_t count;
};

// Where a pair occurs and how often, words weighted by their counts.
struct PairPlaces {
  int64_t count = 0;
  std::vector<uint32_t> words;  // may name a word twice or one that has lost the pair
};

struct Candidate {
  int64_t count;
  Pair pair;
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

class Trainer {
 public:
  Trainer(std::vector<std::string> tokens, size_t special, std::vector<Word> words)
      : tokens_(std::move(tokens)), special_(static_cast<int32_t>(special)), words_(std::move(words)) {
    for (size_t id = 0; id < tokens_.size(); ++id) ids_.emplace(tokens_[id], static_cast<int32_t>(id));
    for (size_t w = 0; w < words_.size(); ++w)
      for (size_t i = 0; i + 1 < words_[w].ids.size(); ++i)
        change({words_[w].ids[i], words_[w].ids[i + 1]}, words_[w].count, static_cast<uint32_t>(w));
    for (const Pair& pair : changed_) queue_.push({pairs_[key_of(pair)].count, pair});
    changed_.clear();
  }

  void run(size_t vocab_size, int64_t min_count) {
    while (tokens_.size() < vocab_size && !queue_.empty()) {
      Candidate best = queue_.top();
      queue_.pop();
      const int64_t count = pairs_[key_of(best.pair)].count;
      if (count < min_count) continue;
      // Counts in the queue may be old; every rise was queued again, so an old one only has to be put back lower.
      if (count != best.count) {
        if (count < best.count) queue_.push({count, best.pair});
        continue;
      }
      merge(best.pair);
    }
  }

  std::vector<std::string> tokens_;
  std::vector<std::pair<std::string, std::string>> merges_;

 private:
  void change(Pair pair, int64_t by, uint32_t word) {
    PairPlaces& places = pairs_[key_of(pair)];
    places.count += by;
    if (by <= 0) return;
    if (places.words.empty() || places.words.back() != word) places.words.push_back(word);
    changed_.push_back(pair);
  }

  void merge(Pair pair) {
    const std::string token = tokens_[static_cast<size_t>(pair.first)] + tokens_[static_cast<size_t>(pair.second)];
    // Two ways to spell the same token share its id.
    const auto [place, is_new] = ids_.emplace(token, static_cast<int32_t>(tokens_.size()));
    // Ordinary text must never turn into a special token.
    if (place->second < special_) return;
    merges_.emplace_back(tokens_[static_cast<size_t>(pair.first)], tokens_[static_cast<size_t>(pair.second)]);
    if (is_new) tokens_.push_back(token);
    std::vector<uint32_t> words = std::move(pairs_[key_of(pair)].words);
    pairs_[key_of(pair)].words.clear();
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    for (const uint32_t word : words) merge_in_word(word, pair, place->second);
    std::sort(changed_.begin(), changed_.end());
    changed_.erase(std::unique(changed_.begin(), changed_.end()), changed_.end());
    for (const Pair& other : changed_) queue_.push({pairs_[key_of(other)].count, other});
    changed_.clear();
  }

  void merge_in_word(uint32_t index, Pair pair, int32_t merged) {
    std::vector<int32_t>& ids = words_[index].ids;
    const int64_t count = words_[index].count;
    size_t out = 0;
    for (size_t i = 0; i < ids.size();) {
      if (i + 1 == ids.size() || ids[i] != pair.first || ids[i + 1] != pair.second) {
        ids[out++] = ids[i++];
        continue;
      }
      change(pair, -count, index);
      if (out > 0) {
        change({ids[out - 1], pair.first}, -count, index);
        change({ids[out - 1], merged}, count, index);
      }
      if (i + 2 < ids.size()) {
        change({pair.second, ids[i + 2]}, -count, index);
        change({merged, ids[i + 2]}, count, index);
      }
      ids[out++] = merged;
      i += 2;
    }
    ids.resize(out);
  }

  int32_t special_;
  std::vector<Word> words_;
  std::unordered_map<std::string, int32_t> ids_;
  std::unordered_map<uint64_t, PairPlaces> pairs_;
  std::vector<Pair> changed_;
  std::priority_queue<Candidate> queue_;
};

void check_options(const BpeTrainerOptions& options) {
  const auto& special = options.special_tokens;
  check<ValueError>(options.vocab_size >= static_cast<int64_t>(special.size()) + 256, "train_bpe: vocab_size ",
                    options.vocab_size, " is less than 256 bytes and ", special.size(), " special tokens");
  check<ValueError>(options.vocab_size <= 1 << 24, "train_bpe: vocab_size ", options.vocab_size, " is too large");
  check<ValueError>(options.min_count >= 1, "train_bpe: min_count ", options.min_count, " is less than 1");
  for (size_t i = 0; i < special.size(); ++i) {
    const bool sound = !special[i].empty() && find_invalid_utf8(special[i]) == special[i].npos &&
                       std::find(special.begin(), special.begin() + static_cast<std::ptrdiff_t>(i), special[i]) ==
                           special.begin() + static_cast<std::ptrdiff_t>(i);
    check<ValueError>(sound, "train_bpe: special token \"", special[i], "\" is empty, twice there or not valid UTF-8");
    // A special token of one alphabet character would share the id of a byte.
    const auto bytes = from_byte_alphabet(special[i]);
    check<ValueError>(!bytes || bytes->size() != 1, "train_bpe: special token \"", special[i], "\" stands for a byte");
  }
  for (const std::string& token : {options.bos_token, options.eos_token})
    check<ValueError>(token.empty() || std::find(special.begin(), special.end(), token) != special.end(),
                      "train_bpe: \"", token, "\" is not one of the special tokens");
}

PreTokenizer make_cutter(const BpeTrainerOptions& options) {
  const bool gpt2 = options.cut == BpeTrainerOptions::Cut::gpt2;
  PreTokenizer cutter;
  cutter.add(
      Split{"", Regex(gpt2 ? gpt2_split_pattern : llama3_split_pattern, "train_bpe"), SplitBehavior::isolated, false});
  return cutter;
}

// Unique words and their counts, sorted, so that nothing depends on the order of a hash table.
std::vector<std::pair<std::string, int64_t>> count_words(std::span<const std::string_view> texts,
                                                         const BpeTrainerOptions& options) {
  AddedTokenMatcher special;
  for (size_t i = 0; i < options.special_tokens.size(); ++i)
    special.add({static_cast<int32_t>(i), options.special_tokens[i], true}, options.special_tokens[i]);
  const PreTokenizer cutter = make_cutter(options);
  std::unordered_map<std::string, int64_t> counts;
  for (const std::string_view text : texts) {
    const size_t broken = find_invalid_utf8(text);
    check<ValueError>(broken == text.npos, "train_bpe: the text is not valid UTF-8 at byte ", broken);
    for (const TextPart& part : special.split(text, true)) {
      if (part.id >= 0) continue;
      const CutText cut =
          cutter.apply(std::string(text.substr(part.range.begin, part.range.end - part.range.begin)), true);
      for (const ByteRange& piece : cut.pieces) ++counts[cut.text.substr(piece.begin, piece.end - piece.begin)];
    }
  }
  std::vector<std::pair<std::string, int64_t>> words(counts.begin(), counts.end());
  std::sort(words.begin(), words.end());
  return words;
}

// The bytes in the order of their alphabet characters, as the usual trainers have them.
std::vector<unsigned char> bytes_in_order() {
  std::vector<unsigned char> bytes(256);
  for (int byte = 0; byte < 256; ++byte) bytes[static_cast<size_t>(byte)] = static_cast<unsigned char>(byte);
  std::sort(bytes.begin(), bytes.end(),
            [](unsigned char a, unsigned char b) { return byte_alphabet_code(a) < byte_alphabet_code(b); });
  return bytes;
}

}  // namespace

TrainedBpe train_bpe(std::span<const std::string_view> texts, const BpeTrainerOptions& options) {
  check_options(options);
  std::vector<std::string> tokens = options.special_tokens;
  int32_t id_of_byte[256];
  for (const unsigned char byte : bytes_in_order()) {
    id_of_byte[byte] = static_cast<int32_t>(tokens.size());
    tokens.push_back(to_byte_alphabet(std::string(1, static_cast<char>(byte))));
  }
  std::vector<Word> words;
  for (const auto& [text, count] : count_words(texts, options)) {
    Word word{{}, count};
    for (const char c : text) word.ids.push_back(id_of_byte[static_cast<unsigned char>(c)]);
    words.push_back(std::move(word));
  }
  Trainer trainer(std::move(tokens), options.special_tokens.size(), std::move(words));
  trainer.run(static_cast<size_t>(options.vocab_size), options.min_count);
  TrainedBpe trained{std::move(trainer.tokens_), std::move(trainer.merges_), "", ""};
  trained.tokenizer_json = tokenizer_json_of(trained, options);
  trained.tokenizer_config_json = tokenizer_config_json_of(options);
  return trained;
}

}  // namespace hearth::llm
