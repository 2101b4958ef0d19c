// Training data of a run: rows as tokens.
#include "llm/tune/dataset.h"

#include <algorithm>

#include "hearth/core/error.h"
#include "llm/tokenizer/chat_template.h"

namespace hearth::llm {

namespace {

using Span = ChatSpan;

class RowEncoder {
 public:
  RowEncoder(const Tokenizer& tokenizer, const TuneOptions& options)
      : tokenizer_(tokenizer), options_(options), chat_(tokenizer.chat_template(), tokenizer, options.model) {
    use_template_ = options.format == "chat" || (options.format == "auto" && !chat_.is_default());
  }

  TokenExample chat(const std::vector<Message>& messages) const {
    std::vector<ChatMessage> turns;
    for (const Message& m : messages) turns.push_back({m.role, m.content, ""});
    const TrainingChat rendered = chat_.render_for_training(turns);
    return encode(rendered.text, rendered.assistant, false, false);
  }

  TokenExample completion(const std::string& prompt, const std::string& answer) const {
    if (use_template_) return chat({{"user", prompt}, {"assistant", answer}});
    return encode(prompt + answer, {{prompt.size(), prompt.size() + answer.size()}}, true, true);
  }

  TokenExample text(const std::string& text) const { return encode(text, {{0, text.size()}}, true, options_.add_eos); }

  /// Messages of a preference row with one of its two answers; only that answer is learnt.
  TokenExample answer(std::vector<Message> messages, const std::vector<Message>& answer) const {
    const size_t given = messages.size();
    messages.insert(messages.end(), answer.begin(), answer.end());
    std::vector<ChatMessage> turns;
    for (const Message& m : messages) turns.push_back({m.role, m.content, ""});
    TrainingChat rendered = chat_.render_for_training(turns);
    size_t before = 0;
    for (size_t i = 0; i < given; ++i) before += messages[i].role == "assistant";
    rendered.assistant.erase(rendered.assistant.begin(), rendered.assistant.begin() + long(before));
    return encode(rendered.text, rendered.assistant, false, false);
  }

 private:
  /// Tokens of the text; those inside the spans have weight 1. A token that straddles the beginning of a span counts
  /// as inside. `ends`: bos and eos go around it (a template writes its own).
  TokenExample encode(const std::string& text, const std::vector<Span>& learnt, bool bos, bool eos) const {
    const EncodeOptions options{.add_bos = bos && tokenizer_.wants_bos()};
    TokenExample example;
    example.tokens = tokenizer_.encode(text, options);
    example.weights.assign(example.tokens.size(), options_.train_on_prompt ? 1.0f : 0.0f);
    for (const Span& span : learnt) {
      const size_t first = common(text.substr(0, span.begin), options, example.tokens);
      const size_t last =
          span.end == text.size() ? example.tokens.size() : common(text.substr(0, span.end), options, example.tokens);
      for (size_t i = first; i < last; ++i) example.weights[i] = 1;
    }
    if (eos && tokenizer_.eos_id()) {
      example.tokens.push_back(*tokenizer_.eos_id());
      example.weights.push_back(1);
    }
    return example;
  }

  /// How many tokens of the whole the beginning of the text has in common with it.
  size_t common(const std::string& beginning, const EncodeOptions& options, const std::vector<int32_t>& whole) const {
    const std::vector<int32_t> part = tokenizer_.encode(beginning, options);
    size_t n = 0;
    while (n < part.size() && n < whole.size() && part[n] == whole[n]) ++n;
    return n;
  }

  const Tokenizer& tokenizer_;
  const TuneOptions& options_;
  ChatTemplate chat_;
  bool use_template_ = false;
};

void add_preference(const Example& row, const RowEncoder& encoder, TuneData& data) {
  if (!row.chosen_messages.empty()) {
    data.examples.push_back(encoder.answer(row.messages, row.chosen_messages));
    data.rejected.push_back(encoder.answer(row.messages, row.rejected_messages));
    return;
  }
  data.examples.push_back(encoder.completion(row.prompt, row.chosen));
  data.rejected.push_back(encoder.completion(row.prompt, row.rejected));
}

bool is_empty(const TokenExample& example) {
  return example.tokens.size() < 2 ||
         std::none_of(example.weights.begin() + 1, example.weights.end(), [](float w) { return w != 0; });
}

/// Rows that a rule concerns, for one message about them all.
struct BadRows {
  int64_t count = 0, first_line = 0;
  void add(int64_t line) {
    if (count++ == 0) first_line = line;
  }
  void refuse(BadExample rule, const std::string& path, size_t of, const std::string& what) const {
    check<ValueError>(count == 0 || rule != BadExample::error, path, ":", first_line, ": ", count, " of ", of,
                      " examples ", what);
  }
};

/// Refuses what the options refuse, here where lines are known. Shortens or drops rejected answers; chosen ones, and
/// all other kinds of data, are cut or skipped where batches are made.
void apply_rules(const std::vector<Example>& rows, const TuneOptions& options, const std::string& path,
                 TuneData& data) {
  const size_t most = options.max_length > 0 ? size_t(options.max_length) : SIZE_MAX;
  BadRows too_long, empty;
  int64_t cut = 0;
  TuneData kept;
  for (size_t i = 0; i < data.examples.size(); ++i) {
    TokenExample* rejected = data.rejected.empty() ? nullptr : &data.rejected[i];
    const bool rejected_long = rejected && rejected->tokens.size() > most;
    if (data.examples[i].tokens.size() > most || rejected_long) too_long.add(rows[i].line);
    if (rejected_long && options.on_too_long == BadExample::truncate) {
      rejected->tokens.resize(most);
      rejected->weights.resize(most);
      ++cut;
    }
    const bool rejected_empty = rejected && is_empty(*rejected);
    if (is_empty(data.examples[i]) || rejected_empty) empty.add(rows[i].line);
    if (!rejected || rejected_empty || rejected->tokens.size() > most) continue;
    kept.examples.push_back(std::move(data.examples[i]));
    kept.rejected.push_back(std::move(*rejected));
  }
  too_long.refuse(options.on_too_long, path, data.examples.size(),
                  "are longer than " + std::to_string(most) + " tokens; see --too-long");
  empty.refuse(options.on_empty, path, data.examples.size(), "are empty: they have nothing to learn; see --empty");
  if (data.rejected.empty()) return;
  const size_t dropped = data.examples.size() - kept.examples.size();
  if (dropped + size_t(cut) > 0)
    data.note += (data.note.empty() ? "" : "; ") + std::to_string(dropped) + " pairs left out and " +
                 std::to_string(cut) + " cut for their rejected answers (too long or empty)";
  data.examples = std::move(kept.examples);
  data.rejected = std::move(kept.rejected);
}

/// The first `limit` characters (code points) of valid UTF-8; all of it for 0.
std::string cut_text(const std::string& text, int64_t limit) {
  if (limit <= 0) return text;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const bool begins = (static_cast<unsigned char>(text[at]) & 0xc0) != 0x80;
    if (begins && limit-- == 0) break;
  }
  return text.substr(0, at);
}

}  // namespace

TuneData load_tune_data(const std::string& path, const Tokenizer& tokenizer, const TuneOptions& options) {
  const ExampleFile file = read_examples(path);
  const RowEncoder encoder(tokenizer, options);
  TuneData data;
  data.kind = file.kind;
  data.note = file.note();
  for (const Example& row : file.examples) {
    if (options.limit > 0 && int64_t(data.examples.size()) >= options.limit) break;
    try {
      switch (file.kind) {
        case ExampleKind::chat:
          data.examples.push_back(encoder.chat(row.messages));
          break;
        case ExampleKind::completion:
          data.examples.push_back(encoder.completion(row.prompt, row.completion));
          break;
        case ExampleKind::text:
          data.examples.push_back(encoder.text(cut_text(row.text, options.max_chars)));
          break;
        case ExampleKind::preference:
          add_preference(row, encoder, data);
          break;
      }
    } catch (const ValueError& error) {
      fail<ValueError>(path, ":", row.line, ": ", error.what());
    }
  }
  apply_rules(file.examples, options, path, data);
  return data;
}

}  // namespace hearth::llm
