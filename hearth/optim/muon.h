// Muon (Jordan et al. 2024): momentum whose matrix is made nearly orthogonal before each step.
#pragma once

#include "hearth/optim/optimizer.h"

namespace hearth::optim {

/// How the rate is scaled for a matrix [rows, columns].
enum class MuonRate : uint8_t {
  original,            ///< by sqrt(max(1, rows / columns))
  match_rms_adamw,     ///< by 0.2 sqrt(max(rows, columns)), which gives steps as large as AdamW's (Liu et al. 2025)
  spectral_unclamped,  ///< by sqrt(rows / columns)
};

struct MuonOptions {
  double lr = 1e-3;
  double weight_decay = 0.1;  ///< shrinks the parameter, apart from the gradient
  double momentum = 0.95;
  bool nesterov = true;
  double a = 3.4445, b = -4.7750, c = 2.0315;  ///< coefficients of the Newton-Schulz iteration
  double eps = 1e-7;
  int steps = 5;  ///< Newton-Schulz iterations
  MuonRate rate = MuonRate::original;
};

/// For matrices only; give other parameters to AdamW. buf += (1 - momentum) (g - buf); the step is orthogonal(buf), or
/// with `nesterov` orthogonal(g + momentum (buf - g)). The iteration runs in the state's dtype (PyTorch's in bfloat16).
/// Raises ShapeError for a parameter that is no matrix, ValueError for settings out of range.
/// Example: optim::Muon optimizer(matrices, {.lr = 0.02});
class Muon : public ComposedOptimizer {
 public:
  Muon(TensorList params, const MuonOptions& options = {});
  Muon(std::vector<ParamGroup> groups, const MuonOptions& options);

 protected:
  Tensor updated(size_t i, const ParamGroup& group, const Tensor& p, const Tensor& gradient) override;
  std::optional<Shape> state_shape(const Tensor& p, std::string_view name) const override;

 private:
  MuonOptions options_;
};

}  // namespace hearth::optim
