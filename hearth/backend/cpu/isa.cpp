// Isa: processor detection by cpuid, and the HEARTH_ISA cap.
#include "hearth/backend/cpu/isa.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hearth/core/error.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hearth::cpu {
namespace {

struct Detected {
  Isa best = Isa::generic;
  bool avx512_bf16 = false;
  bool amx_bf16 = false;
};

#if defined(__x86_64__)
/// The register states that the operating system saves (XCR0); an instruction set counts only if its state is saved.
uint64_t saved_states() {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE)) return 0;
  uint32_t low = 0, high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t(high) << 32) | low;
}

Detected detect() {
  Detected found;
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2");
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  const bool f16c = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C);
  if (!avx2 || !f16c) return found;
  found.best = Isa::avx2;
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512vl");
  if (!avx512) return found;
  found.best = Isa::avx512;
  constexpr uint32_t amx_bf16_and_tile = (1u << 22) | (1u << 24);
  constexpr uint64_t tile_states = uint64_t(3) << 17;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx))
    found.amx_bf16 = (edx & amx_bf16_and_tile) == amx_bf16_and_tile && (saved_states() & tile_states) == tile_states;
  if (__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx)) found.avx512_bf16 = eax & (1u << 5);
  return found;
}
#else
Detected detect() { return {}; }
#endif

const Detected& detected() {
  static const Detected found = detect();
  return found;
}

Isa isa_from_environment() {
  const char* text = std::getenv("HEARTH_ISA");
  if (text == nullptr || *text == '\0') return best_isa();
  for (Isa isa : {Isa::generic, Isa::avx2, Isa::avx512})
    if (isa_name(isa) == text) return std::min(isa, best_isa());
  fail<ValueError>("HEARTH_ISA: must be one of generic, avx2, avx512: got '", text, "'");
}

std::atomic<int> override_isa{-1};

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    case Isa::generic:
      break;
  }
  return "generic";
}

Isa best_isa() { return detected().best; }

Isa isa() {
  const int forced = override_isa.load(std::memory_order_relaxed);
  if (forced >= 0) [[unlikely]]
    return Isa(forced);
  static const Isa chosen = isa_from_environment();
  return chosen;
}

void set_isa(Isa isa) {
  check<ValueError>(isa <= best_isa(), "set_isa: this processor lacks the set: ", isa_name(isa), ", best is ",
                    isa_name(best_isa()));
  override_isa.store(int(isa), std::memory_order_relaxed);
}

bool has_avx512_bf16() { return detected().avx512_bf16 && isa() == Isa::avx512; }

bool has_amx_bf16() { return detected().amx_bf16 && isa() == Isa::avx512; }

}  // namespace hearth::cpu
