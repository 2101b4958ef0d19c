// Archive: the tar that old clients download holds three plain files and the right bytes, also after faults.
#include "server/store/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "faults.h"
#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "store_folder.h"

namespace hearth::server {
namespace {

namespace fs = std::filesystem;
const std::string hash(64, 'a');

std::map<std::string, std::string> unpack(const std::string& path) {
  std::map<std::string, std::string> out;
  archive* a = archive_read_new();
  archive_read_support_format_tar(a);
  EXPECT_EQ(archive_read_open_filename(a, path.c_str(), 10240), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
    EXPECT_EQ(archive_entry_filetype(entry), mode_t(AE_IFREG));
    EXPECT_EQ(archive_entry_uid(entry), 0);
    std::string content(size_t(archive_entry_size(entry)), '\0');
    EXPECT_EQ(archive_read_data(a, content.data(), content.size()), la_ssize_t(content.size()));
    out[archive_entry_pathname(entry)] = content;
  }
  archive_read_free(a);
  return out;
}

class ArchiveTest : public testing::Test {
 protected:
  ArchiveTest() : checkpoint_(folder_.around() + "/checkpoint"), cache_(folder_.around() + "/archives") {
    fs::create_directory(checkpoint_);
    write_file_atomic(checkpoint_ + "/adapter_config.json", R"({"r": 8})");
    write_file_atomic(checkpoint_ + "/adapter_model.safetensors", weights_);
    write_file_atomic(checkpoint_ + "/optimizer.safetensors", "not for others");
  }
  size_t cached() { return size_t(std::distance(fs::directory_iterator(cache_), fs::directory_iterator())); }

  test::StoreFolder folder_;
  std::string weights_ = std::string(300'001, 'w');
  std::string checkpoint_;
  std::string cache_;
};

TEST_F(ArchiveTest, HoldsTheAdapterAndTheMark) {
  Archives archives(cache_, real_file_system());
  EXPECT_FALSE(archives.find(hash));
  const Archive built = archives.build(checkpoint_, hash);
  EXPECT_EQ(int64_t(fs::file_size(built.path)), built.size);
  EXPECT_EQ(archives.find(hash)->size, built.size);
  const std::map<std::string, std::string> expected = {
      {"adapter_config.json", R"({"r": 8})"}, {"adapter_model.safetensors", weights_}, {"checkpoint_complete", ""}};
  EXPECT_EQ(unpack(built.path), expected);
  const std::string bytes = read_file(built.path);
  archives.keep_only({}, 0);
  EXPECT_EQ(read_file(archives.build(checkpoint_, hash).path), bytes) << "the same checkpoint, the same bytes";
}

TEST_F(ArchiveTest, KeepsWhatMayStay) {
  Archives archives(cache_, real_file_system());
  const std::string other(64, 'b');
  const int64_t size = archives.build(checkpoint_, hash).size;
  archives.build(checkpoint_, other);
  EXPECT_EQ(archives.keep_only({hash, other}, 2 * size), 0);
  EXPECT_EQ(archives.keep_only({hash, other}, 2 * size - 1), 1);
  EXPECT_EQ(archives.keep_only({}, 2 * size), 1);
  EXPECT_EQ(cached(), 0u);
}

TEST_F(ArchiveTest, RefusesWhatIsNoCheckpoint) {
  Archives archives(cache_, real_file_system());
  EXPECT_THROW(archives.build(checkpoint_, "../../etc/passwd"), ValueError);
  fs::remove(checkpoint_ + "/adapter_config.json");
  EXPECT_THROW(archives.build(checkpoint_, hash), IoError);
  fs::create_symlink("/etc/passwd", checkpoint_ + "/adapter_config.json");
  EXPECT_THROW(archives.build(checkpoint_, hash), IoError);
  EXPECT_EQ(cached(), 0u);
}

TEST_F(ArchiveTest, EveryFaultLeavesNothingOrAWholeArchive) {
  int faults = 0;
  for (const int error : {ENOSPC, EIO}) {
    for (int fail_at = 0;; ++fail_at) {
      fs::remove_all(cache_);
      test::DyingFileSystem faulty;
      faulty.fail_at = fail_at;
      faulty.error = error;
      try {
        Archives archives(cache_, faulty);
        archives.build(checkpoint_, hash);
      } catch (const IoError&) {
        ++faults;
      }
      EXPECT_EQ(faulty.open_files, 0) << faulty.failed_call;
      Archives archives(cache_, real_file_system());
      if (const auto found = archives.find(hash)) {
        EXPECT_EQ(unpack(found->path).size(), 3u);
      }
      EXPECT_EQ(cached(), archives.find(hash) ? 1u : 0u) << faulty.failed_call;
      if (faulty.failed_call.empty()) break;
    }
  }
  EXPECT_GT(faults, 20);
}

}  // namespace
}  // namespace hearth::server
