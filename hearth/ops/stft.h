// Short-time Fourier transforms.
#pragma once

#include <optional>

#include "hearth/core/tensor.h"
#include "hearth/ops/concat.h"

namespace hearth {

struct StftOptions {
  int64_t n_fft = 0;
  std::optional<int64_t> hop = {};  ///< steps from frame to frame; n_fft / 4
  std::optional<int64_t> win = {};  ///< length of the window, centred in n_fft points; n_fft
  Tensor window = {};               ///< [win]; ones
  bool center = true;               ///< frames stand around their points, the signal being padded at both ends
  bool align_to_window = false;     ///< without center: zeros at both ends let the window, not its n_fft points, start
                                    ///< and end with the signal; stft only
  bool normalized = false;          ///< times n_fft^-1/2
  std::optional<bool> onesided = {};  ///< only n_fft / 2 + 1 frequencies; without: if signal and window are real
};

/// Complex [..., frequencies, frames] of a signal [length] or [batch, length]. Raises ShapeError, ValueError.
/// Example: Tensor spectrum = stft(signal, {.n_fft = 512, .window = hann});
Tensor stft(const Tensor& x, const StftOptions& options, PadMode pad_mode = PadMode::reflect);

/// The signal that a transform came from, frames overlapped and divided by the sum of the squared windows; cut or
/// filled up to `length` where it is given. Raises ValueError where windows leave points uncovered.
Tensor istft(const Tensor& x, const StftOptions& options, std::optional<int64_t> length = {},
             bool return_complex = false);

}  // namespace hearth
