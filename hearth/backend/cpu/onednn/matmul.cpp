// oneDNN matrix products: our own map from shape to prebuilt primitive, and the list of implementations we trust.
#include "hearth/backend/cpu/onednn/matmul.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>

#include "hearth/backend/cpu/onednn/engine.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/error.h"

namespace hearth::cpu::onednn {
namespace {

using dnnl::memory;

/// The primitives of one weight shape are made for these row counts only: every count below `row_step`, multiples of it
/// up to `most_rows`. A product of any m is a few of them, so the memory for generated code is bounded.
constexpr int64_t row_step = 64, most_rows = 2048;

std::atomic<int64_t> made{0};

memory::data_type type_of(Storage storage) {
  return storage == Storage::bf16 ? memory::data_type::bf16 : memory::data_type::f32;
}

/// Whether rows of this implementation were found independent of the other rows and of threads. The whole name counts:
/// other `brg` variants (AMX) are not.
bool known_good(const std::string& name) { return name == "brg:avx512_core" || name == "brg:avx512_core_bf16"; }

struct Key {
  int64_t m, k, n;
  Storage input, output;
  bool accumulate, bias;
  int threads;
  bool operator==(const Key&) const = default;
};

struct KeyHash {
  size_t operator()(const Key& key) const {
    const uint64_t flags = uint64_t(key.input) * 64 + uint64_t(key.output) * 16 + key.accumulate * 2 + key.bias;
    uint64_t hash = 0;
    for (uint64_t part : {uint64_t(key.m), uint64_t(key.k), uint64_t(key.n), flags, uint64_t(key.threads)})
      hash = (hash ^ part) * 0x9e3779b97f4a7c15ull + (hash >> 29);
    return size_t(hash);
  }
};

struct Primitive {
  dnnl::matmul::primitive_desc description;
  dnnl::matmul run;
};

/// The matmul description, or an empty one if oneDNN has none or offers an implementation that is not known good.
dnnl::matmul::primitive_desc describe(int64_t m, int64_t k, int64_t n, Storage input, Storage output,
                                      const memory::desc& weight, bool accumulate, bool bias) {
  using Tag = memory::format_tag;
  // One row must be described as `ab` as well: oneDNN's own cache takes [1, k] `ba` for the same key.
  const memory::desc a({m, k}, type_of(input), Tag::ab), c({m, n}, type_of(output), Tag::ab);
  const memory::desc b({1, n}, memory::data_type::f32, Tag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (accumulate) {
    dnnl::post_ops sum;
    sum.append_sum(1.0f);
    attributes.set_post_ops(sum);
  }
  try {
    const auto d = bias ? dnnl::matmul::desc(a, weight, b, c) : dnnl::matmul::desc(a, weight, c);
    dnnl::matmul::primitive_desc found(d, attributes, cpu_engine());
    if (known_good(found.impl_info_str())) return found;
  } catch (const dnnl::error&) {
  }
  return {};
}

/// Scratch memory of the calling thread, kept between products.
thread_local Block scratchpad;

/// The layout of packed weights: chosen for one thread and `row_step` rows, so that it depends on the shape only and
/// all weights of one shape share their primitives.
memory::desc packed_layout(int64_t k, int64_t n, Storage input, Storage output) {
  const SerialScope one_thread;
  apply_num_threads();
  const memory::desc any({k, n}, type_of(input), memory::format_tag::any);
  const auto chosen = describe(row_step, k, n, input, output, any, false, false);
  return chosen ? chosen.weights_desc() : memory::desc();
}

/// The primitives of the process, made when first asked for.
std::shared_ptr<const Primitive> primitive(const Key& key, const memory::desc& layout) {
  static std::shared_mutex mutex;
  static std::unordered_map<Key, std::shared_ptr<const Primitive>, KeyHash> primitives;
  {
    std::shared_lock lock(mutex);
    const auto found = primitives.find(key);
    if (found != primitives.end()) return found->second;
  }
  auto d = describe(key.m, key.k, key.n, key.input, key.output, layout, key.accumulate, key.bias);
  check<NotImplementedError>(bool(d), "matmul: oneDNN has no row-invariant implementation for: [", key.m, ", ", key.k,
                             "] x [", key.k, ", ", key.n, "]");
  auto fresh = std::make_shared<const Primitive>(Primitive{d, dnnl::matmul(d)});
  ++made;
  std::unique_lock lock(mutex);
  return primitives.emplace(key, fresh).first->second;
}

}  // namespace

struct PackedWeight::Impl {
  int64_t k, n;
  Storage input, output;
  memory::desc layout;
  Block data;
};

PackedWeight::PackedWeight(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PackedWeight::~PackedWeight() = default;

std::unique_ptr<PackedWeight> PackedWeight::make(const GemmOperand& b, int64_t k, int64_t n, Storage input,
                                                 Storage output) {
  const bool floats = input == Storage::f32 && output == Storage::f32;
  const bool halves = input == Storage::bf16 && (output == Storage::f32 || output == Storage::bf16);
  if (!usable() || b.storage != input || !(floats || (halves && has_avx512_bf16())) || k < 1 || n < 1) return nullptr;
  if (!(b.col == 1 && b.row >= n) && !(b.row == 1 && b.col >= k)) return nullptr;
  const memory::desc layout = packed_layout(k, n, input, output);
  if (layout.get_size() == 0) return nullptr;
  auto impl = std::make_unique<Impl>(Impl{k, n, input, output, layout, {}});
  apply_num_threads();
  for (int64_t m : {int64_t(1), int64_t(2), row_step - 1, most_rows})
    for (bool accumulate : {false, true})
      if (!describe(m, k, n, input, output, impl->layout, accumulate, !accumulate)) return nullptr;
  impl->data = Block(impl->layout.get_size());
  const memory::desc plain({k, n}, type_of(input), memory::dims{b.row, b.col});
  memory source(plain, cpu_engine(), const_cast<void*>(b.data)), target(impl->layout, cpu_engine(), impl->data.data());
  dnnl::reorder(source, target).execute(cpu_stream(), source, target);
  cpu_stream().wait();
  return std::unique_ptr<PackedWeight>(new PackedWeight(std::move(impl)));
}

void PackedWeight::multiply(int64_t m, const void* a, void* c, bool accumulate, const float* bias) const {
  const Impl& w = *impl_;
  const int threads = apply_num_threads();
  const dnnl::engine& engine = cpu_engine();
  for (int64_t row = 0; row < m;) {
    const int64_t left = m - row;
    const int64_t rows = left < row_step ? left : std::min(left / row_step * row_step, most_rows);
    const Key key{rows, w.k, w.n, w.input, w.output, accumulate, bias != nullptr, threads};
    const auto found = primitive(key, w.layout);
    const auto& d = found->description;
    const char* from = static_cast<const char*>(a) + row * w.k * int64_t(storage_size(w.input));
    char* to = static_cast<char*>(c) + row * w.n * int64_t(storage_size(w.output));
    std::unordered_map<int, memory> arguments{
        {DNNL_ARG_SRC, memory(d.src_desc(), engine, const_cast<char*>(from))},
        {DNNL_ARG_WEIGHTS, memory(w.layout, engine, w.data.data())},
        {DNNL_ARG_DST, memory(d.dst_desc(), engine, to)},
        {DNNL_ARG_SCRATCHPAD,
         memory(d.scratchpad_desc(), engine, scratchpad.at_least(d.scratchpad_desc().get_size()))}};
    if (bias) arguments.emplace(DNNL_ARG_BIAS, memory(d.bias_desc(), engine, const_cast<float*>(bias)));
    found->run.execute(cpu_stream(), arguments);
    row += rows;
  }
  cpu_stream().wait();
}

size_t PackedWeight::bytes() const { return impl_->layout.get_size(); }

int64_t primitives_made() { return made; }

}  // namespace hearth::cpu::onednn
