// Ctrl-C: asks for a clean stop first.
#include <unistd.h>

#include <csignal>

#include "cli/command.h"

namespace hearth::cli {

namespace {
volatile std::sig_atomic_t signals_seen = 0;

void on_signal(int) {
  signals_seen = signals_seen + 1;
  if (signals_seen > 1) _exit(exit_interrupted);
}
}  // namespace

void watch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return signals_seen > 0; }

}  // namespace hearth::cli
