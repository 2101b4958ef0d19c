// hearth key: API keys of a server. Keys are shown once, when they are made; the file holds their hashes.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <memory>

#include "cli/command.h"
#include "hearth/core/error.h"
#include "server/http/keys.h"

namespace hearth::cli {

namespace {

struct KeyCommand {
  std::string file, name;
};

/// Adds a line to the file, which only its owner may read; a file that is there is checked first.
int add_key(const KeyCommand& c) {
  if (::access(c.file.c_str(), F_OK) == 0) {
    struct stat status {};
    check<IoError>(::stat(c.file.c_str(), &status) == 0, "key: cannot read ", c.file, ": ", strerror(errno));
    if (status.st_size > 0) server::Keys::load(c.file);
  }
  const std::string key = server::new_key();
  const std::string line = server::keys_line(c.name, key) + "\n";
  const int fd = ::open(c.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  check<IoError>(fd >= 0, "key: cannot write ", c.file, ": ", strerror(errno));
  const bool written = ::write(fd, line.data(), line.size()) == ssize_t(line.size()) && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  check<IoError>(written, "key: cannot write ", c.file, ": ", strerror(error));
  fmt::print("{}\n", key);
  if (isatty(STDERR_FILENO))
    fmt::print(stderr, "This is the only time that the key is shown. Restart the server to use it.\n");
  return exit_done;
}

}  // namespace

void add_key(CLI::App& app, Action& action) {
  auto command = std::make_shared<KeyCommand>();
  CLI::App* key = app.add_subcommand("key", "API keys of a server");
  key->require_subcommand(1);
  CLI::App* add = key->add_subcommand("add", "Make a key for somebody, print it, and add it to the file of keys");
  add->add_option("NAME", command->name, "Whose it is: letters, digits, '.', '_', '-'")->required();
  add->add_option("--keys", command->file, "The file that hearth serve --keys reads")->required();
  add->callback([command, &action] { action = [command] { return add_key(*command); }; });
}

}  // namespace hearth::cli
