// hearth serve as a child process: --check, a start, an answer, a stop by SIGTERM; hearth key.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"

namespace hearth::cli_test {
namespace {

std::string model_option() { return "tiny=" + tiny_model(); }

TEST(ServeCheck, SaysThatSettingsAreFineAndWritesNothing) {
  const TempFolder folder;
  const Outcome outcome = hearth_command(
      {"serve", "--check", "--model", model_option(), "--data", folder / "data", "--bind", "[::1]:8000"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("the settings are fine"), std::string::npos);
  EXPECT_NE(outcome.out.find("model tiny"), std::string::npos);
  EXPECT_TRUE(snapshot(folder.path()).empty());
}

/// What `hearth serve --check` says against some options; "fine" where nothing.
std::string complaint(std::vector<std::string> options) {
  options.insert(options.begin(), {"serve", "--check", "--model", model_option()});
  const Outcome outcome = hearth_command(options);
  EXPECT_TRUE(outcome.code == 0 || outcome.code == 2) << outcome.code << outcome.err;
  return outcome.code == 0 ? "fine" : outcome.err;
}

TEST(ServeCheck, NamesTheSettingThatIsWrong) {
  const TempFolder folder;
  write(folder / "keys", "ada tml-0123456789\n");
  const auto says = [](const std::vector<std::string>& options, const std::string& word) {
    const std::string text = complaint(options);
    EXPECT_NE(text.find(word), std::string::npos) << options[0] << ": " << text;
  };
  says({"--bind", "0.0.0.0:8000"}, "--keys FILE");
  says({"--bind", "8000"}, "bind");
  says({"--keys", folder / "none"}, "keys: cannot read");
  says({"--keys", folder / "keys"}, "keys:1");
  says({"--model", "other=/nonexistent"}, "/nonexistent");
  says({"--tls-cert", folder / "cert.pem"}, "only one of them");
  says({"--tls-cert", folder / "cert.pem", "--tls-key", folder / "key.pem"}, "cert.pem");
  says({"--log", "loud"}, "loud");
  says({"--memory", "much"}, "--memory");
  says({"--training-share", "2"}, "--training-share");
  EXPECT_EQ(complaint({"--keys", folder / "keys"}).find("tml-"), std::string::npos);
}

TEST(Key, AddsAKeyThatServeTakes) {
  const TempFolder folder;
  const std::string file = folder / "keys";
  const Outcome made = hearth_command({"key", "add", "ada", "--keys", file});
  ASSERT_EQ(made.code, 0) << made.err;
  EXPECT_EQ(made.out.substr(0, 4), "tml-");
  EXPECT_EQ(contents(file).find(made.out.substr(4, 40)), std::string::npos);
  struct stat status {};
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(complaint({"--keys", file, "--bind", "0.0.0.0:8000"}), "fine");
  EXPECT_EQ(hearth_command({"key", "add", "a/b", "--keys", file}).code, 2);
}

/// A server that runs until it is told to stop.
class Serving {
 public:
  explicit Serving(const std::string& data) {
    const std::string model = model_option();  // made here once, not in every child
    int ends[2];
    if (pipe(ends) != 0) return;
    process_ = fork();
    if (process_ == 0) {
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      close(ends[1]);
      execl(HEARTH_COMMAND, "hearth", "serve", "--model", model.c_str(), "--data", data.c_str(), "--bind",
            "127.0.0.1:0", "--log", "off", nullptr);
      _exit(127);
    }
    close(ends[1]);
    char letter;
    while (line.find('\n') == std::string::npos && read(ends[0], &letter, 1) == 1) line += letter;
    close(ends[0]);
  }
  ~Serving() {
    if (process_ > 0) stop(SIGKILL);
  }
  /// The exit code; 128 + signal where it was killed.
  int stop(int signal) {
    int status = 0;
    kill(process_, signal);
    waitpid(process_, &status, 0);
    process_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::string get(const std::string& path) const {
    const int connection = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(std::stoi(line.substr(line.rfind(':') + 1))));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    std::string answer;
    if (connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
        write(connection, request.data(), request.size()) == ssize_t(request.size())) {
      char bytes[4096];
      for (ssize_t n; (n = read(connection, bytes, sizeof bytes)) > 0;) answer.append(bytes, size_t(n));
    }
    close(connection);
    return answer;
  }

  std::string line;  // what it said when it was ready

 private:
  pid_t process_ = -1;
  static ssize_t write(int file, const char* bytes, size_t size) { return ::write(file, bytes, size); }
};

TEST(Serve, AnswersAndStopsWhenItIsTold) {
  const TempFolder folder;
  for (const int signal : {SIGTERM, SIGINT}) {
    Serving serving(folder / "data");
    ASSERT_EQ(serving.line.find("hearth serves tiny at http://127.0.0.1:"), 0u) << serving.line;
    EXPECT_EQ(serving.get("/api/v1/healthz").substr(0, 15), "HTTP/1.1 200 OK");
    EXPECT_EQ(serving.get("/nowhere").substr(0, 12), "HTTP/1.1 404");
    EXPECT_NE(serving.get("/metrics").find("hearth_http_requests_total"), std::string::npos);
    EXPECT_EQ(serving.stop(signal), 0);
  }
}

}  // namespace
}  // namespace hearth::cli_test
