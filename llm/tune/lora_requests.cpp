// Requests to LoRA trainers: their rules, and how they are cut into units.
#include <cmath>

#include "hearth/core/error.h"
#include "llm/tune/lora_trainer_state.h"

namespace hearth::llm {

namespace {

constexpr int64_t unit_tokens = 2048;

class DatumCheck {
 public:
  DatumCheck(const TrainDatum& datum, size_t number, const DecoderConfig& config, const TokenLoss& loss)
      : datum_(datum), number_(number), config_(config), loss_(loss) {}

  void run() const {
    tokens();
    targets();
    LossInputs inputs;
    for (std::string_view name : loss_.required()) {
      require(datum_.inputs.count(std::string(name)) > 0, "input is missing: ", name);
      input(inputs, name);
    }
    for (std::string_view name : loss_.optional()) input(inputs, name);
    const std::string problem = loss_.problem(inputs);
    require(problem.empty(), problem);
  }

 private:
  template <class... Pieces>
  void require(bool ok, const Pieces&... pieces) const {
    hearth::check<ValueError>(ok, "forward_backward: datum ", number_, ": ", pieces...);
  }

  void ids(const char* name, const auto& values) const {
    for (size_t t = 0; t < values.size(); ++t)
      require(values[t] >= 0 && values[t] < config_.vocab_size, name, "[", t, "] is outside the vocabulary of ",
              config_.vocab_size, ": ", values[t]);
  }

  void tokens() const {
    const int64_t count = int64_t(datum_.tokens.size());
    require(count > 0, "there are no tokens");
    require(count <= config_.max_position_embeddings, count, " tokens are more than the model's context of ",
            config_.max_position_embeddings);
    ids("tokens", datum_.tokens);
  }

  void targets() const {
    const size_t rows = datum_.tokens.size(), columns = size_t(datum_.targets_per_token);
    require(!datum_.targets.empty(), "input is missing: target_tokens");
    require(datum_.targets_per_token >= 1 && datum_.targets.size() % columns == 0 &&
                datum_.targets.size() / columns == rows,
            "target_tokens has ", datum_.targets.size(), " numbers, expected ", rows, " tokens x ",
            datum_.targets_per_token);
    ids("target_tokens", datum_.targets);
  }

  void input(LossInputs& inputs, std::string_view name) const {
    const auto at = datum_.inputs.find(std::string(name));
    if (at == datum_.inputs.end()) return;
    require(at->second.size() == datum_.targets.size(), name, " has ", at->second.size(),
            " numbers, but target_tokens has ", datum_.targets.size());
    *find_input(inputs, name) = at->second;
  }

  const TrainDatum& datum_;
  size_t number_;
  const DecoderConfig& config_;
  const TokenLoss& loss_;
};

}  // namespace

void LoraTrainer::check(const std::vector<TrainDatum>& data, const LossSpec& spec) const {
  const std::unique_ptr<TokenLoss> loss = make_loss(spec);
  hearth::check<ValueError>(!data.empty(), "forward_backward: there is no datum");
  for (size_t i = 0; i < data.size(); ++i) DatumCheck(data[i], i, base().config(), *loss).run();
}

int64_t token_count(const std::vector<TrainDatum>& data) {
  int64_t count = 0;
  for (const TrainDatum& datum : data) count += int64_t(datum.tokens.size());
  return count;
}

std::vector<size_t> cut_into_units(const std::vector<TrainDatum>& data) {
  std::vector<size_t> units;
  int64_t tokens = 0;
  for (const TrainDatum& datum : data) {
    const int64_t more = int64_t(datum.tokens.size());
    if (units.empty() || tokens + more > unit_tokens) {
      units.push_back(0);
      tokens = 0;
    }
    tokens += more;
    ++units.back();
  }
  return units;
}

}  // namespace hearth::llm
