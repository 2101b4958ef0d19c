// Pre-tokenizer: cuts a normalized text into the pieces that the subword model sees one by one.
#include "llm/tokenizer/pre_tokenizer.h"

#include <algorithm>
#include <string_view>

namespace hearth::llm {

const char gpt2_split_pattern[] = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const char qwen2_split_pattern[] =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char llama3_split_pattern[] =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

struct Segment {
  ByteRange range;
  bool is_match;
};

void find_matches(const Split& split, std::string_view piece, std::vector<ByteRange>& matches) {
  if (split.regex) {
    split.regex->find_all(piece, matches);
    return;
  }
  matches.clear();
  if (split.literal.empty()) return;
  for (size_t at = piece.find(split.literal); at != piece.npos;
       at = piece.find(split.literal, at + split.literal.size()))
    matches.push_back({at, at + split.literal.size()});
}

void cover(const std::vector<ByteRange>& matches, size_t size, bool invert, std::vector<Segment>& segments) {
  segments.clear();
  size_t done = 0;
  for (const ByteRange& match : matches) {
    if (done != match.begin) segments.push_back({{done, match.begin}, invert});
    segments.push_back({match, !invert});
    done = match.end;
  }
  if (done != size) segments.push_back({{done, size}, invert});
}

// Folds a match into the neighbour that comes just before it in the direction of travel; a second match in a row does
// not join.
template <class Iterator, class Join>
void merge_matches(Iterator first, Iterator last, std::vector<ByteRange>& out, Join join) {
  bool previous_match = false;
  for (; first != last; ++first) {
    if (first->is_match && !previous_match && !out.empty()) {
      join(out.back(), first->range);
    } else {
      out.push_back(first->range);
    }
    previous_match = first->is_match;
  }
}

void arrange(const std::vector<Segment>& segments, SplitBehavior behavior, std::vector<ByteRange>& out) {
  out.clear();
  switch (behavior) {
    case SplitBehavior::isolated:
      for (const Segment& s : segments) out.push_back(s.range);
      break;
    case SplitBehavior::removed:
      for (const Segment& s : segments)
        if (!s.is_match) out.push_back(s.range);
      break;
    case SplitBehavior::contiguous:
      for (size_t i = 0; i < segments.size(); ++i) {
        if (i > 0 && segments[i].is_match == segments[i - 1].is_match) {
          out.back().end = segments[i].range.end;
        } else {
          out.push_back(segments[i].range);
        }
      }
      break;
    case SplitBehavior::merged_with_previous:
      merge_matches(segments.begin(), segments.end(), out,
                    [](ByteRange& into, ByteRange match) { into.end = match.end; });
      break;
    case SplitBehavior::merged_with_next:
      merge_matches(segments.rbegin(), segments.rend(), out,
                    [](ByteRange& into, ByteRange match) { into.begin = match.begin; });
      std::reverse(out.begin(), out.end());
      break;
  }
}

void apply_step(const Split& split, CutText& cut, bool) {
  std::vector<ByteRange> pieces, matches, arranged;
  std::vector<Segment> segments;
  pieces.reserve(cut.pieces.size());
  for (const ByteRange& piece : cut.pieces) {
    const std::string_view text = std::string_view(cut.text).substr(piece.begin, piece.end - piece.begin);
    find_matches(split, text, matches);
    cover(matches, text.size(), split.invert, segments);
    arrange(segments, split.behavior, arranged);
    for (const ByteRange& r : arranged)
      if (r.begin < r.end) pieces.push_back({piece.begin + r.begin, piece.begin + r.end});
  }
  cut.pieces = std::move(pieces);
}

void apply_step(const AddPrefixSpace&, CutText& cut, bool) {
  const bool nothing_to_do =
      std::all_of(cut.pieces.begin(), cut.pieces.end(), [&](ByteRange r) { return cut.text[r.begin] == ' '; });
  if (nothing_to_do) return;
  CutText out;
  for (const ByteRange& r : cut.pieces) {
    const size_t begin = out.text.size();
    if (cut.text[r.begin] != ' ') out.text.push_back(' ');
    out.text.append(cut.text, r.begin, r.end - r.begin);
    out.pieces.push_back({begin, out.text.size()});
  }
  cut = std::move(out);
}

void cut_before_markers(std::string_view text, ByteRange piece, const std::string& marker,
                        std::vector<ByteRange>& out) {
  size_t begin = piece.begin;
  for (size_t at = text.find(marker, begin + 1); at < piece.end; at = text.find(marker, at + marker.size())) {
    out.push_back({begin, at});
    begin = at;
  }
  out.push_back({begin, piece.end});
}

void apply_step(const Metaspace& rule, CutText& cut, bool at_start) {
  CutText out;
  for (const ByteRange& r : cut.pieces) {
    const size_t begin = out.text.size();
    for (size_t i = r.begin; i < r.end; ++i) {
      if (cut.text[i] == ' ') {
        out.text += rule.marker;
      } else {
        out.text.push_back(cut.text[i]);
      }
    }
    using Scheme = Metaspace::PrependScheme;
    const bool wanted = rule.prepend == Scheme::always || (rule.prepend == Scheme::first && at_start && r.begin == 0);
    if (wanted && out.text.compare(begin, rule.marker.size(), rule.marker) != 0) out.text.insert(begin, rule.marker);
    const ByteRange piece{begin, out.text.size()};
    if (rule.split) {
      cut_before_markers(out.text, piece, rule.marker, out.pieces);
    } else {
      out.pieces.push_back(piece);
    }
  }
  cut = std::move(out);
}

}  // namespace

CutText PreTokenizer::apply(std::string text, bool at_start) const {
  CutText cut{std::move(text), {}};
  if (!cut.text.empty()) cut.pieces.push_back({0, cut.text.size()});
  for (const PreTokenizerStep& step : steps_)
    std::visit([&](const auto& known) { apply_step(known, cut, at_start); }, step);
  return cut;
}

}  // namespace hearth::llm
