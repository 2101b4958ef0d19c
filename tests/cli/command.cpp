// Running the hearth command as a child process.
#include "cli/command.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace hearth::cli_test {

namespace {

[[noreturn]] void become(const std::vector<std::string>& arguments, const Setting& setting, const std::string& folder) {
  const auto redirect = [](const std::string& path, int to, int flags) {
    const int fd = open(path.c_str(), flags, 0600);
    if (fd < 0 || dup2(fd, to) < 0) _exit(125);
  };
  redirect("/dev/null", STDIN_FILENO, O_RDONLY);
  redirect(folder + "/stdout", STDOUT_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
  redirect(folder + "/stderr", STDERR_FILENO, O_WRONLY | O_CREAT | O_TRUNC);
  setenv("HEARTH_NUM_THREADS", "1", 1);
  for (const std::string& entry : setting.environment) {
    const size_t equals = entry.find('=');
    setenv(entry.substr(0, equals).c_str(), entry.substr(equals + 1).c_str(), 1);
  }
  if (setting.largest_file != RLIM_INFINITY) {
    const rlimit limit = {setting.largest_file, setting.largest_file};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(125);
    signal(SIGXFSZ, SIG_IGN);
  }
  std::vector<char*> argv = {const_cast<char*>("hearth")};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(HEARTH_COMMAND, argv.data());
  _exit(126);
}

/// Waits for the moment that the setting names and sends the signal, unless the child has ended before.
void disturb(pid_t child, const Setting& setting) {
  const auto begun = std::chrono::steady_clock::now();
  siginfo_t info = {};
  while (waitid(P_PID, id_t(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == 0) {
    const auto passed = std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begun);
    const bool now = setting.wait_for.empty() ? passed.count() >= setting.kill_after_us : fs::exists(setting.wait_for);
    if (now) {
      kill(child, setting.signal);
      return;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
}

}  // namespace

Outcome hearth_command(const std::vector<std::string>& arguments, const Setting& setting) {
  const TempFolder folder;
  const pid_t child = fork();
  if (child == 0) become(arguments, setting, folder.path());
  if (setting.signal != 0) disturb(child, setting);
  int status = 0;
  rusage usage = {};
  Outcome outcome;
  if (wait4(child, &status, 0, &usage) != child) return outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = contents(folder / "stdout");
  outcome.err = contents(folder / "stderr");
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) * 1e-6; };
  outcome.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  return outcome;
}

TempFolder::TempFolder() {
  std::string name = (fs::temp_directory_path() / "hearth-cli-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void write(const std::string& path, const std::string& text) {
  fs::create_directories(fs::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

std::map<std::string, std::string> snapshot(const std::string& folder) {
  std::map<std::string, std::string> files;
  if (!fs::exists(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    files[fs::relative(entry.path(), folder)] = entry.is_regular_file() ? contents(entry.path()) : "(folder)";
  return files;
}

const std::string& tiny_model() {
  static const TempFolder folder;
  static const std::string path = [] {
    std::string text;
    for (int i = 0; i < 12; ++i)
      text += "The cat number " + std::to_string(i) + " sat on a mat and saw the dog run to the tree.<|endoftext|>";
    write(folder / "text.txt", text);
    const std::string out = folder / "model";
    const Outcome made = hearth_command({"pretrain",
                                         folder / "text.txt",
                                         "-o",
                                         out,
                                         "--vocab-size",
                                         "300",
                                         "--hidden-size",
                                         "32",
                                         "--layers",
                                         "2",
                                         "--heads",
                                         "4",
                                         "--kv-heads",
                                         "2",
                                         "--context",
                                         "64",
                                         "--steps",
                                         "3",
                                         "--batch-size",
                                         "2",
                                         "--dtype",
                                         "float32"});
    EXPECT_EQ(made.code, 0) << made.err;
    fs::remove_all(out + "/checkpoints");
    return out;
  }();
  return path;
}

std::string completion_rows() {
  std::string rows;
  for (int i = 0; i < 40; ++i)
    rows += R"({"prompt": "cat )" + std::to_string(i) + R"( ", "completion": "sat on mat )" + std::to_string(i * 7) +
            "\"}\n";
  return rows;
}

}  // namespace hearth::cli_test
