// Probe of Vec on avx2, compiled with that set's flags (tests/CMakeLists.txt goes by the file's name).
#if defined(__AVX2__)
#define HEARTH_ISA avx2
#define HEARTH_ISA_avx2 1
#include "simd_vec_probe.inc"

const hearth::cpu::probe::Table* hearth::cpu::probe::avx2_table() { return &table; }
#else
#include "simd_vec_probe.h"

const hearth::cpu::probe::Table* hearth::cpu::probe::avx2_table() { return nullptr; }
#endif
