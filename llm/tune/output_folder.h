// OutputFolder: where a run writes, taken away again when the run comes to nothing.
#pragma once

#include <optional>
#include <string>

namespace hearth::llm {

/// Makes the folder that a run writes to. Unless `keep` was called, the destructor removes what was not there before:
/// the folder and the parents made for it, or what came into a folder that was empty.
/// Example: OutputFolder out("tune", path, resume); train(); out.keep();
class OutputFolder {
 public:
  /// `resume`: whether a run in the folder may be gone on with; nothing where that is not possible at all. Raises
  /// ValueError `WHAT: output exists: PATH` when there is something at `path` otherwise, and IoError when the folder
  /// cannot be made.
  OutputFolder(const std::string& what, const std::string& path, std::optional<bool> resume = {});
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  void keep() { kept_ = true; }

 private:
  std::string path_;
  std::string made_;  ///< the outermost folder that was made; empty when the folder was there
  bool kept_ = false;
};

}  // namespace hearth::llm
