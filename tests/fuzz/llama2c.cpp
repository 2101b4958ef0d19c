// Fuzzes the llama2.c reader: any bytes give tensors that can be read in full, or a hearth error.
#include "hearth/io/llama2c.h"

#include "hearth/core/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    const auto model = hearth::load_llama2c({reinterpret_cast<const std::byte*>(data), size}, "input.bin");
    volatile float last = 0;
    for (const auto& [name, tensor] : model.tensors) last = tensor.data<float>()[tensor.numel() - 1];
  } catch (const hearth::IoError&) {
  } catch (const hearth::NotImplementedError&) {
  }
  return 0;
}
