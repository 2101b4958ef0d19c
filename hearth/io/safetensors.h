// Safetensors: named tensors in a file, mapped into memory, and such files in shards.
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "hearth/core/tensor.h"
#include "hearth/io/file_system.h"
#include "hearth/io/safetensors_header.h"

namespace hearth {

/// An open file. Copies share the mapping; tensors keep it alive. A write to a tensor stays in memory.
/// Example: auto file = SafetensorsFile::open("model.safetensors"); Tensor w = file.tensor("lm_head.weight");
class SafetensorsFile {
 public:
  /// Maps a file and checks its header. Raises IoError naming file and tensor (see parse_safetensors_header).
  static SafetensorsFile open(const std::string& path, FileSystem& fs = real_file_system());
  /// The same over a copy of `bytes`; `name` is the file in messages.
  static SafetensorsFile from_memory(std::span<const std::byte> bytes, const std::string& name);

  /// All names, in ascending order.
  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return content_->header.tensors.count(name) > 0; }
  /// Raises IoError when there is no such tensor.
  const SafetensorsInfo& info(const std::string& name) const;
  /// The tensor, without a copy where its bytes are aligned for its dtype. Raises IoError when there is none, or a
  /// boolean is neither 0 nor 1.
  Tensor tensor(const std::string& name) const;
  const std::map<std::string, std::string>& metadata() const { return content_->header.metadata; }
  const std::string& path() const { return content_->path; }

 private:
  struct Content {
    std::shared_ptr<const void> owner;
    std::span<std::byte> bytes;
    SafetensorsHeader header;
    std::string path;
  };
  static SafetensorsFile make(std::shared_ptr<const void> owner, std::span<std::byte> bytes, const std::string& path);

  std::shared_ptr<const Content> content_;
};

/// The tensors of a model folder: `model.safetensors`, or, where that is absent, the shards that
/// `model.safetensors.index.json` lists.
/// Example: auto weights = ShardedSafetensors::open("Qwen3-0.6B"); for (auto& name : weights.names()) ...
class ShardedSafetensors {
 public:
  /// Raises IoError when neither file is there, a shard is missing or named outside the folder, a listed tensor is
  /// not in its shard, or a shard holds a tensor that is not listed for it; ValueError for a broken index.
  static ShardedSafetensors open(const std::string& folder, FileSystem& fs = real_file_system());

  std::vector<std::string> names() const;
  bool contains(const std::string& name) const { return file_of_.count(name) > 0; }
  /// Both raise IoError when there is no such tensor.
  const SafetensorsInfo& info(const std::string& name) const { return file(name).info(name); }
  Tensor tensor(const std::string& name) const { return file(name).tensor(name); }
  /// The metadata of the first file.
  const std::map<std::string, std::string>& metadata() const { return files_.front().metadata(); }

 private:
  const SafetensorsFile& file(const std::string& name) const;
  void add_shard(const std::string& shard, const std::vector<std::string>& listed, FileSystem& fs);

  std::string folder_;
  std::vector<SafetensorsFile> files_;
  std::map<std::string, size_t> file_of_;
};

/// Writes tensors of any layout to a file, atomically and durably: the old file, or the whole new one. The bytes depend
/// on names, tensors and metadata only: wider dtypes first, then by name, so that every tensor is aligned.
/// Raises IoError when writing fails, DeviceError for a tensor that is not on the CPU, ValueError for an undefined
/// tensor or a name that the format cannot hold. Example: save_safetensors("adapter_model.safetensors",
/// {{"a.lora_A.weight", a}}, {{"format", "pt"}});
void save_safetensors(const std::string& path, const std::map<std::string, Tensor>& tensors,
                      const std::map<std::string, std::string>& metadata = {}, FileSystem& fs = real_file_system());

}  // namespace hearth
