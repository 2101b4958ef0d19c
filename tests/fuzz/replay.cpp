// Stand-in for libFuzzer where clang is absent: replays files and folders of seeds, then mutations of them, for a
// while.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

using Bytes = std::vector<uint8_t>;

Bytes read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void add_seeds(const std::filesystem::path& path, std::vector<Bytes>& seeds) {
  if (!std::filesystem::is_directory(path)) {
    seeds.push_back(read_file(path));
    return;
  }
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path)) {
    if (entry.is_regular_file()) seeds.push_back(read_file(entry.path()));
  }
}

// One small damage: bits, bytes, a lying length, a cut, a doubled piece.
void mutate(Bytes& bytes, std::mt19937_64& random) {
  const size_t at = bytes.empty() ? 0 : random() % bytes.size();
  switch (random() % 6) {
    case 0:
      if (!bytes.empty()) bytes[at] ^= uint8_t(1u << (random() % 8));
      break;
    case 1:
      if (!bytes.empty()) bytes[at] = uint8_t(random());
      break;
    case 2:
      bytes.resize(at);
      break;
    case 3:
      bytes.insert(bytes.begin() + at, uint8_t(random()));
      break;
    case 4:
      for (size_t i = at; i < bytes.size() && i < at + 8; ++i) bytes[i] = random() % 2 ? 0xff : 0x00;
      break;
    default: {
      const Bytes piece(bytes.begin() + at, bytes.begin() + at + (bytes.size() - at) / 2);
      bytes.insert(bytes.begin() + at, piece.begin(), piece.end());
    }
  }
}

void keep(const std::string& prefix, const Bytes& bytes) {
  std::ofstream(prefix + "crash-last", std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), std::streamsize(bytes.size()));
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = 10;
  uint64_t seed = 1;
  std::string prefix;
  std::vector<Bytes> seeds = {Bytes()};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const std::string value = argument.substr(argument.find('=') + 1);
    if (argument.rfind("-max_total_time=", 0) == 0) seconds = std::atof(value.c_str());
    if (argument.rfind("-seed=", 0) == 0) seed = std::strtoull(value.c_str(), nullptr, 10);
    if (argument.rfind("-artifact_prefix=", 0) == 0) prefix = value;
    if (argument[0] != '-') add_seeds(argument, seeds);
  }
  for (const Bytes& bytes : seeds) LLVMFuzzerTestOneInput(bytes.data(), bytes.size());

  std::mt19937_64 random(seed);
  uint64_t runs = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  for (; std::chrono::steady_clock::now() < end; ++runs) {
    Bytes bytes = seeds[random() % seeds.size()];
    for (uint64_t n = 1 + random() % 4; n > 0 && bytes.size() < 65536; --n) mutate(bytes, random);
    keep(prefix, bytes);
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  std::filesystem::remove(prefix + "crash-last");
  std::printf("replayed %zu seeds and %llu mutations\n", seeds.size(), static_cast<unsigned long long>(runs));
}
