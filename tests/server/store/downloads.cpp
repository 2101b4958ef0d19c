// Downloads: a signed URL opens that file until then, and nothing else.
#include "server/store/downloads.h"

#include <gtest/gtest.h>

#include "hearth/core/error.h"
#include "server/store/store.h"
#include "store_folder.h"

namespace hearth::server {
namespace {

std::pair<std::string, std::string> parts(const std::string& query) {
  const size_t cut = query.find("&signature=");
  return {query.substr(8, cut - 8), query.substr(cut + 11)};
}

TEST(Downloads, OpenOnePathUntilThen) {
  const DownloadSigner signer(DownloadSigner::new_key());
  const std::string path = "/api/v1/downloads/run:train:0/weights/final";
  const auto [expires, signature] = parts(signer.query(path, 1000 * second));
  EXPECT_EQ(expires, "1000");
  EXPECT_TRUE(signer.check(path, expires, signature, 999 * second));
  EXPECT_FALSE(signer.check(path, expires, signature, 1000 * second));
  EXPECT_FALSE(signer.check(path + "x", expires, signature, 0));
  EXPECT_FALSE(signer.check(path, "1001", signature, 0));
  EXPECT_FALSE(signer.check(path, "", signature, 0));
  EXPECT_FALSE(signer.check(path, expires, "", 0));
  EXPECT_FALSE(signer.check(path, expires, signature + "0", 0));
  for (size_t i = 0; i < signature.size(); ++i) {
    std::string other = signature;
    other[i] = other[i] == '0' ? '1' : '0';
    EXPECT_FALSE(signer.check(path, expires, other, 0));
  }
  EXPECT_FALSE(DownloadSigner(DownloadSigner::new_key()).check(path, expires, signature, 0));
  EXPECT_THROW(DownloadSigner("short"), ValueError);
}

TEST(Downloads, PathAndExpiryCannotTradeBytes) {
  const DownloadSigner signer(std::string(32, 'k'));
  const auto [expires, signature] = parts(signer.query("1/a", 5 * second));
  EXPECT_FALSE(signer.check("/a", expires + "\n1", signature, 0));
}

TEST(Downloads, UrlsOutliveARestart) {
  test::StoreFolder folder;
  std::string query;
  {
    Store store(folder.path());
    query = store.downloads().query("/f", 100 * second);
  }
  Store store(folder.path());
  const auto [expires, signature] = parts(query);
  EXPECT_TRUE(store.downloads().check("/f", expires, signature, 0));
}

}  // namespace
}  // namespace hearth::server
