// The CPU backend's table: kernels are declared by their contract's function type, so a drifted signature is a link
// error.
#include "hearth/backend/cpu/table.h"

#include "hearth/backend/cpu/allocator.h"
#include "hearth/backend/kernels/attention.h"
#include "hearth/backend/kernels/conv.h"
#include "hearth/backend/kernels/cross_entropy.h"
#include "hearth/backend/kernels/elementwise.h"
#include "hearth/backend/kernels/index.h"
#include "hearth/backend/kernels/matmul.h"
#include "hearth/backend/kernels/norm.h"
#include "hearth/backend/kernels/optim_step.h"
#include "hearth/backend/kernels/pool.h"
#include "hearth/backend/kernels/recurrent.h"
#include "hearth/backend/kernels/reduce.h"
#include "hearth/backend/kernels/rotary.h"
#include "hearth/backend/kernels/softmax.h"
#include "hearth/backend/kernels/sort.h"
#include "hearth/backend/kernels/swiglu.h"

namespace hearth::cpu {

kernels::UnaryFn unary;
kernels::ParametricFn parametric;
kernels::BinaryFn binary;
kernels::CompareFn compare;
kernels::WhereFn where;
kernels::CopyFn copy;
kernels::FillFn fill;
kernels::ReduceFn reduce;
kernels::ReduceIndexFn reduce_index;
kernels::SelectRankFn select_rank;
kernels::CumulateFn cumulate;
kernels::MatmulFn matmul;
kernels::MatmulGroupedFn matmul_grouped;
kernels::PackFn pack;
kernels::MatmulPackedFn matmul_packed;
kernels::SoftmaxFn softmax;
kernels::SoftmaxBackwardFn softmax_backward;
kernels::NormFn norm;
kernels::NormBackwardFn norm_backward;
kernels::RotaryFn rotary;
kernels::SwigluFn swiglu;
kernels::SwigluBackwardFn swiglu_backward;
kernels::WrapIndexFn wrap_index;
kernels::IndexSelectFn index_select;
kernels::IndexWriteFn index_write;
kernels::GatherFn gather;
kernels::ScatterFn scatter;
kernels::NonzeroFn nonzero;
kernels::AttentionStoreFn attention_store;
kernels::AttentionFn attention;
kernels::AttentionBackwardFn attention_backward;
kernels::TokenLogProbsFn token_log_probs;
kernels::SortFn sort;
kernels::TopkFn topk;
kernels::SearchsortedFn searchsorted;
kernels::HistcFn histc;
kernels::ImageToWindowsFn image_to_windows;
kernels::WindowsToImageFn windows_to_image;
kernels::MaxWindowFn max_window;
kernels::ResampleFn resample;
kernels::LstmCellFn lstm_cell;
kernels::LstmCellBackwardFn lstm_cell_backward;
kernels::GruCellFn gru_cell;
kernels::GruCellBackwardFn gru_cell_backward;
kernels::SgdStepFn sgd_step;
kernels::AdamStepFn adam_step;
kernels::SumSquaresFn sum_squares;
kernels::ScaleFn scale;

void install() {
  set_allocator(DeviceType::cpu, &cpu_allocator());

  constexpr DeviceType here = DeviceType::cpu;
  kernels::unary.set(here, unary);
  kernels::parametric.set(here, parametric);
  kernels::binary.set(here, binary);
  kernels::compare.set(here, compare);
  kernels::where.set(here, where);
  kernels::copy.set(here, copy);
  kernels::fill.set(here, fill);
  kernels::reduce.set(here, reduce);
  kernels::reduce_index.set(here, reduce_index);
  kernels::select_rank.set(here, select_rank);
  kernels::cumulate.set(here, cumulate);
  kernels::matmul.set(here, matmul);
  kernels::matmul_grouped.set(here, matmul_grouped);
  kernels::pack.set(here, pack);
  kernels::matmul_packed.set(here, matmul_packed);
  kernels::softmax.set(here, softmax);
  kernels::softmax_backward.set(here, softmax_backward);
  kernels::norm.set(here, norm);
  kernels::norm_backward.set(here, norm_backward);
  kernels::rotary.set(here, rotary);
  kernels::swiglu.set(here, swiglu);
  kernels::swiglu_backward.set(here, swiglu_backward);
  kernels::wrap_index.set(here, wrap_index);
  kernels::index_select.set(here, index_select);
  kernels::index_write.set(here, index_write);
  kernels::gather.set(here, gather);
  kernels::scatter.set(here, scatter);
  kernels::nonzero.set(here, nonzero);
  kernels::attention_store.set(here, attention_store);
  kernels::attention.set(here, attention);
  kernels::attention_backward.set(here, attention_backward);
  kernels::token_log_probs.set(here, token_log_probs);
  kernels::sort.set(here, sort);
  kernels::topk.set(here, topk);
  kernels::searchsorted.set(here, searchsorted);
  kernels::histc.set(here, histc);
  kernels::image_to_windows.set(here, image_to_windows);
  kernels::windows_to_image.set(here, windows_to_image);
  kernels::max_window.set(here, max_window);
  kernels::resample.set(here, resample);
  kernels::lstm_cell.set(here, lstm_cell);
  kernels::lstm_cell_backward.set(here, lstm_cell_backward);
  kernels::gru_cell.set(here, gru_cell);
  kernels::gru_cell_backward.set(here, gru_cell_backward);
  kernels::sgd_step.set(here, sgd_step);
  kernels::adam_step.set(here, adam_step);
  kernels::sum_squares.set(here, sum_squares);
  kernels::scale.set(here, scale);
}

}  // namespace hearth::cpu
