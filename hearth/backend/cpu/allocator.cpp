// The CPU's caching allocator: per-thread lists for small blocks, one locked set of lists for large ones.
#include "hearth/backend/cpu/allocator.h"

#include <sanitizer/asan_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include "hearth/core/error.h"

namespace hearth::cpu {

namespace {

constexpr size_t alignment = 64;
constexpr size_t mapped_from = size_t(1) << 20;
constexpr size_t huge_page = size_t(2) << 20;
constexpr int class_count = 4 * 48;
constexpr int small_classes = 4 * 13;  // up to 8 KiB: cached per thread
constexpr int thread_cache_depth = 64;

/// Size classes have four steps per doubling, so at most a quarter of a block is unused.
int size_class(size_t bytes) {
  if (bytes <= alignment) return 0;
  const int top = int(std::bit_width(bytes - 1)) - 1;
  const int step = int(((bytes - 1) >> (top - 2)) & 3);
  return (top - 6) * 4 + step + 1;
}

size_t class_bytes(int index) {
  if (index == 0) return alignment;
  const int top = (index - 1) / 4 + 6;
  const size_t step = size_t((index - 1) % 4 + 1);
  return (size_t(1) << top) + (step << (top - 2));
}

size_t round_up(size_t bytes, size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Blocks are cached, so AddressSanitizer must be told which of their bytes are in use. Nothing without it.
void mark_in_use([[maybe_unused]] void* block, [[maybe_unused]] size_t bytes, [[maybe_unused]] size_t size) {
  ASAN_UNPOISON_MEMORY_REGION(block, bytes);
  ASAN_POISON_MEMORY_REGION(static_cast<char*>(block) + bytes, size - bytes);
}
void mark_free([[maybe_unused]] void* block, [[maybe_unused]] size_t size) { ASAN_POISON_MEMORY_REGION(block, size); }
void forget_marks([[maybe_unused]] void* block, [[maybe_unused]] size_t size) {
  ASAN_UNPOISON_MEMORY_REGION(block, size);
}

size_t parse_limit(const char* text) {
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  double unit = 1;
  if (*end == 'K' || *end == 'k')
    unit = 1024.0, ++end;
  else if (*end == 'M' || *end == 'm')
    unit = 1048576.0, ++end;
  else if (*end == 'G' || *end == 'g')
    unit = 1073741824.0, ++end;
  check<ValueError>(end != text && *end == 0 && value > 0, "HEARTH_MEMORY_LIMIT: not a size: '", text,
                    "'; write bytes or a number with K, M or G");
  return size_t(value * unit);
}

size_t memory_limit() {
  if (const char* text = std::getenv("HEARTH_MEMORY_LIMIT")) return parse_limit(text);
  return size_t(sysconf(_SC_PHYS_PAGES)) * size_t(sysconf(_SC_PAGE_SIZE));
}

struct ThreadCache {
  std::vector<void*> free[small_classes];
  bool alive = true;
  ~ThreadCache() {
    alive = false;
    for (auto& list : free)
      for (void* block : list) std::free(block);
  }
};
thread_local ThreadCache thread_cache;

class CpuAllocator final : public Allocator {
 public:
  CpuAllocator() : limit_(memory_limit()) {}

  void* allocate(size_t bytes) override {
    const int index = size_class(bytes);
    if (index >= class_count) out_of_memory(bytes);
    const size_t size = class_bytes(index);
    account(size, bytes);
    if (index < small_classes) {
      auto& list = thread_cache.free[index];
      if (!list.empty()) {
        void* block = list.back();
        list.pop_back();
        mark_in_use(block, bytes, size);
        return block;
      }
    } else {
      std::lock_guard lock(mutex_);
      if (!free_[index].empty()) {
        void* block = free_[index].back();
        free_[index].pop_back();
        mark_in_use(block, bytes, size);
        return block;
      }
    }
    void* block = fresh(size);
    if (!block) {
      trim();
      block = fresh(size);
    }
    if (!block) {
      in_use_.fetch_sub(size, std::memory_order_relaxed);
      out_of_memory(bytes);
    }
    mark_in_use(block, bytes, size);
    return block;
  }

  void deallocate(void* data, size_t bytes) override {
    const int index = size_class(bytes);
    in_use_.fetch_sub(class_bytes(index), std::memory_order_relaxed);
    mark_free(data, class_bytes(index));
    if (index < small_classes) {
      auto& list = thread_cache.free[index];
      if (thread_cache.alive && list.size() < thread_cache_depth)
        list.push_back(data);
      else
        give_back(data, class_bytes(index));
      return;
    }
    std::lock_guard lock(mutex_);
    free_[index].push_back(data);
  }

  AllocatorStats stats() const override { return {in_use_.load(), peak_.load(), reserved_.load()}; }
  void reset_peak() override { peak_.store(in_use_.load()); }

  void trim() override {
    std::lock_guard lock(mutex_);
    for (int i = small_classes; i < class_count; ++i) {
      for (void* block : free_[i]) give_back(block, class_bytes(i));
      free_[i].clear();
    }
  }

 private:
  void account(size_t size, size_t bytes) {
    const size_t now = in_use_.fetch_add(size, std::memory_order_relaxed) + size;
    if (now > limit_) [[unlikely]] {
      in_use_.fetch_sub(size, std::memory_order_relaxed);
      out_of_memory(bytes);
    }
    size_t peak = peak_.load(std::memory_order_relaxed);
    while (now > peak && !peak_.compare_exchange_weak(peak, now, std::memory_order_relaxed)) {
    }
    if (reserved_.load(std::memory_order_relaxed) > limit_) trim();
  }

  void* fresh(size_t size) {
    void* block = nullptr;
    if (size < mapped_from) {
      block = std::aligned_alloc(alignment, round_up(size, alignment));
    } else {
      const size_t mapped = round_up(size, huge_page);
      block = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (block == MAP_FAILED) return nullptr;
      madvise(block, mapped, MADV_HUGEPAGE);
    }
    if (block) reserved_.fetch_add(size, std::memory_order_relaxed);
    return block;
  }

  void give_back(void* block, size_t size) {
    reserved_.fetch_sub(size, std::memory_order_relaxed);
    forget_marks(block, size);
    if (size < mapped_from)
      std::free(block);
    else
      munmap(block, round_up(size, huge_page));
  }

  [[noreturn]] void out_of_memory(size_t bytes) const {
    fail<OutOfMemoryError>("allocate: not enough memory: wanted ", bytes, " bytes, in use ", in_use_.load(), ", limit ",
                           limit_);
  }

  const size_t limit_;
  std::atomic<size_t> in_use_{0}, peak_{0}, reserved_{0};
  std::mutex mutex_;
  std::vector<void*> free_[class_count];
};

}  // namespace

Allocator& cpu_allocator() {
  // Never destroyed: tensors with static storage duration may be freed after it.
  static CpuAllocator* instance = new CpuAllocator;
  return *instance;
}

}  // namespace hearth::cpu
