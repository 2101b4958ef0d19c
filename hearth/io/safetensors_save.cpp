// Safetensors: writing, one pass over the tensors, in an order that depends on nothing but them.
#include <algorithm>
#include <array>
#include <cstring>

#include "hearth/core/error.h"
#include "hearth/core/layout.h"
#include "hearth/io/file.h"
#include "hearth/io/safetensors.h"

namespace hearth {

namespace {

constexpr size_t buffer_bytes = size_t(1) << 20;

// Elements of a strided tensor in row-major order, gathered in a buffer on their way to the file.
void write_strided(AtomicFile& file, const Tensor& tensor) {
  const Loops<1> loops = merge_loops<1>({&tensor});
  const size_t size = dtype_size(tensor.dtype());
  std::string buffer;
  buffer.reserve(buffer_bytes + size);
  for (int64_t row = 0; row < loops.outer(); ++row) {
    const char* next = loops.at(row)[0];
    for (int64_t i = 0; i < loops.inner(); ++i, next += loops.strides[0][0]) {
      buffer.append(next, size);
      if (buffer.size() < buffer_bytes) continue;
      file.write(buffer);
      buffer.clear();
    }
  }
  file.write(buffer);
}

void write_tensor(AtomicFile& file, const Tensor& tensor) {
  if (tensor.numel() == 0) return;
  if (tensor.is_contiguous()) {
    file.write(tensor.raw(), size_t(tensor.numel()) * dtype_size(tensor.dtype()));
  } else {
    write_strided(file, tensor);
  }
}

}  // namespace

void save_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors,
                      const std::map<std::string, std::string>& metadata, FileSystem& fs) {
  std::map<std::string, SafetensorsInfo> infos;
  std::vector<std::string> order;
  for (const auto& [name, tensor] : tensors) {
    check<ValueError>(tensor.defined(), "save_safetensors: ", path, ": tensor \"", name, "\" is undefined");
    check<DeviceError>(tensor.device() == Device{}, "save_safetensors: ", path, ": tensor \"", name, "\" is on ",
                       tensor.device(), ", must be on the CPU");
    SafetensorsInfo& info = infos[name];
    info.dtype = tensor.dtype();
    info.shape.assign(tensor.shape().begin(), tensor.shape().end());
    order.push_back(name);
  }
  std::stable_sort(order.begin(), order.end(), [&](const std::string& a, const std::string& b) {
    return dtype_size(infos[a].dtype) > dtype_size(infos[b].dtype);
  });
  const std::string header = write_safetensors_header(infos, order, metadata);
  AtomicFile file(path, fs);
  file.write(header);
  for (const std::string& name : order) write_tensor(file, tensors.at(name));
  file.commit();
}

}  // namespace hearth
