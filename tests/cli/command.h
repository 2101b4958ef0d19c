// Running the hearth command as a child process, with a tiny model to work on.
#pragma once

#include <sys/resource.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace hearth::cli_test {

namespace fs = std::filesystem;

/// What a finished command left.
struct Outcome {
  int code = -1;  ///< exit code; 128 + signal when it was killed
  std::string out, err;
  double cpu_seconds = 0;
};

/// How a command is run besides its arguments.
struct Setting {
  std::vector<std::string> environment;  ///< NAME=VALUE
  int64_t kill_after_us = -1;            ///< sends `signal` after so long
  int signal = 0;
  std::string wait_for;                 ///< sends `signal` as soon as this file is there instead
  rlim_t largest_file = RLIM_INFINITY;  ///< bytes that a file may have
};

/// Runs `hearth arguments...` and waits for it; on one thread unless the environment says otherwise.
Outcome hearth_command(const std::vector<std::string>& arguments, const Setting& setting = {});

/// A folder of its own that is removed at the end.
class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string contents(const std::string& path);
void write(const std::string& path, const std::string& text);

/// Every file below a folder with its bytes, by its name relative to it.
std::map<std::string, std::string> snapshot(const std::string& folder);

/// A Llama-style model folder of a few KB with a tokenizer of its own, made once per program by `hearth pretrain`.
const std::string& tiny_model();

/// Forty prompt/completion rows.
std::string completion_rows();

}  // namespace hearth::cli_test
