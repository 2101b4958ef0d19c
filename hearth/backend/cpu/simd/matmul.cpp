// Matrix product kernels of one instruction set: the table that gemm.cpp works with.
#include "hearth/backend/cpu/simd/matmul.h"

#include "hearth/backend/cpu/simd/matmul_pack.h"
#include "hearth/backend/cpu/simd/matmul_thin.h"
#include "hearth/backend/cpu/simd/matmul_tile.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

template <class T>
constexpr MatmulKernels kernels(void (*panel)(const PanelCall&), void (*thin)(const PanelCall&),
                                void (*pack)(const PackCall&)) {
  using Shape = TileShape<T>;
  return {Shape::rows, Shape::vectors * Vec<T>::size, Vec<T>::size, Shape::depth, panel, thin, pack};
}

const MatmulTable table{kernels<float>(panel_f32, thin_f32, pack_f32), kernels<double>(panel_f64, thin_f64, pack_f64),
                        convert};

}  // namespace

const MatmulTable& matmul_table() { return table; }

}  // namespace hearth::cpu::HEARTH_ISA
