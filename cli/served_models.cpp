// served_models: reads --model, finds the bundled one.
#include "cli/served_models.h"

#include <filesystem>

#include "hearth/core/error.h"

namespace hearth::cli {

namespace {

namespace fs = std::filesystem;

/// The folder of the model that comes with hearth: beside the program's tree, or where it was installed.
std::string bundled_model() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (const fs::path& folder :
       {program.parent_path() / "../models/stories-2m", program.parent_path() / "../share/hearth/models/stories-2m",
        fs::path("models/stories-2m")})
    if (fs::exists(folder / "config.json", error)) return fs::weakly_canonical(folder).string();
  fail<IoError>("serve: the bundled model is not there; name one with --model NAME=FOLDER");
}

server::ServedModel served_model(const std::string& text) {
  const size_t equal = text.find('=');
  server::ServedModel model{text.substr(0, equal), equal == std::string::npos ? text : text.substr(equal + 1)};
  check<ValueError>(!model.name.empty() && !model.folder.empty(), "--model: wants NAME=FOLDER, is ", text);
  check<ValueError>(model.name.find(':') == std::string::npos && model.name.find(';') == std::string::npos,
                    "--model: a name must not hold ':' or ';', which clients take for something else: ", model.name);
  std::error_code error;
  check<IoError>(fs::is_directory(model.folder, error), "--model: no folder: ", model.folder);
  model.folder = fs::weakly_canonical(model.folder).string();
  return model;
}

}  // namespace

std::vector<server::ServedModel> served_models(const std::vector<std::string>& texts) {
  std::vector<server::ServedModel> models;
  for (const std::string& text : texts) models.push_back(served_model(text));
  if (models.empty()) models.push_back({"stories-2m", bundled_model()});
  return models;
}

}  // namespace hearth::cli
