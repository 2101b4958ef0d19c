// Parallel loops on OpenMP: chunks are handed out dynamically in small runs, so uneven cores do not stall a loop.
#include "hearth/backend/cpu/parallel.h"

#include <omp.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <string>

#include "hearth/core/error.h"
#include "hearth/core/long_work.h"

namespace hearth::cpu {
namespace {

constexpr int most_threads = 1024;
thread_local bool inside_loop = false;
std::atomic<int> chosen_threads{0};

int threads_from_environment() {
  const char* text = std::getenv("HEARTH_NUM_THREADS");
  if (text == nullptr || *text == '\0') return std::clamp(omp_get_max_threads(), 1, most_threads);
  char* rest = nullptr;
  const long count = std::strtol(text, &rest, 10);
  check<ValueError>(*rest == '\0' && count >= 1 && count <= most_threads,
                    "HEARTH_NUM_THREADS: must be a whole number from 1 to ", most_threads, ": got '", text, "'");
  return int(count);
}

/// What the threads of one loop share.
struct Loop {
  int64_t chunks;
  int64_t run;  // chunks taken at a time
  detail::ChunkFunction function;
  void* context;
  std::atomic<int64_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  int64_t failed_chunk = 0;
  std::exception_ptr failure;

  void note_failure(int64_t chunk) {
    std::lock_guard lock(mutex);
    if (!failure || chunk < failed_chunk) {
      failed_chunk = chunk;
      failure = std::current_exception();
    }
    failed.store(true, std::memory_order_relaxed);
  }

  void work() {
    while (!failed.load(std::memory_order_relaxed)) {
      const int64_t first = next.fetch_add(run, std::memory_order_relaxed);
      if (first >= chunks) return;
      const int64_t last = std::min(chunks, first + run);
      for (int64_t chunk = first; chunk < last; ++chunk) {
        try {
          function(context, chunk);
        } catch (...) {
          note_failure(chunk);
          return;
        }
      }
    }
  }
};

}  // namespace

SerialScope::SerialScope() : before_(inside_loop) { inside_loop = true; }
SerialScope::~SerialScope() { inside_loop = before_; }

int num_threads() {
  const int chosen = chosen_threads.load(std::memory_order_relaxed);
  if (chosen > 0) return chosen;
  static const int initial = threads_from_environment();
  return initial;
}

void set_num_threads(int count) {
  check<ValueError>(count >= 1 && count <= most_threads, "set_num_threads: must be from 1 to ", most_threads, ": got ",
                    count);
  chosen_threads.store(count, std::memory_order_relaxed);
}

bool in_parallel() { return inside_loop || omp_in_parallel(); }

int apply_num_threads() {
  const int threads = in_parallel() ? 1 : num_threads();
  if (omp_get_max_threads() != threads) omp_set_num_threads(threads);
  return threads;
}

namespace detail {

void run_chunks(int64_t chunks, ChunkFunction function, void* context) {
  const LongWork work;
  const int threads = in_parallel() ? 1 : int(std::min<int64_t>(num_threads(), chunks));
  if (threads <= 1) {
    for (int64_t chunk = 0; chunk < chunks; ++chunk) function(context, chunk);
    return;
  }
  Loop loop{
      .chunks = chunks, .run = std::max<int64_t>(1, chunks / (threads * 8)), .function = function, .context = context};
#pragma omp parallel num_threads(threads)
  {
    const SerialScope inside;
    loop.work();
  }
  if (loop.failure) std::rethrow_exception(loop.failure);
}

}  // namespace detail

}  // namespace hearth::cpu
