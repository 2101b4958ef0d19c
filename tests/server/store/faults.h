// Faults: a file system whose every call can fail, the removing ones too.
#pragma once

#include "hearth/io/faulty_file_system.h"

namespace hearth::server::test {

/// Unlike its base, fails unlink as well, and can fail every call from `fail_from` on, as a dying disk does.
class DyingFileSystem : public hearth::test::FaultyFileSystem {
 public:
  int unlink(const char* path) override { return fails("unlink", false) ? -1 : FileSystem::unlink(path); }
};

}  // namespace hearth::server::test
