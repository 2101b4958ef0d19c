// Training data of a run: rows of a file as token sequences with weights.
#pragma once

#include <string>
#include <vector>

#include "hearth/data/examples.h"
#include "hearth/data/packing.h"
#include "llm/tokenizer/tokenizer.h"
#include "llm/tune/options.h"

namespace hearth::llm {

/// Rows as tokens. Preference data has two sequences a row: `rejected[i]` belongs to `examples[i]`.
struct TuneData {
  ExampleKind kind = ExampleKind::text;
  std::vector<TokenExample> examples;
  std::vector<TokenExample> rejected;
  std::string note;  ///< what a person should know, e.g. keys that were not used; may be empty
};

/// Reads and tokenises a file. A completion is rendered by the model's chat template when it has one (format auto or
/// chat), else it is prompt followed by completion; the tokens learnt are the answer's and the end that follows it.
/// Of preference rows whose rejected answer is too long or empty, `options` decide as for other examples; what that
/// changed is in the note. Raises IoError, ValueError with file and line; for rows that `options` refuse, with their
/// number and the first one's line.
TuneData load_tune_data(const std::string& path, const Tokenizer& tokenizer, const TuneOptions& options);

}  // namespace hearth::llm
