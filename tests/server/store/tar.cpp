// Tar: what libarchive wrote is read back by libarchive; errors are IoError.
#include "server/store/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "hearth/core/error.h"

namespace hearth::server {
namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("hearth-tar-" + std::to_string(getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

std::vector<std::pair<std::string, std::string>> read_back(const std::string& path) {
  archive* reader = archive_read_new();
  archive_read_support_format_tar(reader);
  EXPECT_EQ(archive_read_open_filename(reader, path.c_str(), 4096), ARCHIVE_OK);
  std::vector<std::pair<std::string, std::string>> files;
  archive_entry* entry = nullptr;
  while (archive_read_next_header(reader, &entry) == ARCHIVE_OK) {
    EXPECT_EQ(archive_entry_filetype(entry), mode_t(AE_IFREG));
    std::string bytes(size_t(archive_entry_size(entry)), '\0');
    EXPECT_EQ(archive_read_data(reader, bytes.data(), bytes.size()), la_ssize_t(bytes.size()));
    files.emplace_back(archive_entry_pathname(entry), bytes);
  }
  archive_read_free(reader);
  return files;
}

TEST(Tar, FilesComeBackInTheirOrder) {
  Folder folder;
  const std::string big(300000, 'x');
  std::ofstream(folder.path / "one", std::ios::binary) << big;
  const std::string out = folder.path / "out.tar";
  write_tar(out, {{"b.bin", folder.path / "one"}, {"a.json", "", "{}"}, {"empty", ""}});
  EXPECT_EQ(read_back(out),
            (std::vector<std::pair<std::string, std::string>>{{"b.bin", big}, {"a.json", "{}"}, {"empty", ""}}));
}

TEST(Tar, TheSameFilesGiveTheSameBytes) {
  Folder folder;
  auto bytes = [&](const char* name) {
    const fs::path out = folder.path / name;
    write_tar(out, {{"a", "", "hello"}});
    std::ifstream in(out, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_EQ(bytes("1.tar"), bytes("2.tar"));
}

TEST(Tar, WhatCannotBeReadOrWrittenIsAnIoError) {
  Folder folder;
  EXPECT_THROW(write_tar(folder.path / "out.tar", {{"a", folder.path / "absent"}}), IoError);
  EXPECT_THROW(write_tar(folder.path / "out.tar", {{"a", folder.path}}), IoError);
  EXPECT_THROW(write_tar(folder.path / "no" / "out.tar", {{"a", "", "x"}}), IoError);
  fs::create_symlink("/etc/passwd", folder.path / "link");
  EXPECT_THROW(write_tar(folder.path / "out.tar", {{"a", folder.path / "link"}}), IoError);
  if (fs::exists("/dev/full")) {
    EXPECT_THROW(write_tar("/dev/full", {{"a", "", std::string(100000, 'x')}}), IoError);
  }
}

}  // namespace
}  // namespace hearth::server
