// Tests of record reading: lines, lists, limits, and the line numbers of what is broken.
#include "hearth/data/jsonl.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "hearth/core/error.h"
#include "hearth/io/faulty_file_system.h"
#include "hearth/io/temporary_folder.h"

using namespace hearth;
using hearth::test::error_of;

namespace {

struct Row {
  std::string text;
  int64_t line;
  bool operator==(const Row&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.line << ": " << row.text; }

std::vector<Row> rows_of(RecordReader& reader) {
  std::vector<Row> rows;
  Record record;
  while (reader.next(record)) rows.push_back({std::string(record.text), record.line});
  EXPECT_FALSE(reader.next(record)) << "the end must stay the end";
  return rows;
}

std::vector<Row> rows(std::string_view text, const RecordLimits& limits = {}) {
  RecordReader reader(text, "d.jsonl", limits);
  return rows_of(reader);
}

std::string refusal(std::string_view text, const RecordLimits& limits = {}) {
  return error_of<ValueError>([&] { rows(text, limits); });
}

TEST(RecordReader, GivesLinesWithTheirNumbers) {
  EXPECT_EQ(rows("{\"a\":1}\n{\"b\":2}\n"), (std::vector<Row>{{"{\"a\":1}", 1}, {"{\"b\":2}", 2}}));
  EXPECT_EQ(rows("{}"), (std::vector<Row>{{"{}", 1}}));
  EXPECT_TRUE(rows("").empty());
  EXPECT_TRUE(rows("\n \n\t\r\n").empty());
}

TEST(RecordReader, PassesOverBlankLinesAByteOrderMarkAndCarriageReturns) {
  EXPECT_EQ(rows("\xef\xbb\xbf\n\n{}\r\n  \n[1]\n"), (std::vector<Row>{{"{}\r", 3}, {"[1]", 5}}));
  EXPECT_EQ(rows("\xef\xbb\xbf{}\n")[0].line, 1);
}

TEST(RecordReader, GivesTheElementsOfAListWithTheirLines) {
  EXPECT_EQ(rows("[\n  {\"a\": \"],\\\"}\"},\n\n  {\"b\": [1,\n 2]} , 3]\n\n"),
            (std::vector<Row>{{"{\"a\": \"],\\\"}\"}", 2}, {"{\"b\": [1,\n 2]} ", 4}, {"3", 5}}));
  EXPECT_TRUE(rows("[]").empty());
  EXPECT_TRUE(rows(" [ \n ] \n").empty());
}

TEST(RecordReader, RefusesListsThatAreNotWhole) {
  EXPECT_NE(refusal("[{}").find("d.jsonl:1: not valid JSON: the list"), std::string::npos);
  EXPECT_NE(refusal("[\n{},\n]").find("d.jsonl:3: not valid JSON: an element"), std::string::npos);
  EXPECT_NE(refusal("[,{}]").find("an element of the list is missing"), std::string::npos);
  EXPECT_NE(refusal("[{}]\n{}").find("d.jsonl:2: not valid JSON: more text"), std::string::npos);
  EXPECT_NE(refusal("[]]").find("more text"), std::string::npos);
  EXPECT_NE(refusal("[1}").find("closing bracket"), std::string::npos);
  EXPECT_NE(refusal("[\"\\"), "");
  EXPECT_NE(refusal("["), "");
}

TEST(RecordReader, KeepsTheLimits) {
  RecordLimits limits;
  limits.record_bytes = 5;
  EXPECT_EQ(rows("12345\n1\n", limits).size(), 2u);
  EXPECT_EQ(refusal("1\n123456\n", limits), "d.jsonl:2: a record larger than 5 bytes");
  EXPECT_EQ(refusal("1\n123456", limits), "d.jsonl:2: a record larger than 5 bytes");
  EXPECT_EQ(refusal("[1,\n123456]", limits), "d.jsonl:2: a record larger than 5 bytes");
  limits.list_bytes = 4;
  EXPECT_NE(refusal("[1,2]", limits).find("a JSON list larger than 4 bytes"), std::string::npos);
  limits.records = 2;
  EXPECT_EQ(refusal("1\n2\n3\n", limits), "d.jsonl:3: more than 2 records");
}

TEST(RecordReader, ParsesObjectsAndNamesFileLineAndColumn) {
  const std::string text = "{\"a\": 1}\n{\"a\" 1}\n3\n";
  RecordReader reader(text, "d.jsonl");
  Record record;
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(reader.parse(record).at("a").as_int64(), 1);
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(error_of<ValueError>([&] { reader.parse(record); }).substr(0, 12), "d.jsonl:2:6:");
  ASSERT_TRUE(reader.next(record));
  EXPECT_EQ(error_of<ValueError>([&] { reader.parse(record); }), "d.jsonl:3: wants a JSON object, is an integer");
}

TEST(RecordReader, AFileGivesWhatItsBytesGiveWhateverItsSize) {
  test::TemporaryFolder folder;
  for (const size_t length : {10u, 1000u, 300'000u, 2'000'000u}) {
    std::string lines, list = "[";
    for (int i = 0; i < 5; ++i) {
      const std::string row = "{\"n\":\"" + std::string(length + size_t(i), char('a' + i)) + "\"}";
      lines += row + "\n\n";
      list += (i > 0 ? ",\n" : "") + row;
    }
    for (const std::string& bytes : {lines, lines.substr(0, lines.size() - 2), list + "]\n"}) {
      RecordReader file(folder.put("d.jsonl", bytes)), memory(bytes, "d.jsonl");
      EXPECT_EQ(rows(bytes).size(), 5u);
      EXPECT_EQ(rows_of(file), rows_of(memory)) << length;
    }
  }
}

TEST(RecordReader, ReportsFilesThatCannotBeRead) {
  test::TemporaryFolder folder;
  EXPECT_THROW(RecordReader(folder.path("none")), IoError);
  EXPECT_NE(error_of<IoError>([&] { RecordReader(folder.path()); }).find("is a directory"), std::string::npos);
  const std::string path = folder.put("d.jsonl", "{}\n");
  for (int call = 0; call < 3; ++call) {
    test::FaultyFileSystem fs;
    fs.fail_at = call;
    fs.error = EIO;
    EXPECT_THROW(
        {
          RecordReader reader(path, {}, fs);
          rows_of(reader);
        },
        IoError)
        << fs.failed_call;
    EXPECT_EQ(fs.open_files, 0);
  }
}

}  // namespace
