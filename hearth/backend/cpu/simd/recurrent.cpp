// Recurrent cells, element by element: LSTM and GRU forward and backward.
#include "hearth/backend/cpu/simd/recurrent.h"

#include "hearth/backend/cpu/simd/vec.h"

namespace hearth::cpu::HEARTH_ISA {
namespace {

/// Calls f(offset, count) for pieces of a row; count is a vector's size save in the last one.
template <class S, class F>
inline void pieces(int64_t n, F f) {
  constexpr int width = VecOf<S>::size;
  int64_t i = 0;
  for (; i + width <= n; i += width) f(i, width);
  if (i < n) f(i, int(n - i));
}

template <class S>
void lstm(void* gates_, const void* cell_, void* next_cell_, void* next_hidden_, int64_t n) {
  S *gates = static_cast<S*>(gates_), *next_cell = static_cast<S*>(next_cell_),
    *next_hidden = static_cast<S*>(next_hidden_);
  const S* cell = static_cast<const S*>(cell_);
  pieces<S>(n, [&](int64_t i, int k) {
    const auto in = sigmoid(load(gates + i, k)), forget = sigmoid(load(gates + n + i, k)),
               fresh = tanh(load(gates + 2 * n + i, k)), out = sigmoid(load(gates + 3 * n + i, k));
    const auto c = fma(forget, load(cell + i, k), in * fresh);
    store(gates + i, in, k);
    store(gates + n + i, forget, k);
    store(gates + 2 * n + i, fresh, k);
    store(gates + 3 * n + i, out, k);
    store(next_cell + i, c, k);
    store(next_hidden + i, out * tanh(c), k);
  });
}

template <class S>
void lstm_backward(const void* gates_, const void* cell_, const void* next_cell_, const void* dhidden_, void* dcell_,
                   void* dgates_, int64_t n) {
  const S *gates = static_cast<const S*>(gates_), *cell = static_cast<const S*>(cell_),
          *next_cell = static_cast<const S*>(next_cell_), *dhidden = static_cast<const S*>(dhidden_);
  S *dcell = static_cast<S*>(dcell_), *dgates = static_cast<S*>(dgates_);
  const auto one = VecOf<S>::broadcast(1);
  pieces<S>(n, [&](int64_t i, int k) {
    const auto in = load(gates + i, k), forget = load(gates + n + i, k), fresh = load(gates + 2 * n + i, k),
               out = load(gates + 3 * n + i, k), t = tanh(load(next_cell + i, k)), dh = load(dhidden + i, k);
    const auto dc = fma(dh * out, one - t * t, load(dcell + i, k));
    store(dgates + i, dc * fresh * in * (one - in), k);
    store(dgates + n + i, dc * load(cell + i, k) * forget * (one - forget), k);
    store(dgates + 2 * n + i, dc * in * (one - fresh * fresh), k);
    store(dgates + 3 * n + i, dh * t * out * (one - out), k);
    store(dcell + i, dc * forget, k);
  });
}

template <class S>
void gru(void* gates_, const void* from_hidden_, const void* hidden_, void* next_hidden_, int64_t n) {
  S *gates = static_cast<S*>(gates_), *next_hidden = static_cast<S*>(next_hidden_);
  const S *from_hidden = static_cast<const S*>(from_hidden_), *hidden = static_cast<const S*>(hidden_);
  pieces<S>(n, [&](int64_t i, int k) {
    const auto reset = sigmoid(load(gates + i, k) + load(from_hidden + i, k));
    const auto update = sigmoid(load(gates + n + i, k) + load(from_hidden + n + i, k));
    const auto fresh = tanh(fma(reset, load(from_hidden + 2 * n + i, k), load(gates + 2 * n + i, k)));
    store(gates + i, reset, k);
    store(gates + n + i, update, k);
    store(gates + 2 * n + i, fresh, k);
    store(next_hidden + i, fma(load(hidden + i, k) - fresh, update, fresh), k);
  });
}

template <class S>
void gru_backward(const void* gates_, const void* from_hidden_, const void* hidden_, void* dhidden_, void* dgates_,
                  void* dfrom_hidden_, int64_t n) {
  const S *gates = static_cast<const S*>(gates_), *from_hidden = static_cast<const S*>(from_hidden_),
          *hidden = static_cast<const S*>(hidden_);
  S *dhidden = static_cast<S*>(dhidden_), *dgates = static_cast<S*>(dgates_),
    *dfrom_hidden = static_cast<S*>(dfrom_hidden_);
  const auto one = VecOf<S>::broadcast(1);
  pieces<S>(n, [&](int64_t i, int k) {
    const auto reset = load(gates + i, k), update = load(gates + n + i, k), fresh = load(gates + 2 * n + i, k),
               dh = load(dhidden + i, k);
    const auto dfresh = dh * (one - update) * (one - fresh * fresh);
    const auto dreset = dfresh * load(from_hidden + 2 * n + i, k) * reset * (one - reset);
    const auto dupdate = dh * (load(hidden + i, k) - fresh) * update * (one - update);
    store(dgates + i, dreset, k);
    store(dgates + n + i, dupdate, k);
    store(dgates + 2 * n + i, dfresh, k);
    store(dfrom_hidden + i, dreset, k);
    store(dfrom_hidden + n + i, dupdate, k);
    store(dfrom_hidden + 2 * n + i, dfresh * reset, k);
    store(dhidden + i, dh * update, k);
  });
}

template <class S>
constexpr RecurrentRows rows() {
  return {lstm<S>, lstm_backward<S>, gru<S>, gru_backward<S>};
}

}  // namespace

extern const RecurrentRows recurrent_rows[2] = {rows<float>(), rows<double>()};

}  // namespace hearth::cpu::HEARTH_ISA
