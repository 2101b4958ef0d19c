// Tests of the instruction set choice: the environment caps it downwards, and unknown names are refused.
#include "hearth/backend/cpu/isa.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "hearth/core/error.h"

namespace hearth::cpu {
namespace {

Isa named(const std::string& name) {
  return name == "avx512" ? Isa::avx512 : name == "avx2" ? Isa::avx2 : Isa::generic;
}

/// Runs one test of this program in a child process with HEARTH_ISA set; true if it passed.
bool passes_with(const char* value, const char* test) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("HEARTH_ISA", value, 1);
    const std::string filter = std::string("--gtest_filter=") + test;
    execl("/proc/self/exe", "test", filter.c_str(), "--gtest_brief=1", static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

TEST(Isa, FollowsTheEnvironment) {
  const char* text = std::getenv("HEARTH_ISA");
  const std::string name = text ? text : "";
  if (name == "sse9") {
    try {
      isa();
      FAIL() << "an unknown name was accepted";
    } catch (const ValueError& e) {
      EXPECT_NE(std::string(e.what()).find("generic, avx2, avx512"), std::string::npos) << e.what();
    }
  } else if (name.empty()) {
    EXPECT_EQ(isa(), best_isa());
  } else {
    EXPECT_EQ(isa(), std::min(named(name), best_isa()));
    EXPECT_TRUE(!has_avx512_bf16() || isa() == Isa::avx512);
    EXPECT_TRUE(!has_amx_bf16() || isa() == Isa::avx512);
  }
}

TEST(Isa, EnvironmentIsReadInAChildProcess) {
  for (const char* value : {"generic", "avx2", "avx512", "sse9", ""})
    EXPECT_TRUE(passes_with(value, "Isa.FollowsTheEnvironment")) << "HEARTH_ISA=" << value;
}

TEST(Isa, OverrideIsCappedByTheProcessor) {
  const Isa before = isa();
  set_isa(Isa::generic);
  EXPECT_EQ(isa(), Isa::generic);
  EXPECT_FALSE(has_avx512_bf16());
  set_isa(before);
  EXPECT_EQ(isa(), before);
  if (best_isa() < Isa::avx512) {
    EXPECT_THROW(set_isa(Isa::avx512), ValueError);
  }
}

TEST(Isa, NamesAreThoseOfTheEnvironmentVariable) {
  for (Isa each : {Isa::generic, Isa::avx2, Isa::avx512}) EXPECT_EQ(named(std::string(isa_name(each))), each);
}

}  // namespace
}  // namespace hearth::cpu
