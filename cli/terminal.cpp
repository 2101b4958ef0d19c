// The terminal: a progress line that rewrites itself, or plain lines where there is no terminal.
#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace hearth::cli {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

int terminal_width() {
  winsize size = {};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

/// A bar in eighths of a character, so that it grows smoothly.
std::string bar(double share, int width) {
  static const char* eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int steps = int(std::clamp(share, 0.0, 1.0) * width * 8);
  std::string out;
  for (int i = 0; i < steps / 8; ++i) out += "█";
  out += eighths[steps % 8];
  for (int i = (steps + 7) / 8; i < width; ++i) out += "·";
  return out;
}

}  // namespace

std::string with_commas(int64_t number) {
  std::string digits = std::to_string(number < 0 ? -number : number), out;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return (number < 0 ? "-" : "") + out;
}

std::string clock_time(double seconds) {
  const int64_t s = int64_t(seconds + 0.5);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string byte_size(double bytes) {
  static const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) bytes /= 1024, ++unit;
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, units[unit]);
}

ProgressBar::ProgressBar(int64_t total, int64_t done)
    : terminal_(isatty(STDERR_FILENO)), total_(std::max<int64_t>(total, 1)), first_(done), done_(done), begun_(now()) {}

ProgressBar::~ProgressBar() { finish(); }

void ProgressBar::update(int64_t done, const std::string& text) {
  done_ = done;
  text_ = text;
  open_ = true;
  const double at = now();
  const bool due = at - last_drawn_ >= (terminal_ ? 0.1 : 10.0);
  if (!due && done != total_ && done != first_ + 1) return;
  last_drawn_ = at;
  draw();
}

void ProgressBar::draw() {
  const double elapsed = now() - begun_;
  const double share = double(done_) / double(total_);
  const double left = done_ > first_ ? elapsed / double(done_ - first_) * double(total_ - done_) : 0;
  const std::string count = fmt::format("{}/{}", done_, total_);
  const std::string end =
      done_ == total_ ? fmt::format("{} in all", clock_time(elapsed)) : fmt::format("{} left", clock_time(left));
  if (!terminal_) {
    fmt::print(stderr, "step {}  {}  {}\n", count, text_, end);
    return;
  }
  const int width = terminal_width();
  const int room = width - int(count.size() + text_.size() + end.size()) - 8;
  const std::string drawn = room >= 8 ? bar(share, std::min(room, 40)) + "  " : "";
  fmt::print(stderr, "\r\x1b[K{}  {}{}  {}", count, drawn, text_, end);
  std::fflush(stderr);
}

void ProgressBar::note(const std::string& line) {
  if (terminal_ && open_) fmt::print(stderr, "\r\x1b[K");
  fmt::print(stderr, "{}\n", line);
  if (terminal_ && open_) draw();
}

void ProgressBar::finish() {
  if (!open_) return;
  open_ = false;
  if (!terminal_) return;
  draw();
  fmt::print(stderr, "\n");
}

}  // namespace hearth::cli
