// Recorded requests of the real client, and golden bytes.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::test {

inline std::string captures_folder() { return std::string(HEARTH_SHARED) + "/reference/tinker-captures-0.38/"; }
inline bool has_captures() { return std::filesystem::exists(captures_folder() + "README.md"); }

inline std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Files of the captures that begin with `prefix` and end in .bin, in order.
inline std::vector<std::string> captured(std::string_view prefix) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(captures_folder())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".bin")) found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline std::string from_hex(std::string_view hex) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) bytes += char(digit(hex[i]) * 16 + digit(hex[i + 1]));
  return bytes;
}

inline constexpr std::string_view golden_request_hex =
    "0a09733a747261696e3a3010011a640a100a0e0a0c05000000060000000700000012300a0d7461726765745f746f6b656e73121f0a18"
    "0600000000000000070000000000000008000000000000001802220103121e0a077765696768747312130a0c000000000000803f0000"
    "003f1801220103220d63726f73735f656e74726f7079";
inline constexpr std::string_view golden_output_hex =
    "0a0f546f7263684c6f737352657475726e12530a0f546f7263684c6f737352657475726e123e0a086c6f6770726f627312320a140000"
    "80bf000000c0000040c0000000bf000080be121800000000000000000c000000000000001400000000000000180118021a130a086c6f"
    "73733a73756d110000000000000440";
inline constexpr std::string_view golden_sample_hex =
    "0a160801120803000000040000001a08000000bf000080bf12080000c07f0000c0bf";

}  // namespace hearth::test
