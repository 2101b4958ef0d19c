// Checkpoints of a run.
#include "llm/tune/checkpoint.h"

#include <fcntl.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <filesystem>
#include <vector>

#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "hearth/io/json.h"
#include "hearth/io/safetensors.h"

namespace hearth::llm {

namespace fs = std::filesystem;

namespace {

std::string step_name(int64_t step) {
  char name[32];
  std::snprintf(name, sizeof name, "step-%08lld", static_cast<long long>(step));
  return name;
}

void sync_folder(const std::string& path) {
  FileSystem& system = real_file_system();
  const FileDescriptor folder(system, "checkpoint", path, O_RDONLY | O_DIRECTORY);
  check<IoError>(system.fsync(folder.get()) == 0, "checkpoint: ", errno_reason(errno), ": ", path);
}

/// Complete checkpoints, oldest first.
std::vector<std::string> complete_checkpoints(const std::string& folder) {
  std::vector<std::string> found;
  if (!fs::is_directory(folder)) return found;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("step-")) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

void save_checkpoint(const std::string& out, const TuneState& state, const Trainable& trainable,
                     const nn::StateDict& optimizer, const std::string& base, int keep) {
  const std::string folder = out + "/checkpoints", aside = folder + "/writing-" + step_name(state.step);
  const std::string final_path = folder + "/" + step_name(state.step);
  fs::create_directories(folder);
  fs::remove_all(aside);
  fs::create_directories(aside);
  try {
    trainable.save(aside, base);
    save_safetensors(aside + "/optimizer.safetensors", optimizer);
    boost::json::object json;
    json["step"] = state.step;
    json["epoch"] = state.position.epoch;
    json["index"] = state.position.index;
    json["fingerprint"] = state.position.fingerprint;
    json["options"] = boost::json::parse(state.options);
    write_file_atomic(aside + "/state.json", boost::json::serialize(json) + "\n");
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(aside, ignored);
    throw;
  }
  sync_folder(aside);
  fs::remove_all(final_path);
  fs::rename(aside, final_path);
  sync_folder(folder);
  std::vector<std::string> all = complete_checkpoints(folder);
  for (size_t i = 0; i + size_t(keep) < all.size(); ++i) fs::remove_all(all[i]);
}

std::optional<std::string> newest_checkpoint(const std::string& out) {
  const std::string folder = out + "/checkpoints";
  if (!fs::is_directory(folder)) return {};
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with("writing-")) fs::remove_all(entry.path());
  const std::vector<std::string> all = complete_checkpoints(folder);
  if (all.empty()) return {};
  return all.back();
}

TuneState read_checkpoint(const std::string& folder, nn::StateDict& optimizer) {
  const std::string path = folder + "/state.json";
  const boost::json::value value = read_json(path);
  const JsonObject json(value, path);
  TuneState state;
  state.step = json.get_int("step");
  state.position.epoch = json.get_int("epoch");
  state.position.index = json.get_int("index");
  const boost::json::value* fingerprint = json.find("fingerprint");
  check<ValueError>(fingerprint && fingerprint->is_number(), path, ": fingerprint: is missing");
  state.position.fingerprint = fingerprint->to_number<uint64_t>();
  state.options = boost::json::serialize(*json.find("options"));
  const SafetensorsFile file = SafetensorsFile::open(folder + "/optimizer.safetensors");
  for (const std::string& name : file.names()) optimizer[name] = file.tensor(name);
  return state;
}

}  // namespace hearth::llm
