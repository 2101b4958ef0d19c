// Probe of Vec on generic, compiled with that set's flags (tests/CMakeLists.txt goes by the file's name).
#if 1
#define HEARTH_ISA generic
#define HEARTH_ISA_generic 1
#include "simd_vec_probe.inc"

const hearth::cpu::probe::Table* hearth::cpu::probe::generic_table() { return &table; }
#else
#include "simd_vec_probe.h"

const hearth::cpu::probe::Table* hearth::cpu::probe::generic_table() { return nullptr; }
#endif
