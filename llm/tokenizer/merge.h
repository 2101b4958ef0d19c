// Merge: the loop of byte pair encoding, O(n log n), for any rule that says which neighbours join first.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace hearth::llm {

/// A run of the piece that is one symbol so far; length 0 once it has joined its left neighbour.
struct MergeSymbol {
  int32_t id;      // -1: no token
  uint32_t begin;  // bytes of the piece
  uint32_t length;
  int32_t previous;
  int32_t next;  // -1 at the end
};

struct MergeCandidate {
  uint32_t rank;  // lower joins first; equal ranks join from the left
  int32_t left;
  uint32_t left_length, right_length;  // as they were seen: other lengths mean that the candidate is out of date
  int32_t id;
};

/// Buffers that are kept between pieces.
struct MergeScratch {
  std::vector<MergeSymbol> symbols;
  std::vector<MergeCandidate> heap;

  void start() { symbols.clear(); }
  void push(int32_t id, size_t begin, size_t length) {
    const int32_t place = static_cast<int32_t>(symbols.size());
    if (place > 0) symbols.back().next = place;
    symbols.push_back({id, static_cast<uint32_t>(begin), static_cast<uint32_t>(length), place - 1, -1});
  }
};

/// Joins neighbours of `scratch.symbols` until none can: `lookup(left, right, rank, id)` says whether two symbols join.
/// Symbol 0 survives; the rest is reached by `next`.
template <class Lookup>
void merge_symbols(MergeScratch& scratch, const Lookup& lookup) {
  auto& symbols = scratch.symbols;
  auto& heap = scratch.heap;
  heap.clear();
  const auto later = [](const MergeCandidate& a, const MergeCandidate& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.left > b.left;
  };
  const auto consider = [&](int32_t left, bool in_order) {
    const MergeSymbol& l = symbols[left];
    if (l.next < 0) return;
    const MergeSymbol& r = symbols[l.next];
    MergeCandidate c{0, left, l.length, r.length, -1};
    if (!lookup(l, r, c.rank, c.id)) return;
    heap.push_back(c);
    if (in_order) std::push_heap(heap.begin(), heap.end(), later);
  };
  for (size_t i = 0; i + 1 < symbols.size(); ++i) consider(static_cast<int32_t>(i), false);
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const MergeCandidate c = heap.back();
    heap.pop_back();
    MergeSymbol& left = symbols[c.left];
    if (left.length != c.left_length || left.next < 0 || symbols[left.next].length != c.right_length) continue;
    MergeSymbol& right = symbols[left.next];
    left.id = c.id;
    left.length += right.length;
    right.length = 0;
    left.next = right.next;
    if (left.next >= 0) symbols[left.next].previous = c.left;
    if (left.previous >= 0) consider(left.previous, true);
    consider(c.left, true);
  }
}

}  // namespace hearth::llm
