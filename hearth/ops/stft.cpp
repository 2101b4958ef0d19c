// Short-time Fourier transforms: frames as a view, one transform over all.
#include "hearth/ops/stft.h"

#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/elementwise.h"
#include "hearth/ops/fft.h"
#include "hearth/ops/index.h"
#include "hearth/ops/linalg_parts.h"
#include "hearth/ops/reduce.h"
#include "hearth/ops/view.h"

namespace hearth {

namespace {

/// Lengths with their defaults filled in, checked.
struct Lengths {
  int64_t n, hop, win;

  Lengths(const char* op, const StftOptions& o)
      : n(o.n_fft), hop(o.hop.value_or(o.n_fft / 4)), win(o.win.value_or(o.n_fft)) {
    check<ValueError>(n > 0, op, ": n_fft must be positive: ", n);
    check<ValueError>(hop > 0, op, ": hop_length must be positive: ", hop);
    check<ValueError>(win > 0 && win <= n, op, ": win_length must be positive and at most n_fft: ", win, " and ", n);
    check<ShapeError>(!o.window.defined() || o.window.shape() == Shape{win}, op, ": window must have shape [", win,
                      "]: ", o.window.defined() ? o.window.shape() : Shape());
  }

  /// The window, zeros on both sides filling it up to n points; ones in `dtype` without one.
  Tensor window(const StftOptions& o, Dtype dtype) const {
    const Tensor given = o.window.defined() ? o.window : ones({win}, dtype);
    const int64_t left = (n - win) / 2;
    return win == n ? given : pad(given, {left, n - win - left});
  }
};

}  // namespace

Tensor stft(const Tensor& x, const StftOptions& o, PadMode pad_mode) {
  check<DtypeError>(is_differentiable(x.dtype()), "stft: needs a floating or complex signal: ", x.dtype());
  check<ShapeError>(x.dim() == 1 || x.dim() == 2, "stft: needs [length] or [batch, length]: ", x.shape());
  const Lengths lengths("stft", o);
  const bool complex_data = is_complex(x.dtype()) || (o.window.defined() && is_complex(o.window.dtype()));
  const bool onesided = o.onesided.value_or(!complex_data);
  check<ValueError>(!o.align_to_window || !o.center, "stft: align_to_window is for center = false");
  check<ValueError>(!onesided || !complex_data, "stft: complex signals and windows have no one-sided transform");
  Tensor signal = x.dim() == 1 ? unsqueeze(x, 0) : x;
  if (o.center) {
    const int64_t half = lengths.n / 2;
    signal = squeeze(pad(unsqueeze(signal, 0), {half, half}, pad_mode), 0);
  } else if (o.align_to_window) {
    const int64_t margin = (lengths.n - lengths.win) / 2;
    signal = pad(signal, {margin, margin});
  }
  check<ShapeError>(lengths.n <= signal.size(-1), "stft: n_fft ", lengths.n,
                    " is more than the signal has: ", signal.size(-1));
  Tensor frames = unfold(signal, -1, lengths.n, lengths.hop);
  if (o.window.defined() || lengths.win < lengths.n) frames = mul(frames, lengths.window(o, real_type(x.dtype())));
  const char* norm = o.normalized ? "ortho" : "backward";
  const Tensor spectrum = onesided ? rfft(frames, {}, -1, norm) : fft(frames, {}, -1, norm);
  const Tensor y = transpose(spectrum, 1, 2);
  return x.dim() == 1 ? squeeze(y, 0) : y;
}

namespace {

/// Frames [batch, count, n] added up `hop` apart: [batch, n + hop (count - 1)].
Tensor overlap_add(const Tensor& frames, int64_t hop) {
  const int64_t batch = frames.size(0), count = frames.size(1), n = frames.size(2), length = n + hop * (count - 1);
  Tensor places;
  {
    NoGrad guard;
    const Tensor starts = mul(arange(0, count, 1), hop);
    places = reshape(add(unsqueeze(starts, 1), arange(0, n, 1)), {count * n});
  }
  return index_add(zeros({batch, length}, frames.dtype(), frames.device()), 1, places,
                   reshape(frames, {batch, count * n}));
}

void check_spectrum(const Tensor& x, const Lengths& lengths, bool onesided, bool return_complex) {
  check<ValueError>(lengths.hop <= lengths.win, "istft: hop_length ", lengths.hop, " leaves gaps between windows of ",
                    lengths.win);
  check<ValueError>(!return_complex || !onesided, "istft: a one-sided transform gives a real signal");
  const int64_t wanted = onesided ? lengths.n / 2 + 1 : lengths.n;
  check<ShapeError>(x.size(-2) == wanted, "istft: expected ", wanted, " frequencies: ", x.size(-2));
}

}  // namespace

Tensor istft(const Tensor& x, const StftOptions& o, std::optional<int64_t> length, bool return_complex) {
  check<DtypeError>(is_complex(x.dtype()), "istft: needs a complex spectrum: ", x.dtype());
  check<ShapeError>((x.dim() == 2 || x.dim() == 3) && x.numel() > 0,
                    "istft: needs [frequencies, frames] or [batch, frequencies, frames], not empty: ", x.shape());
  const Lengths lengths("istft", o);
  const int64_t n = lengths.n, hop = lengths.hop;
  const bool onesided = o.onesided.value_or(x.size(-2) != n);
  check_spectrum(x, lengths, onesided, return_complex);
  check<DtypeError>(return_complex || !o.window.defined() || !is_complex(o.window.dtype()),
                    "istft: a complex window needs return_complex");
  const Tensor spectra = transpose(x.dim() == 2 ? unsqueeze(x, 0) : x, 1, 2);
  const char* norm = o.normalized ? "ortho" : "backward";
  const Tensor frames =
      return_complex ? ifft(spectra, {}, -1, norm) : irfft(narrow(spectra, -1, 0, n / 2 + 1), n, -1, norm);
  const Tensor window = lengths.window(o, real_type(x.dtype()));
  const int64_t count = frames.size(1), whole = n + hop * (count - 1), start = o.center ? n / 2 : 0;
  const int64_t end = length ? start + *length : o.center ? whole - n / 2 : whole;
  check<ValueError>(!length || *length > 0, "istft: length must be positive: ", length.value_or(0));
  const int64_t kept = std::min(end, whole) - start;
  check<ShapeError>(kept >= 0, "istft: nothing is left of ", whole, " points between ", start, " and ", end);
  const Tensor squares = expand(reshape(mul(window, window), {1, 1, n}), {1, count, n});
  const Tensor weight = narrow(overlap_add(squares, hop), 1, start, kept);
  if (kept > 0)
    check<ValueError>(amin(abs(weight.detach())).item() > 1e-11,
                      "istft: the windows leave points of the signal uncovered");
  Tensor y = div(narrow(overlap_add(mul(frames, window), hop), 1, start, kept), weight);
  if (end > whole) y = pad(y, {0, end - whole});
  return x.dim() == 2 ? squeeze(y, 0) : y;
}

}  // namespace hearth
