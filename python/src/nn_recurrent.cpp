// Recurrent layers: hearth/ops/recurrent.h; arguments of torch.lstm and its kin are sorted in Python.
#include "hearth/ops/recurrent.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

Cell cell_of(const std::string& name) {
  if (name == "lstm") return Cell::lstm;
  if (name == "gru") return Cell::gru;
  check<ValueError>(name == "tanh" || name == "relu", "recurrent: cell not known: ", name);
  return name == "tanh" ? Cell::tanh : Cell::relu;
}

/// `count` weights a layer and direction: input, hidden, then both biases, then a projection.
std::vector<RecurrentWeights> weights_of(const TensorList& flat, bool biases, bool projection) {
  const size_t count = 2 + (biases ? 2 : 0) + (projection ? 1 : 0);
  check<ValueError>(!flat.empty() && flat.size() % count == 0, "recurrent: got ", flat.size(),
                    " weights, expected a multiple of ", count);
  std::vector<RecurrentWeights> weights;
  for (size_t i = 0; i < flat.size(); i += count) {
    RecurrentWeights w{flat[i], flat[i + 1]};
    if (biases) {
      w.input_bias = flat[i + 2];
      w.hidden_bias = flat[i + 3];
    }
    if (projection) w.projection = flat[i + count - 1];
    weights.push_back(w);
  }
  return weights;
}

const Binding binding{[](Module& m) {
  m.def(
      "_nn_recurrent(kind: str, rows: Tensor, batch_sizes: ints, hidden: Tensor, cell: Tensor?, weights: Tensors, "
      "biases: bool, projection: bool, dropout: float, training: bool, bidirectional: bool)",
      [](Args& a) {
        const RecurrentStack stack{cell_of(a.text(0)), a.flag(10), a.real(8), a.flag(9)};
        const RecurrentResult r = recurrent(stack, a.tensor(1), a.ints(2), a.tensor(3), a.tensor_or_none(4),
                                            weights_of(a.tensors(5), a.flag(6), a.flag(7)));
        TensorList results{r.output, r.hidden};
        if (r.cell.defined()) results.push_back(r.cell);
        return results;
      });
}};

}  // namespace

}  // namespace hearth::python
