// Folders: whole or not there, at every fault of every file call; hashes; trash; the sweep at start-up.
#include "server/store/folders.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <set>

#include "faults.h"
#include "hearth/core/error.h"
#include "hearth/io/file.h"
#include "store_folder.h"

namespace hearth::server {
namespace {

namespace fs = std::filesystem;
using test::DyingFileSystem;
using test::StoreFolder;

class FoldersTest : public testing::Test {
 protected:
  FoldersTest() { fs::create_directories(folder_.path()); }

  Sealed make(Folders& folders, const std::string& place, const std::string& content = "content") {
    Draft draft = folders.draft();
    write_file_atomic(draft.path() + "/adapter_config.json", "{}");
    write_file_atomic(draft.path() + "/adapter_model.safetensors", content);
    return draft.seal(place);
  }

  size_t entries(const std::string& below) {
    return size_t(std::distance(fs::directory_iterator(folder_.path() + "/" + below), fs::directory_iterator()));
  }

  StoreFolder folder_;
};

TEST_F(FoldersTest, SealedFoldersAreInTheirPlace) {
  Folders folders(folder_.path(), real_file_system());
  const std::string place = Folders::place_of_checkpoint("s:train:0", CheckpointType::weights, "final");
  EXPECT_EQ(place, "checkpoints/s%3Atrain%3A0/weights/final");
  const Sealed sealed = make(folders, place);
  EXPECT_EQ(sealed.folder, place);
  EXPECT_EQ(sealed.size, 9);
  EXPECT_EQ(sealed.hash.size(), 64u);
  EXPECT_EQ(read_file(folders.path(place) + "/adapter_model.safetensors"), "content");
  folders.verify(sealed.folder, sealed.hash);
  EXPECT_EQ(entries("drafts"), 0u);
  EXPECT_EQ(folders.sealed(), std::vector<std::string>{place});
}

TEST_F(FoldersTest, ASecondOneOfTheNameStandsBesideTheFirst) {
  Folders folders(folder_.path(), real_file_system());
  const std::string place = Folders::place_of_snapshot("s:sample:1");
  const Sealed first = make(folders, place, "one");
  const Sealed second = make(folders, place, "two");
  EXPECT_EQ(second.folder, place + "+2");
  EXPECT_NE(first.hash, second.hash);
  folders.verify(first.folder, first.hash);
  folders.verify(second.folder, second.hash);
}

TEST_F(FoldersTest, TheHashIsOfNamesSizesAndBytes) {
  std::set<std::string> hashes;
  const auto hash = [&](std::vector<std::pair<std::string, std::string>> files) {
    const std::string path = folder_.around() + "/h" + std::to_string(hashes.size());
    fs::create_directory(path);
    for (const auto& [name, content] : files) write_file_atomic(path + "/" + name, content);
    return hash_folder(path);
  };
  hashes.insert(hash({}));
  hashes.insert(hash({{"a", ""}}));
  hashes.insert(hash({{"b", ""}}));
  hashes.insert(hash({{"a", "x"}}));
  hashes.insert(hash({{"a", "x"}, {"b", ""}}));
  hashes.insert(hash({{"a", ""}, {"b", "x"}}));
  hashes.insert(hash({{"ab", "x"}}));
  EXPECT_EQ(hashes.size(), 7u);
}

TEST_F(FoldersTest, OnlyPlainFilesAreSealed) {
  Folders folders(folder_.path(), real_file_system());
  {
    Draft draft = folders.draft();
    fs::create_symlink("/etc/passwd", draft.path() + "/link");
    EXPECT_THROW(draft.seal("snapshots/a"), IoError);
  }
  {
    Draft draft = folders.draft();
    fs::create_directory(draft.path() + "/inner");
    EXPECT_THROW(draft.seal("snapshots/a"), ValueError);
  }
  EXPECT_EQ(entries("drafts"), 0u);
  EXPECT_EQ(entries("snapshots"), 0u);
}

TEST_F(FoldersTest, VerifySeesAChangedByte) {
  Folders folders(folder_.path(), real_file_system());
  const Sealed sealed = make(folders, "snapshots/a");
  write_file_atomic(folders.path(sealed.folder) + "/adapter_model.safetensors", "Content");
  EXPECT_THROW(folders.verify(sealed.folder, sealed.hash), IoError);
  EXPECT_THROW(folders.verify("snapshots/none", sealed.hash), IoError);
}

TEST_F(FoldersTest, TheSweepRemovesWhatNoRowKnows) {
  std::string draft_path;
  {
    Folders folders(folder_.path(), real_file_system());
    make(folders, "snapshots/kept");
    make(folders, Folders::place_of_checkpoint("r", CheckpointType::weights, "gone"));
    make(folders, Folders::place_of_state("r", 7));
    fs::create_directories(folder_.path() + "/drafts/1234-0");
    write_file_atomic(folder_.path() + "/drafts/1234-0/half", "x");
  }
  Folders folders(folder_.path(), real_file_system());
  const auto removed = folders.sweep({"snapshots/kept", "snapshots/never-there"});
  EXPECT_EQ(removed.size(), 3u);
  EXPECT_EQ(folders.sealed(), std::vector<std::string>{"snapshots/kept"});
  EXPECT_EQ(entries("drafts"), 0u);
  EXPECT_EQ(entries("trash"), 0u);
  EXPECT_EQ(entries("checkpoints"), 0u) << "the folders above are gone as well";
}

// Each file call fails once, in each of the ways that disks fail. Whatever happens: sealing either gives a folder whose
// files have its hash, or raises IoError; a sealed folder is never harmed; a fresh start sweeps what is left over.
TEST_F(FoldersTest, EveryFaultOfSealing) {
  int calls = 0;
  for (const int error : {ENOSPC, EIO}) {
    for (int fail_at = 0;; ++fail_at) {
      fs::remove_all(folder_.path());
      fs::create_directories(folder_.path());
      Sealed old;
      {
        Folders folders(folder_.path(), real_file_system());
        old = make(folders, "state/m/1", "old");
      }
      DyingFileSystem faulty;
      faulty.fail_at = fail_at;
      faulty.error = error;
      std::optional<Sealed> sealed;
      try {
        Folders folders(folder_.path(), faulty);
        Draft draft = folders.draft();
        write_file_atomic(draft.path() + "/a", "first", faulty);
        write_file_atomic(draft.path() + "/b", std::string(5000, 'b'), faulty);
        sealed = draft.seal(Folders::place_of_checkpoint("m", CheckpointType::weights, "new"));
      } catch (const IoError& e) {
        EXPECT_NE(faulty.failed_call, "") << e.what();
      }
      EXPECT_EQ(faulty.open_files, 0) << faulty.failed_call;
      Folders folders(folder_.path(), real_file_system());
      std::vector<std::string> known = {old.folder};
      if (sealed) {
        folders.verify(sealed->folder, sealed->hash);
        known.push_back(sealed->folder);
      }
      folders.sweep(known);
      folders.verify(old.folder, old.hash);
      EXPECT_EQ(folders.sealed().size(), known.size()) << "after a fault of " << faulty.failed_call;
      EXPECT_EQ(entries("drafts"), 0u);
      EXPECT_EQ(entries("trash"), 0u);
      if (faulty.failed_call.empty()) break;
      ++calls;
    }
  }
  EXPECT_GT(calls, 60);
}

// The same for the sweep: it removes only what no row knows, and the next one finishes what a fault stopped.
TEST_F(FoldersTest, EveryFaultOfTheSweep) {
  for (int fail_at = 0;; ++fail_at) {
    fs::remove_all(folder_.path());
    fs::create_directories(folder_.path() + "/drafts/1-0");
    write_file_atomic(folder_.path() + "/drafts/1-0/half", "x");
    Sealed kept;
    {
      Folders folders(folder_.path(), real_file_system());
      kept = make(folders, "state/m/2", "kept");
      make(folders, "state/m/1", "old");
      make(folders, "snapshots/s", "gone");
    }
    DyingFileSystem faulty;
    faulty.fail_at = fail_at;
    faulty.error = EIO;
    try {
      Folders folders(folder_.path(), faulty);
      folders.sweep({kept.folder});
    } catch (const IoError&) {
    }
    EXPECT_EQ(faulty.open_files, 0) << faulty.failed_call;
    Folders folders(folder_.path(), real_file_system());
    folders.verify(kept.folder, kept.hash);
    folders.sweep({kept.folder});
    EXPECT_EQ(folders.sealed(), std::vector<std::string>{kept.folder}) << faulty.failed_call;
    EXPECT_EQ(entries("drafts"), 0u) << faulty.failed_call;
    EXPECT_EQ(entries("trash"), 0u) << faulty.failed_call;
    if (faulty.failed_call.empty()) break;
  }
}

TEST_F(FoldersTest, ShortReadsAndWritesAndSignalsChangeNothing) {
  DyingFileSystem slow;
  slow.longest_write = 7;
  slow.interrupt_first = true;
  Folders folders(folder_.path(), slow);
  Draft draft = folders.draft();
  write_file_atomic(draft.path() + "/a", std::string(100, 'a'), slow);
  const Sealed sealed = draft.seal("snapshots/s");
  folders.verify(sealed.folder, sealed.hash);
  EXPECT_EQ(sealed.size, 100);
}

}  // namespace
}  // namespace hearth::server
