// Matrix products of tensors: batches, integer types, and packed weights.
#include "hearth/backend/kernels/matmul.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "hearth/backend/cpu/gemm.h"
#include "hearth/backend/cpu/onednn/matmul.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/dispatch.h"

namespace hearth::cpu {

extern kernels::MatmulFn matmul;
extern kernels::MatmulGroupedFn matmul_grouped;
extern kernels::PackFn pack;
extern kernels::MatmulPackedFn matmul_packed;

namespace {

Storage storage_of(Dtype dtype) {
  switch (dtype) {
    case Dtype::float64:
      return Storage::f64;
    case Dtype::float16:
      return Storage::f16;
    case Dtype::bfloat16:
      return Storage::bf16;
    default:
      return Storage::f32;
  }
}

/// Runs `one(z)` for each batch: side by side if there are enough batches, else one after the other with threads
/// inside.
template <class F>
void for_batches(int64_t batches, double flops, F&& one) {
  constexpr int64_t enough = 16;
  constexpr double flops_of_5_us = 5e5;
  if (batches < enough) {
    for (int64_t z = 0; z < batches; ++z) one(z);
    return;
  }
  parallel_for(0, batches, int64_t(flops_of_5_us / std::max(flops, 1.0)) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t z = begin; z < end; ++z) one(z);
  });
}

void float_matmul(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  const int64_t m = a.size(1), k = a.size(2), n = b.size(2);
  const auto start = [](const Tensor& t, int64_t batch_stride, int64_t z) {
    return static_cast<char*>(t.raw()) + z * batch_stride * int64_t(dtype_size(t.dtype()));
  };
  for_batches(a.size(0), 2.0 * double(m) * double(n) * double(k), [&](int64_t z) {
    gemm({.m = m,
          .n = n,
          .k = k,
          .a = {start(a, a.stride(0), z), storage_of(a.dtype()), a.stride(1), a.stride(2)},
          .b = {start(b, b.stride(0), z), storage_of(b.dtype()), b.stride(1), b.stride(2)},
          .c = start(out, m * n, z),
          .c_storage = storage_of(out.dtype()),
          .c_row = n,
          .accumulate = accumulate});
  });
}

/// Integers, summed in 64 bits (wrapping); a block of columns at a time so that b is read along its rows.
template <class T>
void integer_rows(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate, int64_t begin, int64_t end) {
  constexpr int64_t block = 256;
  const int64_t m = a.size(1), k = a.size(2), n = b.size(2);
  uint64_t sums[block];
  for (int64_t row = begin; row < end; ++row) {
    const T* const left = a.data<T>() + row / m * a.stride(0) + row % m * a.stride(1);
    const T* const right = b.data<T>() + row / m * b.stride(0);
    T* const to = out.data<T>() + row * n;
    for (int64_t j = 0; j < n; j += block) {
      const int64_t width = std::min(block, n - j);
      for (int64_t c = 0; c < width; ++c) sums[c] = accumulate ? uint64_t(int64_t(to[j + c])) : 0;
      for (int64_t p = 0; p < k; ++p) {
        const uint64_t x = uint64_t(int64_t(left[p * a.stride(2)]));
        const T* const line = right + p * b.stride(1) + j * b.stride(2);
        for (int64_t c = 0; c < width; ++c) sums[c] += x * uint64_t(int64_t(line[c * b.stride(2)]));
      }
      for (int64_t c = 0; c < width; ++c) to[j + c] = T(sums[c]);
    }
  }
}

void grouped_product(const kernels::GroupedProduct& p, bool accumulate) {
  gemm({.m = p.m,
        .n = p.n,
        .k = p.k,
        .a = {p.a, Storage::f32, p.a_row, p.a_column},
        .b = {p.b, Storage::f32, p.b_row, p.b_column},
        .c = p.out,
        .c_storage = Storage::f32,
        .c_row = p.out_row,
        .accumulate = accumulate});
  for (int64_t i = 0; p.scale != 1 && i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) p.out[i * p.out_row + j] *= p.scale;
}

/// A packed weight of this backend: panels of the own kernel, or oneDNN's layout for products of two bfloat16 numbers.
class CpuPackedWeight final : public kernels::PackedWeight {
 public:
  CpuPackedWeight(const Tensor& weight, kernels::PackUse use, Dtype input)
      : use_(use), dtype_(weight.dtype()), input_(input) {
    const bool forward = use == kernels::PackUse::forward;
    depth_ = weight.size(forward ? 1 : 0);
    columns_ = weight.size(forward ? 0 : 1);
    const GemmOperand w{weight.raw(), storage_of(dtype_), weight.stride(forward ? 1 : 0),
                        weight.stride(forward ? 0 : 1)};
    if (dtype_ == Dtype::bfloat16 && input == Dtype::bfloat16) {
      to_float = onednn::PackedWeight::make(w, depth_, columns_, w.storage, Storage::f32);
      if (to_float) return;
    }
    panels = std::make_unique<PackedPanels>(w, depth_, columns_);
  }

  kernels::PackUse use() const override { return use_; }
  Dtype dtype() const override { return dtype_; }
  Dtype input_dtype() const override { return input_; }
  int64_t depth() const override { return depth_; }
  int64_t columns() const override { return columns_; }
  size_t bytes() const override { return to_float ? to_float->bytes() : panels->bytes(); }
  bool uses_half_products() const override { return to_float != nullptr; }

  std::unique_ptr<onednn::PackedWeight> to_float;
  std::unique_ptr<PackedPanels> panels;

 private:
  kernels::PackUse use_;
  Dtype dtype_, input_;
  int64_t depth_, columns_;
};

/// `count` elements of a vector of any stride in the type that sums are kept in.
std::vector<char> widened(const Tensor& v, Storage compute) {
  std::vector<char> copy(size_t(v.numel()) * storage_size(compute));
  const MatmulTable& table = matmul_table(isa());
  const char* const from = static_cast<const char*>(v.raw());
  for (int64_t i = 0; i < v.numel(); ++i)
    table.convert(from + i * v.stride(0) * int64_t(dtype_size(v.dtype())), storage_of(v.dtype()),
                  copy.data() + i * int64_t(storage_size(compute)), compute, 1);
  return copy;
}

/// The bfloat16 product: sums in float with oneDNN over dense rows, then stores them wherever `call` wants them.
void half_products(const GemmCall& call, const onednn::PackedWeight& weight) {
  const MatmulTable& table = matmul_table(isa());
  const float* const bias = static_cast<const float*>(call.bias);
  std::vector<uint16_t> x;
  const void* a = call.a.data;
  if (call.a.col != 1 || (call.a.row != call.k && call.m > 1)) {
    x.resize(size_t(call.m * call.k));
    const auto* from = static_cast<const uint16_t*>(call.a.data);
    for (int64_t i = 0; i < call.m; ++i)
      for (int64_t p = 0; p < call.k; ++p) x[i * call.k + p] = from[i * call.a.row + p * call.a.col];
    a = x.data();
  }
  const bool dense = call.c_storage == Storage::f32 && call.c_row == call.n;
  if (dense) return weight.multiply(call.m, a, call.c, call.accumulate, bias);
  const Block memory(size_t(call.m * call.n) * sizeof(float));
  float* const sums = static_cast<float*>(memory.data());
  const int64_t size = int64_t(storage_size(call.c_storage));
  char* const home = static_cast<char*>(call.c);
  for (int64_t i = 0; call.accumulate && i < call.m; ++i)
    table.convert(home + i * call.c_row * size, call.c_storage, sums + i * call.n, Storage::f32, call.n);
  weight.multiply(call.m, a, sums, call.accumulate, bias);
  parallel_for(0, call.m, std::max<int64_t>(1, 32768 / call.n), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      table.convert(sums + i * call.n, Storage::f32, home + i * call.c_row * size, call.c_storage, call.n);
  });
}

}  // namespace

void matmul(const Tensor& out, const Tensor& a, const Tensor& b, bool accumulate) {
  if (out.numel() == 0) return;
  if (is_floating(a.dtype())) return float_matmul(out, a, b, accumulate);
  const int64_t rows = a.size(0) * a.size(1), work = std::max<int64_t>(1, a.size(2) * b.size(2));
  dispatch(Types<int64_t, int32_t, int16_t, int8_t, uint8_t, uint16_t, uint32_t, uint64_t, bool>{}, a.dtype(), "matmul",
           [&]<class T>() {
             parallel_for(0, rows, 8192 / work + 1,
                          [&](int64_t begin, int64_t end) { integer_rows<T>(out, a, b, accumulate, begin, end); });
           });
}

void matmul_grouped(std::span<const kernels::GroupedProduct> products, bool accumulate) {
  // Rows of A that are far apart share cache sets: where each is read for a few columns only, a few rows at a time.
  constexpr int64_t narrow_columns = 64, deep = 2048, few_rows = 32;
  // A large product uses all threads by itself; runs of small ones are a thread's task each.
  constexpr double flops_of_5_us = 5e5, flops_of_large = 2e7;
  std::vector<kernels::GroupedProduct> small;
  std::vector<size_t> starts = {0};
  double flops = 0;
  const auto put = [&](const kernels::GroupedProduct& p) {
    small.push_back(p);
    flops += 2.0 * double(p.m) * double(p.n) * double(p.k) + 1e4;
    if (flops < flops_of_5_us) return;
    starts.push_back(small.size());
    flops = 0;
  };
  for (const kernels::GroupedProduct& p : products) {
    if (p.n <= narrow_columns && p.k >= deep) {
      for (int64_t row = 0; row < p.m; row += few_rows) {
        kernels::GroupedProduct part = p;
        part.m = std::min(few_rows, p.m - row);
        part.a += row * p.a_row;
        part.out += row * p.out_row;
        put(part);
      }
    } else if (products.size() == 1 || 2.0 * double(p.m) * double(p.n) * double(p.k) >= flops_of_large) {
      grouped_product(p, accumulate);
    } else {
      put(p);
    }
  }
  if (starts.back() != small.size()) starts.push_back(small.size());
  parallel_for(0, int64_t(starts.size()) - 1, 1, [&](int64_t begin, int64_t end) {
    for (size_t i = starts[size_t(begin)]; i < starts[size_t(end)]; ++i) grouped_product(small[i], accumulate);
  });
}

Ref<kernels::PackedWeight> pack(const Tensor& weight, kernels::PackUse use, Dtype input) {
  const Dtype own = weight.dtype();
  check<ShapeError>(weight.dim() == 2, "pack: a weight has two dimensions: ", weight.shape());
  const bool narrow = own == Dtype::float16 || own == Dtype::bfloat16;
  check<DtypeError>(is_floating(own) && (input == own || (narrow && input == Dtype::float32)),
                    "pack: inputs have the weight's type, or float32 if it is narrower: weight ", own, ", input ",
                    input);
  return Ref<kernels::PackedWeight>(new CpuPackedWeight(weight, use, input));
}

void matmul_packed(const Tensor& out, const Tensor& x, const kernels::PackedWeight& weight, const Tensor& bias,
                   bool accumulate) {
  const auto& w = static_cast<const CpuPackedWeight&>(weight);
  if (out.numel() == 0) return;
  const Storage compute = w.dtype() == Dtype::float64 ? Storage::f64 : Storage::f32;
  const std::vector<char> start = bias.defined() ? widened(bias, compute) : std::vector<char>();
  const GemmCall call{.m = x.size(0),
                      .n = w.columns(),
                      .k = w.depth(),
                      .a = {x.raw(), storage_of(x.dtype()), x.stride(0), x.stride(1)},
                      .b = {},
                      .c = out.raw(),
                      .c_storage = storage_of(out.dtype()),
                      .c_row = out.stride(0),
                      .accumulate = accumulate,
                      .bias = bias.defined() ? start.data() : nullptr};
  if (w.to_float) return half_products(call, *w.to_float);
  gemm_packed(call, *w.panels);
}

}  // namespace hearth::cpu
