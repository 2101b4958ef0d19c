// ForwardContext: the adapters' share for each layer.
#include "llm/blocks/context.h"

#include "hearth/data/order.h"

namespace hearth::llm {

RowAdapters::RowAdapters(std::vector<AdapterRows> ranges) {
  int64_t end = 0;
  for (const AdapterRows& r : ranges) {
    check<ValueError>(r.begin >= end && r.end >= r.begin, "adapters: ranges of rows must ascend: rows ", r.begin,
                      " to ", r.end, " after ", end);
    end = r.end;
    if (r.adapter && r.end > r.begin) ranges_.push_back(r);
  }
}

std::vector<AdapterRows> RowAdapters::ranges(int64_t rows) const {
  if (everywhere_) return {{everywhere_, 0, rows}};
  check<ValueError>(ranges_.empty() || ranges_.back().end <= rows, "adapters: rows up to ",
                    ranges_.empty() ? 0 : ranges_.back().end, " of a batch of ", rows);
  return ranges_;
}

LoraPath ForwardContext::lora(size_t layer) const {
  LoraPath path;
  if (adapters.empty()) return path;
  for (const AdapterRows& r : adapters.ranges(batch.size())) {
    const LoraWeights* weights = r.adapter->at(layer);
    if (!weights) continue;
    const double rate = dropout.active ? r.adapter->config().dropout : 0;
    (rate > 0 ? path.dropping : path.segments).push_back({weights->a, weights->b, weights->scale, r.begin, r.end});
    if (rate > 0) path.dropout.push_back(rate);
  }
  path.dropout_seed = mix_hash(mix_hash(mix_hash(1, dropout.seed), uint64_t(dropout.step)), layer);
  return path;
}

}  // namespace hearth::llm
