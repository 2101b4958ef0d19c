// OpenAI run: collects the tokens of all continuations and answers when they are complete, or piece by piece.
#include "server/api/openai_run.h"

#include <boost/json.hpp>
#include <memory>
#include <optional>

#include "server/api/openai_answer.h"
#include "server/api/text_assembly.h"
#include "server/engine/engine.h"

namespace hearth::server {
namespace {

/// One continuation as it grows.
struct Growing {
  TextAssembly assembly;
  Choice choice;                 // whole: text and tokens so far
  std::vector<ToldToken> fresh;  // told since the last piece
  bool first = true, ended = false;
};

struct Run : std::enable_shared_from_this<Run> {
  Run(Engine& engine, OpenAiRequest request, Respond respond)
      : engine(engine), request(std::move(request)), respond(std::move(respond)), head(this->request) {}

  void start(const std::string& owner, const std::string& model);
  void take(size_t prompt, const StreamedToken& token);
  void end_prompt(size_t prompt, Reply<StreamEnd> reply);
  void give_up(int status, const std::string& message);
  void finish();
  void cancel();

  Growing& at(size_t prompt, int64_t choice) {
    return growing[prompt * size_t(request.sample.num_samples) + size_t(choice)];
  }
  void send(const boost::json::value& value);
  void send_piece(Growing& one, std::string text, bool last);

  Engine& engine;
  OpenAiRequest request;
  Respond respond;
  AnswerHead head;
  std::vector<Growing> growing;
  std::vector<std::optional<int64_t>> streams;  // the engine's numbers; none once it has ended
  size_t waiting = 0;
  TokenCounts counts;
  std::optional<StreamWriter> writer;
  bool over = false;
};

void Run::start(const std::string& owner, const std::string& model) {
  const size_t prompts = request.prompts.size();
  const size_t choices = prompts * size_t(request.sample.num_samples);
  for (size_t i = 0; i < choices; ++i) {
    growing.push_back({TextAssembly(request.sample.stop_texts), {}, {}});
    growing.back().choice.index = int64_t(i);
  }
  streams.resize(prompts);
  waiting = prompts;
  auto self = shared_from_this();
  std::weak_ptr<Run> weak = self;
  respond.on_gone([weak] {
    if (auto run = weak.lock()) run->cancel();
  });
  for (size_t prompt = 0; prompt < prompts && !over; ++prompt) {
    // It may end before the call returns; then the number is of no use any more.
    auto ended = std::make_shared<bool>(false);
    int64_t number = engine.stream(
        owner, model, request.prompts[prompt], request.sample,
        [self, prompt](const StreamedToken& token) { self->take(prompt, token); },
        [self, prompt, ended](Reply<StreamEnd> reply) {
          *ended = true;
          self->streams[prompt].reset();
          self->end_prompt(prompt, std::move(reply));
        });
    if (!*ended) streams[prompt] = number;
    if (over) cancel();
  }
}

void Run::send(const boost::json::value& value) {
  if (!writer) {
    Response begin;
    begin.content_type = "text/event-stream; charset=utf-8";
    begin.headers = {{"Cache-Control", "no-cache"}};
    writer = respond.stream(std::move(begin));
  }
  if (!writer->write("data: " + boost::json::serialize(value) + "\n\n")) cancel();
}

void Run::send_piece(Growing& one, std::string text, bool last) {
  Choice piece;
  piece.index = one.choice.index;
  piece.text = std::move(text);
  piece.stopped = one.choice.stopped;
  piece.told = std::move(one.fresh);
  one.fresh.clear();
  const bool first = std::exchange(one.first, false);
  send(piece_answer(head, piece, first, last, request.logprobs));
}

void Run::take(size_t prompt, const StreamedToken& token) {
  if (over) return;
  Growing& one = at(prompt, token.choice);
  const size_t offset = one.assembly.size();
  const bool was_stopped = one.assembly.stopped();
  std::string text = one.assembly.add(token.text);
  one.choice.text += text;
  // A token of which nothing belongs to the text (the end of text, a stop text) is not told.
  if (request.logprobs && !was_stopped && one.assembly.size() > offset) {
    ToldToken told{{token.token, token.logprob, token.text}, token.top, int64_t(offset)};
    if (request.stream) one.fresh.push_back(told);
    one.choice.told.push_back(std::move(told));
  }
  if (request.stream && (!text.empty() || one.first)) send_piece(one, std::move(text), false);
}

void Run::end_prompt(size_t prompt, Reply<StreamEnd> reply) {
  if (over) return;
  if (auto* no = std::get_if<Refusal>(&reply)) return give_up(no->status, no->detail);
  const StreamEnd& end = std::get<StreamEnd>(reply);
  counts.prompt += end.prompt_tokens;
  counts.cached += end.cached_tokens;
  for (size_t i = 0; i < end.choices.size(); ++i) {
    Growing& one = at(prompt, int64_t(i));
    counts.completion += int64_t(end.choices[i].tokens.size());
    one.choice.stopped = end.choices[i].stopped || one.assembly.stopped();
    std::string rest = one.assembly.end();
    one.choice.text += rest;
    if (request.stream) send_piece(one, std::move(rest), true);
    if (over) return;
  }
  if (--waiting == 0) finish();
}

void Run::finish() {
  over = true;
  if (!request.stream) {
    std::vector<Choice> choices;
    for (Growing& one : growing) choices.push_back(std::move(one.choice));
    Response response;
    response.body = boost::json::serialize(whole_answer(head, choices, counts, request.logprobs));
    return respond(std::move(response));
  }
  if (request.include_usage) send(usage_answer(head, counts));
  writer->write("data: [DONE]\n\n");
  writer->end();
}

/// A failure after the first piece goes into the stream: its status was sent already.
void Run::give_up(int status, const std::string& message) {
  if (writer) {
    send(error_value(status, message));
    writer->end();
  } else {
    respond(openai_error(status, message));
  }
  cancel();
}

void Run::cancel() {
  over = true;
  for (auto& stream : streams)
    if (auto number = std::exchange(stream, std::nullopt)) engine.stop_stream(*number);
}

}  // namespace

void run_openai(Engine& engine, const std::string& owner, const std::string& model, OpenAiRequest request,
                const Respond& respond) {
  std::make_shared<Run>(engine, std::move(request), respond)->start(owner, model);
}

}  // namespace hearth::server
