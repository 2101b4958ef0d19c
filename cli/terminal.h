// The terminal: a progress line that rewrites itself, or plain lines where there is no terminal.
#pragma once

#include <cstdint>
#include <string>

namespace hearth::cli {

/// 1234567 as "1,234,567".
std::string with_commas(int64_t number);
/// 3725 seconds as "1:02:05", 65 as "1:05".
std::string clock_time(double seconds);
/// 1536 bytes as "1.5 KiB".
std::string byte_size(double bytes);

/// Progress of a run on standard error. On a terminal one line is drawn over and over; elsewhere a plain line is
/// written at the first and last step and about every ten seconds.
class ProgressBar {
 public:
  ProgressBar(int64_t total, int64_t done);
  ~ProgressBar();
  /// `text` stands behind the bar: "loss 1.234".
  void update(int64_t done, const std::string& text);
  /// A line above the bar.
  void note(const std::string& line);
  /// Leaves the last state on the screen and moves on.
  void finish();

 private:
  void draw();
  bool terminal_;
  int64_t total_, first_, done_;
  double begun_, last_drawn_ = 0;
  std::string text_;
  bool open_ = false;
};

}  // namespace hearth::cli
