// OutputFolder: where a run writes.
#include "llm/tune/output_folder.h"

#include <filesystem>

#include "hearth/core/error.h"
#include "hearth/io/file.h"

namespace hearth::llm {

namespace fs = std::filesystem;

OutputFolder::OutputFolder(const std::string& what, const std::string& path, std::optional<bool> resume) : path_(path) {
  check<ValueError>(!path.empty(), what, ": no output folder given");
  std::error_code error;
  const bool folder = fs::is_directory(path, error), there = fs::exists(fs::symlink_status(path, error));
  const bool used = there && !(folder && fs::is_empty(path, error));
  check<ValueError>(!used || (folder && resume.value_or(false)), what, ": output exists: ", path,
                    "; choose another folder", folder && resume ? ", or --resume to go on with that run" : "");
  kept_ = used;
  if (!folder) {
    fs::path outermost = fs::absolute(path).lexically_normal();
    if (!outermost.has_filename()) outermost = outermost.parent_path();
    while (outermost.has_parent_path() && !fs::exists(outermost.parent_path(), error))
      outermost = outermost.parent_path();
    fs::create_directories(path, error);
    check<IoError>(!error, what, ": cannot make the output folder: ", error.message(), ": ", path);
    made_ = outermost;
  }
  remove_stale_temporaries(path);
}

OutputFolder::~OutputFolder() {
  if (kept_) return;
  std::error_code ignored;
  if (!made_.empty()) {
    fs::remove_all(made_, ignored);
    return;
  }
  for (const auto& entry : fs::directory_iterator(path_, ignored)) fs::remove_all(entry.path(), ignored);
}

}  // namespace hearth::llm
