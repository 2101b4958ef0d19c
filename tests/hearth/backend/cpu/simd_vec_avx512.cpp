// Probe of Vec on avx512, compiled with that set's flags (tests/CMakeLists.txt goes by the file's name).
#if defined(__AVX512F__)
#define HEARTH_ISA avx512
#define HEARTH_ISA_avx512 1
#include "simd_vec_probe.inc"

const hearth::cpu::probe::Table* hearth::cpu::probe::avx512_table() { return &table; }
#else
#include "simd_vec_probe.h"

const hearth::cpu::probe::Table* hearth::cpu::probe::avx512_table() { return nullptr; }
#endif
