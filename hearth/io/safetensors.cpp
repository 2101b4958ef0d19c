// Safetensors: reading files and shards through memory maps.
#include "hearth/io/safetensors.h"

#include <fcntl.h>

#include <boost/json.hpp>
#include <cerrno>
#include <utility>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/json.h"
#include "hearth/io/mapped_tensor.h"

namespace hearth {

namespace {

constexpr const char* single_name = "/model.safetensors";
constexpr const char* index_name = "/model.safetensors.index.json";

bool exists(const std::string& path, FileSystem& fs) {
  const int fd = fs.open(path.c_str(), O_RDONLY | O_CLOEXEC, 0);
  if (fd >= 0) fs.close(fd);
  // Anything but "not there" is for the reader to report.
  return fd >= 0 || errno != ENOENT;
}

// The tensors that the index lists for each shard.
std::map<std::string, std::vector<std::string>> read_index(const std::string& path, FileSystem& fs) {
  const boost::json::value value = read_json(path, {}, fs);
  const JsonObject weight_map = JsonObject(value, path).get_object("weight_map");
  std::map<std::string, std::vector<std::string>> shards;
  for (const auto& member : weight_map.object()) {
    const std::string name(member.key());
    const std::string shard = weight_map.get_string(name);
    const bool plain = shard.find('/') == std::string::npos && shard.find('\\') == std::string::npos &&
                       shard.find('\0') == std::string::npos && shard != "." && shard != ".." && !shard.empty();
    check<IoError>(plain, path, ": ", name, ": a shard must be a file in the same folder: ", shard.c_str());
    shards[shard].push_back(name);
  }
  check<IoError>(!shards.empty(), path, ": weight_map is empty");
  return shards;
}

}  // namespace

SafetensorsFile SafetensorsFile::make(std::shared_ptr<const void> owner, std::span<std::byte> bytes,
                                      const std::string& path) {
  auto content = std::make_shared<Content>();
  content->header = parse_safetensors_header(bytes, path);
  content->owner = std::move(owner);
  content->bytes = bytes;
  content->path = path;
  SafetensorsFile file;
  file.content_ = std::move(content);
  return file;
}

SafetensorsFile SafetensorsFile::open(const std::string& path, FileSystem& fs) {
  const auto mapping = std::make_shared<MappedFile>(path, fs);
  return make(mapping, mapping->bytes(), path);
}

SafetensorsFile SafetensorsFile::from_memory(std::span<const std::byte> bytes, const std::string& name) {
  const auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  return make(copy, *copy, name);
}

std::vector<std::string> SafetensorsFile::names() const {
  std::vector<std::string> names;
  for (const auto& [name, info] : content_->header.tensors) names.push_back(name);
  return names;
}

const SafetensorsInfo& SafetensorsFile::info(const std::string& name) const {
  const auto found = content_->header.tensors.find(name);
  check<IoError>(found != content_->header.tensors.end(), "safetensors: ", path(), ": has no tensor \"", name, "\"");
  return found->second;
}

Tensor SafetensorsFile::tensor(const std::string& name) const {
  const SafetensorsInfo& found = info(name);
  std::byte* data = content_->bytes.data() + content_->header.data_start + found.begin;
  return tensor_in_memory(content_->owner, data, Shape(found.shape), found.dtype,
                          "safetensors: " + path() + ": tensor \"" + name + "\"");
}

ShardedSafetensors ShardedSafetensors::open(const std::string& folder, FileSystem& fs) {
  ShardedSafetensors set;
  set.folder_ = folder;
  if (exists(folder + single_name, fs)) {
    set.files_.push_back(SafetensorsFile::open(folder + single_name, fs));
    for (const std::string& name : set.files_.front().names()) set.file_of_[name] = 0;
    return set;
  }
  check<IoError>(exists(folder + index_name, fs), "safetensors: ", folder,
                 ": has neither model.safetensors nor model.safetensors.index.json");
  for (const auto& [shard, listed] : read_index(folder + index_name, fs)) set.add_shard(shard, listed, fs);
  return set;
}

void ShardedSafetensors::add_shard(const std::string& shard, const std::vector<std::string>& listed, FileSystem& fs) {
  const SafetensorsFile file = SafetensorsFile::open(folder_ + "/" + shard, fs);
  for (const std::string& name : listed) {
    check<IoError>(file.contains(name), "safetensors: ", file.path(), ": the index lists tensor \"", name,
                   "\" here, the file does not have it");
    file_of_[name] = files_.size();
  }
  for (const std::string& name : file.names()) {
    const auto found = file_of_.find(name);
    check<IoError>(found != file_of_.end() && found->second == files_.size(), "safetensors: ", file.path(),
                   ": tensor \"", name, "\" is not listed here in the index");
  }
  files_.push_back(file);
}

std::vector<std::string> ShardedSafetensors::names() const {
  std::vector<std::string> names;
  for (const auto& [name, file] : file_of_) names.push_back(name);
  return names;
}

const SafetensorsFile& ShardedSafetensors::file(const std::string& name) const {
  const auto found = file_of_.find(name);
  check<IoError>(found != file_of_.end(), "safetensors: ", folder_, ": has no tensor \"", name, "\"");
  return files_[found->second];
}

}  // namespace hearth
