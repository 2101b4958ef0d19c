// JSON fields: typed access to the objects of tokenizer files, with errors that name the file and the field.
#pragma once

#include <boost/json.hpp>
#include <initializer_list>
#include <string>
#include <string_view>

namespace hearth::llm {

/// Parses `text` (at most 32 levels deep); throws ValueError naming `name` and the byte where it breaks.
boost::json::value parse_json(std::string_view text, const std::string& name);

/// One object of a file and where it stands, e.g. {"…/tokenizer.json", "pre_tokenizer"}.
class JsonFields {
 public:
  JsonFields(const boost::json::value& value, std::string where);

  const std::string& where() const { return where_; }
  const boost::json::object& object() const { return *object_; }

  /// Value of `key`, or nullptr when it is absent or null.
  const boost::json::value* find(std::string_view key) const;
  JsonFields child(std::string_view key) const;
  std::string text(std::string_view key) const;
  std::string text_or(std::string_view key, std::string_view otherwise) const;
  bool flag_or(std::string_view key, bool otherwise) const;
  int64_t integer(std::string_view key) const;
  const boost::json::array& list(std::string_view key) const;

  /// Throws NotImplementedError naming the first field that is not in `known`: what we do not read we do not ignore.
  void expect_only(std::initializer_list<std::string_view> known) const;

 private:
  const boost::json::value& need(std::string_view key) const;
  const boost::json::object* object_;
  std::string where_;
};

}  // namespace hearth::llm
