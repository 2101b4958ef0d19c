// BPE: byte pair encoding by a list of ranked merges, over bytes or over characters.
#include "llm/tokenizer/bpe.h"

#include <array>
#include <bit>

#include "hearth/core/error.h"
#include "llm/tokenizer/merge.h"
#include "llm/tokenizer/utf8.h"

namespace hearth::llm {

namespace {

// Pair of ids -> rank and merged id, by open addressing: the hottest lookup of encoding.
class MergeTable {
 public:
  MergeTable(const std::vector<Merge>& merges, const std::vector<int32_t>& merged) {
    slots_.resize(std::bit_ceil(merges.size() * 2 + 2));
    shift_ = 64 - std::countr_zero(slots_.size());
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      const uint64_t key = key_of(merges[rank].first, merges[rank].second);
      size_t place = place_of(key);
      while (slots_[place].key != no_key && slots_[place].key != key) place = (place + 1) & (slots_.size() - 1);
      // Of equal merges the last counts, as in a map that is filled in order.
      slots_[place] = {key, static_cast<uint32_t>(rank), merged[rank]};
    }
  }

  bool find(int32_t left, int32_t right, uint32_t& rank, int32_t& id) const {
    const uint64_t key = key_of(left, right);
    for (size_t place = place_of(key); slots_[place].key != no_key; place = (place + 1) & (slots_.size() - 1)) {
      if (slots_[place].key != key) continue;
      rank = slots_[place].rank;
      id = slots_[place].id;
      return true;
    }
    return false;
  }

 private:
  static constexpr uint64_t no_key = ~uint64_t{0};
  struct Slot {
    uint64_t key = no_key;
    uint32_t rank = 0;
    int32_t id = -1;
  };
  static uint64_t key_of(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }
  size_t place_of(uint64_t key) const { return static_cast<size_t>(key * 0x9E3779B97F4A7C15u >> shift_); }

  std::vector<Slot> slots_;
  int shift_ = 0;
};

class Bpe : public SubwordModel {
 public:
  Bpe(std::vector<std::string> tokens, const std::vector<Merge>& merges, const std::vector<int32_t>& merged,
      std::vector<int32_t> byte_tokens, const BpeOptions& options)
      : tokens_(std::move(tokens)), merges_(merges, merged), byte_tokens_(std::move(byte_tokens)), options_(options) {
    byte_tokens_.resize(256, -1);
    for (int byte = 0; byte < 256; ++byte) {
      const char text = static_cast<char>(byte);
      bytes_[byte] = tokens_.find(std::string_view(&text, 1));
    }
  }

  void encode(std::string_view piece, std::vector<int32_t>& ids) const override {
    if (options_.ignore_merges) {
      const int32_t whole = tokens_.find(piece);
      if (whole >= 0) {
        ids.push_back(whole);
        return;
      }
    }
    thread_local MergeScratch scratch;
    scratch.start();
    if (options_.byte_level) {
      start_with_bytes(piece, scratch);
    } else {
      start_with_characters(piece, scratch);
    }
    merge_symbols(scratch, [this](const MergeSymbol& l, const MergeSymbol& r, uint32_t& rank, int32_t& id) {
      return merges_.find(l.id, r.id, rank, id);
    });
    if (scratch.symbols.empty()) return;
    for (int32_t i = 0; i >= 0; i = scratch.symbols[i].next) ids.push_back(scratch.symbols[i].id);
  }

 private:
  void start_with_bytes(std::string_view piece, MergeScratch& scratch) const {
    for (size_t i = 0; i < piece.size(); ++i) {
      const int32_t id = bytes_[static_cast<unsigned char>(piece[i])];
      push_or_unknown(scratch, id, piece, i, 1);
    }
  }

  void start_with_characters(std::string_view piece, MergeScratch& scratch) const {
    for (size_t i = 0; i < piece.size();) {
      const size_t length = utf8_length(static_cast<unsigned char>(piece[i]));
      const int32_t id = tokens_.find(piece.substr(i, length));
      if (id >= 0 || !fall_back_to_bytes(scratch, piece, i, length)) push_or_unknown(scratch, id, piece, i, length);
      i += length;
    }
  }

  bool fall_back_to_bytes(MergeScratch& scratch, std::string_view piece, size_t begin, size_t length) const {
    if (!options_.byte_fallback) return false;
    for (size_t i = 0; i < length; ++i)
      if (byte_tokens_[static_cast<unsigned char>(piece[begin + i])] < 0) return false;
    for (size_t i = 0; i < length; ++i)
      scratch.push(byte_tokens_[static_cast<unsigned char>(piece[begin + i])], begin + i, 1);
    return true;
  }

  void push_or_unknown(MergeScratch& scratch, int32_t id, std::string_view piece, size_t begin, size_t length) const {
    if (id < 0) {
      id = options_.unk_id;
      check<ValueError>(id >= 0, "encode: no token for \"", piece.substr(begin, length), "\" (byte value ",
                        static_cast<int>(static_cast<unsigned char>(piece[begin])), ") and no unknown token");
      if (options_.fuse_unk && !scratch.symbols.empty() && scratch.symbols.back().id == id) {
        scratch.symbols.back().length += static_cast<uint32_t>(length);
        return;
      }
    }
    scratch.push(id, begin, length);
  }

  Vocabulary tokens_;
  MergeTable merges_;
  std::vector<int32_t> byte_tokens_;
  std::array<int32_t, 256> bytes_;
  BpeOptions options_;
};

}  // namespace

std::unique_ptr<const SubwordModel> make_bpe(std::vector<std::string> tokens, const std::vector<Merge>& merges,
                                             const std::vector<int32_t>& merged, std::vector<int32_t> byte_tokens,
                                             const BpeOptions& options) {
  return std::make_unique<Bpe>(std::move(tokens), merges, merged, std::move(byte_tokens), options);
}

}  // namespace hearth::llm
