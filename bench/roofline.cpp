// Roofline: what matrix products reach of this machine's arithmetic peak and memory bandwidth, measured in the same
// run. Usage: roofline [threads] [path substring] [form substring]
#include <immintrin.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hearth/backend/cpu/gemm.h"
#include "hearth/backend/cpu/parallel.h"
#include "hearth/core/half.h"

namespace {

using namespace hearth;
using namespace hearth::cpu;

/// Seconds: of processor time with one thread, so that other programs on the machine do not count, else of wall time.
double now() {
  if (num_threads() == 1) {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return double(t.tv_sec) + 1e-9 * double(t.tv_nsec);
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Memory as tensors have it, filled with zeros.
Block zeros(int64_t bytes) {
  Block memory(static_cast<size_t>(bytes));
  std::memset(memory.data(), 0, size_t(bytes));
  return memory;
}

/// Best seconds of one call: repeats for `budget` seconds, at least three times.
double best_seconds(const std::function<void()>& call, double budget = 0.04) {
  call();
  double best = 1e9;
  const double end = now() + budget;
  for (int repeat = 0; repeat < 3 || now() < end; ++repeat) {
    const double start = now();
    call();
    best = std::min(best, now() - start);
  }
  return best;
}

constexpr int64_t peak_steps = 200000;

__attribute__((target("avx2,fma"))) float fma_loop_avx2() {
  __m256 sums[12], x = _mm256_set1_ps(0.5f);
  for (auto& s : sums) s = _mm256_set1_ps(1.0f);
  for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) sums[j] = _mm256_fmadd_ps(sums[j], x, x);
  float total = 0;
  for (auto& s : sums) total += _mm256_cvtss_f32(s);
  return total;
}

__attribute__((target("avx512f"))) float fma_loop_avx512() {
  __m512 sums[12], x = _mm512_set1_ps(0.5f);
  for (auto& s : sums) s = _mm512_set1_ps(1.0f);
  for (int64_t i = 0; i < peak_steps; ++i)
#pragma GCC unroll 12
    for (int j = 0; j < 12; ++j) sums[j] = _mm512_fmadd_ps(sums[j], x, x);
  float total = 0;
  for (auto& s : sums) total += _mm512_cvtss_f32(s);
  return total;
}

volatile float sink;

/// GFLOP/s of register-only fma on all threads.
double peak(Isa isa) {
  const int threads = num_threads();
  const auto loop = isa == Isa::avx512 ? fma_loop_avx512 : fma_loop_avx2;
  const double seconds = best_seconds([&] { parallel_for(0, threads, 1, [&](int64_t, int64_t) { sink = loop(); }); });
  return 2.0 * 12 * (isa == Isa::avx512 ? 16 : 8) * peak_steps * threads / seconds / 1e9;
}

/// GB/s of reading 256 MiB on all threads.
__attribute__((target("avx2"))) void read_all(const char* p, int64_t bytes) {
  __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
  for (int64_t i = 0; i < bytes; i += 128) {
    a = _mm256_or_si256(a, _mm256_load_si256((const __m256i*)(p + i)));
    b = _mm256_or_si256(b, _mm256_load_si256((const __m256i*)(p + i + 32)));
    c = _mm256_or_si256(c, _mm256_load_si256((const __m256i*)(p + i + 64)));
    d = _mm256_or_si256(d, _mm256_load_si256((const __m256i*)(p + i + 96)));
  }
  sink = float(_mm256_extract_epi32(_mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d)), 0));
}

double bandwidth() {
  constexpr int64_t bytes = 256 << 20;
  const Block owner = zeros(bytes);
  const char* const memory = static_cast<const char*>(owner.data());
  const double seconds = best_seconds(
      [&] { parallel_for(0, bytes, 1 << 20, [&](int64_t b, int64_t e) { read_all(memory + b, e - b); }); }, 0.3);
  return bytes / seconds / 1e9;
}

struct Form {
  const char* name;
  int64_t n, k;
  bool weight_transposed;  // B is W[n, k] as nn.Linear keeps it
  bool gradient;           // dW[n, k] = dY[m, n]^T X[m, k]
};

const Form forms[] = {
    {"NT qkv/o  576x576", 576, 576, true, false},    {"NT up     1536x576", 1536, 576, true, false},
    {"NT down   576x1536", 576, 1536, true, false},  {"NT head   49152x576", 49152, 576, true, false},
    {"NN dx     576x1536", 576, 1536, false, false}, {"NT lora A 16x576", 16, 576, true, false},
    {"NT lora B 576x16", 576, 16, true, false},      {"TN dW     1536x576", 1536, 576, false, true},
    {"TN dA     16x576", 16, 576, false, true},
};

struct Path {
  const char* name;
  Isa isa;
  bool packed;
  Storage weights;
};

const Path paths[] = {{"own avx2 f32 packed", Isa::avx2, true, Storage::f32},
                      {"own avx2 f32 plain", Isa::avx2, false, Storage::f32},
                      {"own avx2 bf16 packed", Isa::avx2, true, Storage::bf16},
                      {"own avx512 f32 packed", Isa::avx512, true, Storage::f32},
                      {"own avx512 f32 plain", Isa::avx512, false, Storage::f32},
                      {"own avx512 bf16 packed", Isa::avx512, true, Storage::bf16}};

struct Limits {
  double gflops, gbytes;
};

/// One line: GFLOP/s for each token count, and the share of what the roofline allows.
void measure(const Path& path, const Form& form, const Limits& limits) {
  const int64_t weight_bytes = form.n * form.k * int64_t(storage_size(path.weights));
  std::printf("%-24s %-22s", path.name, form.name);
  for (int64_t m : {1, 8, 64, 256, 2048}) {
    if (form.gradient && m < 64) {
      std::printf(" %15s", "-");
      continue;
    }
    if (2.0 * double(m) * double(form.n) * double(form.k) > 3e10) {
      std::printf(" %15s", "(too long)");
      continue;
    }
    // Few rows: walk through copies of the weight larger than the caches, as the layers of a model do.
    const int copies = m <= 64 && !form.gradient ? int(std::clamp<int64_t>((64 << 20) / weight_bytes, 1, 200)) : 1;
    std::vector<float> x(size_t(m * form.k), 0.5f), y(size_t(m * form.n), 0.25f);
    const Block weights = zeros(copies * weight_bytes);
    char* const first = static_cast<char*>(weights.data());
    std::vector<float> dw(form.gradient ? size_t(form.n * form.k) : 0);
    const GemmOperand w{first, path.weights, form.weight_transposed ? 1 : form.n, form.weight_transposed ? form.k : 1};
    GemmCall call{m, form.n, form.k, {x.data(), Storage::f32, form.k, 1}, w, y.data(), Storage::f32, form.n};
    if (form.gradient)
      call = {form.n,    form.k,       m,     {y.data(), Storage::f32, 1, form.n}, {x.data(), Storage::f32, form.k, 1},
              dw.data(), Storage::f32, form.k};
    std::vector<PackedPanels> packed;
    if (path.packed && !form.gradient)
      for (int i = 0; i < copies; ++i) packed.emplace_back(w, form.k, form.n);
    int turn = 0;
    const int per_call = std::max(1, std::min(copies, int(2e7 / double(m * form.n * form.k)) + 1));
    const double seconds = best_seconds([&] {
                             for (int i = 0; i < per_call; ++i, turn = (turn + 1) % copies) {
                               if (!packed.empty()) {
                                 gemm_packed(call, packed[turn]);
                               } else {
                                 if (!form.gradient) call.b.data = first + turn * weight_bytes;
                                 gemm(call);
                               }
                             }
                           }) /
                           per_call;
    const double flops = 2.0 * double(m) * double(form.n) * double(form.k);
    const double reachable = std::min(limits.gflops, flops / double(weight_bytes) * limits.gbytes);
    const bool memory_bound = reachable < limits.gflops && (copies > 1 || weight_bytes > (64 << 20));
    const double rate = flops / seconds / 1e9;
    std::printf(" %7.1f %3.0f%%%s", rate, 100 * rate / (memory_bound ? reachable : limits.gflops),
                memory_bound ? " mem" : "    ");
  }
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) set_num_threads(std::atoi(arguments[1]));
  const std::string path_filter = count > 2 ? arguments[2] : "", form_filter = count > 3 ? arguments[3] : "";
  const double gbytes = bandwidth();
  std::printf("threads %d; read bandwidth %.1f GB/s\n", num_threads(), gbytes);
  std::printf(
      "columns: GFLOP/s and share of the fma peak (or, marked mem, of what reading the weights allows) for\n"
      "1, 8, 64, 256 and 2048 tokens\n");
  for (const Path& path : paths) {
    if (path.isa > best_isa() || std::string(path.name).find(path_filter) == std::string::npos) continue;
    set_isa(path.isa);
    const Limits limits{peak(path.isa), gbytes};
    std::printf("%s: fma peak %.0f GFLOP/s\n", path.name, limits.gflops);
    for (const Form& form : forms) {
      if (std::string(form.name).find(form_filter) == std::string::npos) continue;
      if (form.gradient && (path.packed || path.weights != Storage::f32)) continue;
      measure(path, form, limits);
    }
  }
}
