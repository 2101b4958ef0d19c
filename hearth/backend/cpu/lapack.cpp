// LAPACK: loads the library and looks its functions up.
#include "hearth/backend/cpu/lapack.h"

#include <dlfcn.h>

#include <string>

#include "hearth/core/error.h"

namespace hearth::cpu {

namespace {

/// The library, or null when it is not installed. Its own threads stay idle: matrices of a batch are spread over ours,
/// and one matrix gives the same bits on any number of them.
void* library() {
  static void* const handle = [] {
    void* opened = dlopen("liblapacke.so.3", RTLD_NOW | RTLD_LOCAL);
    if (!opened) return opened;
    if (void* threads = dlsym(opened, "openblas_set_num_threads")) reinterpret_cast<void (*)(int)>(threads)(1);
    // Not-a-number is the callers' business: most functions hand it on.
    if (void* checking = dlsym(opened, "LAPACKE_set_nancheck")) reinterpret_cast<void (*)(int)>(checking)(0);
    return opened;
  }();
  return handle;
}

/// Sets `function` to the symbol; without it, notes that it is missing.
template <class F>
void find(F*& function, const std::string& symbol, std::string& missing) {
  function = reinterpret_cast<F*>(dlsym(library(), symbol.c_str()));
  if (!function && missing.empty()) missing = symbol;
}

template <class T>
struct Loaded {
  Lapack<T> functions{};
  std::string missing;

  explicit Loaded(char letter) {
    if (!library()) return;
    const std::string start = std::string("LAPACKE_") + letter;
    const auto get = [&](auto& function, const char* name) { find(function, start + name, missing); };
    constexpr bool complex = is_complex_number<T>;
    get(functions.potrf, "potrf");
    get(functions.potri, "potri");
    get(functions.potrs, "potrs");
    get(functions.getrf, "getrf");
    get(functions.getrs, "getrs");
    get(functions.sytrf, "sytrf");
    get(functions.sytrs, "sytrs");
    if (complex) get(functions.hetrf, "hetrf");
    if (complex) get(functions.hetrs, "hetrs");
    get(functions.geqrf, "geqrf");
    get(functions.orgqr, complex ? "ungqr" : "orgqr");
    get(functions.ormqr, complex ? "unmqr" : "ormqr");
    get(functions.syevd, complex ? "heevd" : "syevd");
    get(functions.gesdd, "gesdd");
    if (complex)
      get(functions.geev_complex, "geev");
    else
      get(functions.geev, "geev");
    get(functions.gels, "gels");
    get(functions.gelsy, "gelsy");
    get(functions.gelsd, "gelsd");
    get(functions.gelss, "gelss");
    find(functions.trsm, std::string("cblas_") + letter + "trsm", missing);
  }
};

template <class T>
constexpr char letter = 's';
template <>
constexpr char letter<double> = 'd';
template <>
constexpr char letter<std::complex<float>> = 'c';
template <>
constexpr char letter<std::complex<double>> = 'z';

}  // namespace

template <class T>
const Lapack<T>& lapack(const char* op) {
  static const Loaded<T> loaded(letter<T>);
  check<NotImplementedError>(library() != nullptr, op,
                             ": LAPACK is not installed: install the Debian packages liblapacke and "
                             "libopenblas0-pthread, or another system's LAPACKE 3 (liblapacke.so.3)");
  check<NotImplementedError>(loaded.missing.empty(), op, ": liblapacke.so.3 has no function ", loaded.missing);
  return loaded.functions;
}

template const Lapack<float>& lapack<float>(const char* op);
template const Lapack<double>& lapack<double>(const char* op);
template const Lapack<std::complex<float>>& lapack<std::complex<float>>(const char* op);
template const Lapack<std::complex<double>>& lapack<std::complex<double>>(const char* op);

}  // namespace hearth::cpu
