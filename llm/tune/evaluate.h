// Evaluation: the mean loss of a model on a file.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hearth::llm {

struct EvaluateOptions {
  std::string model, data, adapter;
  std::string dtype;            ///< float32 or bfloat16; empty: as the files have it
  std::string format = "auto";  ///< as in TuneOptions
  int64_t limit = 0;            ///< use only the first examples; 0: all
  int64_t max_chars = 0;        ///< cut plain texts after so many characters (not bytes); 0: do not
  bool with_prompts = false;    ///< prompts count too
  bool windows = false;         ///< score what lies beyond the model's context in further windows, else leave it out
};

struct Evaluation {
  double loss = 0;  ///< mean of -log p over the tokens that count
  int64_t tokens = 0, examples = 0;
  std::vector<std::string> notes;
};

/// Log-probabilities are added up in double, in the order of the data. What was cut is
/// said in the notes. Raises IoError, ValueError. `progress(done, total)` counts examples.
Evaluation evaluate(const EvaluateOptions& options, const std::function<void(int64_t, int64_t)>& progress = {});

}  // namespace hearth::llm
