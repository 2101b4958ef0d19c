// Fourier transforms: what hearth.fft shows under PyTorch's names.
#include "hearth/ops/fft.h"

#include "hearth/ops/complex.h"
#include "hearth/ops/create.h"
#include "hearth/ops/stft.h"
#include "python/src/binding.h"

namespace hearth::python {

namespace {

std::string norm_of(Args& a, int i) { return a.given(i) ? a.text(i) : "backward"; }

template <auto f>
void def_one(Module& m, const std::string& name) {
  m.def((name + "(input: Tensor, n: int? = None, dim: int = -1, norm: str? = None, *, out: Tensor? = None)").c_str(),
        [](Args& a) { return f(a.tensor(0), a.integer_or_none(1), a.integer(2), norm_of(a, 3)); });
}

template <auto f>
void def_many(Module& m, const std::string& name, const char* dims) {
  m.def(
      (name + "(input: Tensor, s: ints? = None, dim: ints? = " + dims + ", norm: str? = None, *, out: Tensor? = None)")
          .c_str(),
      [](Args& a) {
        return f(a.tensor(0), FftDims{a.ints_or_none(1), a.ints_or_none(2)}, norm_of(a, 3));
      });
}

const Binding transforms{[](Module& m) {
  def_one<fft>(m, "_fft_fft");
  def_one<ifft>(m, "_fft_ifft");
  def_one<rfft>(m, "_fft_rfft");
  def_one<irfft>(m, "_fft_irfft");
  def_one<hfft>(m, "_fft_hfft");
  def_one<ihfft>(m, "_fft_ihfft");
  def_many<fftn>(m, "_fft_fftn", "None");
  def_many<ifftn>(m, "_fft_ifftn", "None");
  def_many<rfftn>(m, "_fft_rfftn", "None");
  def_many<irfftn>(m, "_fft_irfftn", "None");
  def_many<hfftn>(m, "_fft_hfftn", "None");
  def_many<ihfftn>(m, "_fft_ihfftn", "None");
  def_many<fftn>(m, "_fft_fft2", "(-2, -1)");
  def_many<ifftn>(m, "_fft_ifft2", "(-2, -1)");
  def_many<rfftn>(m, "_fft_rfft2", "(-2, -1)");
  def_many<irfftn>(m, "_fft_irfft2", "(-2, -1)");
  def_many<hfftn>(m, "_fft_hfft2", "(-2, -1)");
  def_many<ihfftn>(m, "_fft_ihfft2", "(-2, -1)");
  m.def("_fft_fftshift(input: Tensor, dim: ints? = None)", [](Args& a) { return fftshift(a.tensor(0), a.ints(1)); });
  m.def("_fft_ifftshift(input: Tensor, dim: ints? = None)", [](Args& a) { return ifftshift(a.tensor(0), a.ints(1)); });
}};

/// The options that both directions share, from place 1 on: n_fft, hop, win, window, center.
StftOptions options_of(Args& a) {
  StftOptions o;
  o.n_fft = a.integer(1);
  o.hop = a.integer_or_none(2);
  o.win = a.integer_or_none(3);
  o.window = a.tensor_or_none(4);
  o.center = a.flag(5);
  return o;
}

PadMode pad_mode_named(const std::string& name) {
  if (name == "reflect") return PadMode::reflect;
  if (name == "constant") return PadMode::constant;
  if (name == "replicate") return PadMode::replicate;
  check<NotImplementedError>(name == "circular", "stft: pad_mode is not known: ", name);
  return PadMode::circular;
}

const Binding short_time{[](Module& m) {
  m.def(
      "stft(input: Tensor, n_fft: int, hop_length: int? = None, win_length: int? = None, window: Tensor? = None, "
      "center: bool = True, pad_mode: str = 'reflect', normalized: bool = False, onesided: bool? = None, "
      "return_complex: bool? = None, align_to_window: bool? = None)",
      [](Args& a) {
        StftOptions o = options_of(a);
        o.normalized = a.flag(7);
        if (a.given(8)) o.onesided = a.flag(8);
        check<ValueError>(!a.given(10) || !o.center, "stft: align_to_window is for center = false");
        o.align_to_window = a.given(10) && a.flag(10);
        const bool numbers = is_complex(a.tensor(0).dtype()) || (o.window.defined() && is_complex(o.window.dtype()));
        check<ValueError>(numbers || a.given(9), "stft: real signals need return_complex to be given");
        const Tensor y = stft(a.tensor(0), o, pad_mode_named(a.text(6)));
        return a.given(9) && !a.flag(9) ? view_as_real(contiguous(y)) : y;
      },
      method);
  m.def(
      "istft(input: Tensor, n_fft: int, hop_length: int? = None, win_length: int? = None, window: Tensor? = None, "
      "center: bool = True, normalized: bool = False, onesided: bool? = None, length: int? = None, "
      "return_complex: bool = False)",
      [](Args& a) {
        StftOptions o = options_of(a);
        o.normalized = a.flag(6);
        if (a.given(7)) o.onesided = a.flag(7);
        return istft(a.tensor(0), o, a.integer_or_none(8), a.flag(9));
      },
      method);
}};

}  // namespace

}  // namespace hearth::python
