// Examples: rows of training data in the forms people keep them in, recognised and read into one struct.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "hearth/data/jsonl.h"
#include "hearth/io/file_system.h"

namespace hearth {

/// The forms of a row. The keys of the first row decide for the whole file:
/// - chat: `messages`, a list of {role, content};
/// - completion: `prompt`+`completion`, `instruction`+`input`+`output` (input may be absent), `question`+`answer`;
/// - preference: `chosen`+`rejected`, texts or lists of messages, with `prompt` or `instruction`+`input`, or, for
///   lists only, without: the messages that both begin with are then the prompt;
/// - text: `text`, or a file that is not JSON.
enum class ExampleKind { chat, completion, preference, text };

/// "chat", "completion", "preference" or "text".
const char* example_kind_name(ExampleKind kind);

/// One turn of a conversation. `role` is system, developer, user, assistant or tool.
struct Message {
  std::string role;
  std::string content;
  bool operator==(const Message&) const = default;
};

/// One row. `line` is where it begins in its file. Which fields are set follows from the kind:
/// chat: messages. completion: prompt, completion. text: text. preference: texts set prompt, chosen, rejected;
/// lists of messages set messages (the prompt), chosen_messages and rejected_messages.
struct Example {
  int64_t line = 0;
  std::string text, prompt, completion, chosen, rejected;
  std::vector<Message> messages, chosen_messages, rejected_messages;
  bool operator==(const Example&) const = default;
};

/// How a plain text is cut into documents. `automatic`: at `<|endoftext|>` where the text has one, else not at all.
enum class TextSplit { automatic, whole, end_of_text, blank_lines };

struct ExampleOptions {
  TextSplit split = TextSplit::automatic;
  RecordLimits limits;
};

/// The rows of a file, all of one kind. `unused` counts the rows in which a key was present and not used.
struct ExampleFile {
  ExampleKind kind = ExampleKind::text;
  std::vector<Example> examples;
  std::map<std::string, int64_t> unused;

  /// One line that names the unused keys, e.g. "keys not used: id (100 rows), source (98 rows)"; empty when none.
  std::string note() const;
};

/// Reads a file: JSON records when it begins with `{` or `[` (or is named .json, .jsonl), else plain UTF-8 text.
/// Raises IoError when it cannot be read or holds no rows, ValueError `data.jsonl:17: REASON` for a broken row, for a
/// row of another form than the first, and for text that is not UTF-8.
/// Example: ExampleFile file = read_examples("train.jsonl"); file.examples[0].messages[0].content;
ExampleFile read_examples(const std::string& path, const ExampleOptions& options = {},
                          FileSystem& fs = real_file_system());

/// The same from memory; `name` is the file in messages and decides by its ending.
ExampleFile parse_examples(std::string_view bytes, const std::string& name, const ExampleOptions& options = {});

/// Cuts a text into documents: surrounding white space is taken off each, empty ones are left out.
/// The line of the result is where each begins.
std::vector<Example> split_text(std::string_view text, TextSplit split);

}  // namespace hearth
