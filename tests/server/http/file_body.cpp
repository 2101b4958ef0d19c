// Tests of files as bodies, alone and over a connection.
#include "server/http/file_body.h"

#include <gtest/gtest.h>

#include "tests/server/http/running_server.h"

namespace hearth::server {
namespace {

using test::Answer;
using test::Client;
using test::RunningServer;

TEST(FileBody, ReadsAFileToTheLengthThatItHad) {
  const test::HttpFolder folder;
  std::string text;
  for (int i = 0; i < 200000; ++i) text += std::to_string(i);
  const std::string path = folder.write("file", text);
  FileBody body;
  ASSERT_TRUE(body.open(path, false));
  EXPECT_EQ(body.size(), text.size());
  std::ofstream(path, std::ios::app) << "more";
  std::string out;
  while (!body.done()) out += body.next();
  EXPECT_EQ(out, text);
  FileBody other;
  EXPECT_FALSE(other.open(path + ".missing", false));
  FileBody folder_body;
  EXPECT_FALSE(folder_body.open(std::filesystem::path(path).parent_path().string(), false));
}

TEST(FileBody, AFileThatBecameShorterIsNoticed) {
  const test::HttpFolder folder;
  const std::string path = folder.write("file", std::string(1 << 20, 'x'));
  FileBody body;
  ASSERT_TRUE(body.open(path, false));
  EXPECT_FALSE(body.next().empty());
  std::filesystem::resize_file(path, 10);
  EXPECT_TRUE(body.next().empty());
  EXPECT_FALSE(body.done());
}

TEST(FileBody, AnswersSendFiles) {
  const test::HttpFolder folder;
  const std::string large(3 << 20, 'f');
  const std::string path = folder.write("large", large), empty = folder.write("empty", "");
  RunningServer server({}, [&](Router& router) {
    router.add("GET", "/files/{name}", [=](Request request, Respond respond) {
      Response response;
      response.content_type = "application/x-tar";
      response.file = request.parameters[0] == "large"   ? path
                      : request.parameters[0] == "empty" ? empty
                                                         : path + "-not";
      response.remove_file = !request.query_or("remove", "").empty();
      respond(std::move(response));
    });
  });
  Client client(server.port());
  const Answer answer = client.get("/files/large");
  EXPECT_EQ(answer.header("content-type"), "application/x-tar");
  EXPECT_TRUE(answer.body == large);
  EXPECT_EQ(client.get("/files/empty").header("content-length"), "0");
  client.request("HEAD", "/files/large");
  EXPECT_EQ(client.answer(true).header("content-length"), std::to_string(large.size()));
  const Answer missing = client.get("/files/other");
  EXPECT_EQ(missing.status, 500);
  EXPECT_EQ(missing.body.find(path), std::string::npos) << "no path in an answer";
  EXPECT_TRUE(client.get("/files/large?remove=1").body == large);
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace hearth::server
