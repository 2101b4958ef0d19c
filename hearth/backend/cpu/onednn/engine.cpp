// oneDNN engine and streams.
#include "hearth/backend/cpu/onednn/engine.h"

#include "hearth/backend/cpu/isa.h"
#include "hearth/core/error.h"

namespace hearth::cpu::onednn {

bool usable() { return isa() == Isa::avx512; }

const dnnl::engine& cpu_engine() {
  static const dnnl::engine engine = [] {
    // Too late is harmless where the processor has nothing beyond the cap.
    const bool capped = dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core_bf16) == dnnl::status::success;
    check<ValueError>(capped || dnnl::get_effective_cpu_isa() != dnnl::cpu_isa::avx512_core_amx,
                      "onednn: instruction sets can no longer be capped: oneDNN was used before hearth");
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return engine;
}

dnnl::stream& cpu_stream() {
  thread_local dnnl::stream stream(cpu_engine());
  return stream;
}

}  // namespace hearth::cpu::onednn
