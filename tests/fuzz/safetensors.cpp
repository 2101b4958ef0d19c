// Fuzzes the safetensors reader: any bytes give tensors that can be read in full, or an IoError.
#include "hearth/io/safetensors.h"

#include "hearth/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto file =
        hearth::SafetensorsFile::from_memory({reinterpret_cast<const std::byte*>(data), size}, "input.safetensors");
    volatile uint64_t sum = 0;
    for (const std::string& name : file.names()) {
      const hearth::Tensor tensor = file.tensor(name);
      const auto* bytes = static_cast<const uint8_t*>(tensor.raw());
      for (size_t i = 0; i < size_t(tensor.numel()) * hearth::dtype_size(tensor.dtype()); ++i) sum = sum + bytes[i];
    }
  } catch (const hearth::IoError&) {
  }
  return 0;
}
