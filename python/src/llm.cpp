// hearth.llm's extension half: a loaded model that continues prompts, and fine-tuning runs that report to Python.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>

#include "llm/lora/files.h"
#include "llm/sample/generate.h"
#include "llm/tokenizer/chat_template.h"
#include "llm/tune/run.h"
#include "llm/weights/load.h"
#include "llm/weights/tokenizer_of.h"
#include "python/src/binding.h"
#include "python/src/errors.h"
#include "python/src/python_node.h"
#include "python/src/tensor_object.h"

namespace hearth::python {

namespace nb = nanobind;

namespace {

/// A model with what sampling needs.
class LanguageModel {
 public:
  LanguageModel(const std::string& path, const std::optional<std::string>& adapter,
                const std::optional<std::string>& dtype)
      : path_(path),
        model(llm::load_model(path, dtype ? std::optional<Dtype>(dtype_from_name(*dtype)) : std::nullopt)),
        tokenizer(llm::load_model_tokenizer(path, model->config())) {
    if (adapter)
      adapter_.emplace(
          llm::load_adapter(*adapter, model->linear_layers(), llm::base_fingerprint(model->named_parameters())));
    generator.emplace(*model, adapter_ ? &*adapter_ : nullptr, &tokenizer);
  }

  std::vector<int32_t> encode(const std::string& text) const {
    if (!text.empty() || tokenizer.bos_id())
      return tokenizer.encode(text, {.add_bos = tokenizer.wants_bos() || text.empty()});
    check<ValueError>(model->config().bos_token_id >= 0,
                      "generate: an empty prompt needs a model with a beginning token");
    return {int32_t(model->config().bos_token_id)};
  }

  std::vector<int32_t> encode_chat(const std::vector<std::vector<std::string>>& turns) {
    if (!chat_) chat_.emplace(llm::load_chat_template(tokenizer, path_));
    std::vector<llm::ChatMessage> messages;
    for (const auto& turn : turns) {
      check<ValueError>(turn.size() == 2, "chat: a message is a role and a content");
      messages.push_back({turn[0], turn[1], ""});
    }
    return tokenizer.encode(chat_->render(messages, {.add_generation_prompt = true}), {.parse_special = true});
  }

 private:
  std::string path_;
  std::optional<llm::LoraAdapter> adapter_;
  std::optional<llm::ChatTemplate> chat_;

 public:
  std::unique_ptr<llm::CausalLm> model;
  llm::Tokenizer tokenizer;
  std::optional<llm::Generator> generator;
};

llm::SamplingParams params_from(const nb::dict& settings) {
  llm::SamplingParams p;
  for (auto [key, value] : settings) {
    const std::string name = nb::cast<std::string>(key);
    if (name == "temperature")
      p.temperature = nb::cast<double>(value);
    else if (name == "top_k")
      p.top_k = nb::cast<int64_t>(value);
    else if (name == "top_p")
      p.top_p = nb::cast<double>(value);
    else if (name == "min_p")
      p.min_p = nb::cast<double>(value);
    else if (name == "repetition_penalty")
      p.repetition_penalty = nb::cast<double>(value);
    else if (name == "seed")
      p.seed = nb::cast<uint64_t>(value);
    else if (name == "max_tokens")
      p.max_tokens = nb::cast<int64_t>(value);
    else if (name == "stop")
      p.stop = nb::cast<std::vector<std::string>>(value);
    else
      fail<ValueError>("generate: setting not known: ", name);
  }
  return p;
}

/// Asks the interpreter whether the user wants to stop; false then, with the error pending in `pending`.
bool go_on(nb::object& pending) {
  if (PyErr_CheckSignals() == 0) return true;
  PyErr_Clear();
  pending = nb::borrow(PyExc_KeyboardInterrupt);
  return false;
}

nb::list generate(LanguageModel& m, const std::vector<std::vector<int32_t>>& prompts, const nb::dict& settings,
                  const nb::object& on_token) {
  std::vector<llm::Request> requests;
  for (size_t i = 0; i < prompts.size(); ++i) {
    requests.push_back({prompts[i], params_from(settings)});
    requests.back().params.seed += i;
  }
  nb::object stopped;
  std::optional<nb::python_error> failed;
  const llm::OnToken watch = [&](size_t request, int32_t token, float logprob, const std::string& text) {
    const nb::gil_scoped_acquire gil;
    try {
      if (!on_token.is_none()) on_token(request, token, logprob, text);
    } catch (nb::python_error& error) {
      failed.emplace(std::move(error));
      return false;
    }
    return go_on(stopped);
  };
  std::vector<llm::Generated> results;
  {
    const nb::gil_scoped_release free;
    results = m.generator->run(requests, watch);
  }
  if (failed) throw std::move(*failed);
  if (stopped.ptr()) {
    PyErr_SetNone(PyExc_KeyboardInterrupt);
    throw_python();
  }
  nb::list list;
  for (const llm::Generated& g : results)
    list.append(nb::make_tuple(g.text, g.tokens, g.logprobs, g.reason == llm::FinishReason::stop ? "stop" : "length"));
  return list;
}

template <class T>
void take(const nb::dict& settings, std::map<std::string, bool>& seen, const char* name, T& target) {
  if (!settings.contains(name)) return;
  seen[name] = true;
  target = nb::cast<T>(settings[name]);
}

llm::TuneOptions options_from(const nb::dict& settings) {
  llm::TuneOptions o;
  std::map<std::string, bool> seen;
  const auto read = [&](const char* name, auto& target) { take(settings, seen, name, target); };
  read("model", o.model), read("data", o.data), read("out", o.out);
  read("validation_data", o.validation_data), read("validation_split", o.validation_split);
  read("full", o.full), read("rank", o.lora.rank), read("alpha", o.lora.alpha), read("dropout", o.lora.dropout);
  read("target_modules", o.lora.target_modules), read("dtype", o.dtype);
  read("steps", o.steps), read("epochs", o.epochs), read("batch_size", o.batch_size);
  read("batch_tokens", o.batch_tokens), read("max_length", o.max_length), read("learning_rate", o.learning_rate);
  read("schedule", o.schedule), read("warmup_steps", o.warmup_steps), read("weight_decay", o.weight_decay);
  read("clip", o.clip), read("dpo_beta", o.dpo_beta), read("train_on_prompt", o.train_on_prompt);
  read("format", o.format), read("limit", o.limit), read("seed", o.seed), read("eval_every", o.eval_every);
  read("save_every", o.save_every), read("checkpoint_activations", o.checkpoint_activations), read("resume", o.resume);
  for (auto [key, value] : settings)
    check<ValueError>(seen.contains(nb::cast<std::string>(key)),
                      "tune: setting not known: ", nb::cast<std::string>(key));
  return o;
}

nb::dict run_tune(const nb::dict& settings, const nb::object& on_plan, const nb::object& on_step,
                  const nb::object& on_note) {
  const llm::TuneOptions options = options_from(settings);
  nb::object stopped;
  llm::TuneEvents events;
  events.on_plan = [&](const llm::TunePlan& plan) {
    const nb::gil_scoped_acquire gil;
    nb::dict d;
    d["kind"] = plan.kind, d["examples"] = plan.examples, d["validation_examples"] = plan.validation_examples;
    d["trainable_parameters"] = plan.trainable_parameters, d["model_parameters"] = plan.model_parameters;
    d["steps"] = plan.steps, d["first_step"] = plan.first_step, d["notes"] = plan.notes;
    if (!on_plan.is_none()) on_plan(d);
  };
  events.on_step = [&](const llm::StepMetrics& step) {
    const nb::gil_scoped_acquire gil;
    nb::dict d;
    d["step"] = step.step, d["loss"] = step.loss, d["validation_loss"] = step.validation_loss;
    d["learning_rate"] = step.learning_rate, d["gradient_norm"] = step.gradient_norm, d["tokens"] = step.tokens;
    d["seconds"] = step.seconds, d["tokens_per_second"] = step.tokens_per_second;
    if (!on_step.is_none()) on_step(d);
  };
  events.on_note = [&](const std::string& note) {
    const nb::gil_scoped_acquire gil;
    if (!on_note.is_none()) on_note(note);
  };
  events.should_stop = [&] {
    const nb::gil_scoped_acquire gil;
    return !go_on(stopped);
  };
  llm::TuneResult result;
  {
    const nb::gil_scoped_release free;
    result = llm::tune(options, events);
  }
  nb::dict d;
  d["steps"] = result.steps, d["loss"] = result.loss, d["validation_loss"] = result.validation_loss;
  d["interrupted"] = result.interrupted;
  return d;
}

/// hearth's errors leave nanobind's functions as the classes that they are elsewhere.
template <class F>
auto translated(F f) {
  return [f](auto&&... args) -> nb::object {
    PyObject* result = guarded([&]() -> PyObject* { return nb::cast(f(args...)).release().ptr(); });
    if (!result) throw_python();
    return nb::steal(result);
  };
}

const Binding binding{[](Module& m) {
  nb::class_<LanguageModel>(m.nanobind(), "_LanguageModel", "A model folder with its tokenizer, ready to sample.")
      .def(
          "__init__",
          [](LanguageModel* self, const std::string& path, const std::optional<std::string>& adapter,
             const std::optional<std::string>& dtype) {
            if (!guarded([&]() -> PyObject* {
                  new (self) LanguageModel(path, adapter, dtype);
                  return Py_None;
                }))
              throw_python();
          },
          nb::arg("path"), nb::arg("adapter").none() = nb::none(), nb::arg("dtype").none() = nb::none())
      .def("encode",
           [](LanguageModel& l, const std::string& text) {
             return translated([&](const std::string& t) { return l.encode(t); })(text);
           })
      .def("encode_chat",
           [](LanguageModel& l, const std::vector<std::vector<std::string>>& turns) {
             return translated([&](const auto& t) { return l.encode_chat(t); })(turns);
           })
      .def("decode",
           [](LanguageModel& l, const std::vector<int32_t>& ids) {
             return translated([&](const auto& i) { return l.tokenizer.decode(i); })(ids);
           })
      .def(
          "generate",
          [](LanguageModel& l, const std::vector<std::vector<int32_t>>& prompts, const nb::dict& settings,
             const nb::object& on_token) {
            return translated([&]() { return generate(l, prompts, settings, on_token); })();
          },
          nb::arg("prompts"), nb::arg("settings"), nb::arg("on_token").none() = nb::none())
      .def("logits",
           [](LanguageModel& l, const std::vector<std::vector<int32_t>>& tokens) {
             return translated(
                 [&]() { return nb::steal(checked(wrap(l.model->logits(l.model->hidden(llm::pack(tokens)))))); })();
           })
      .def("named_parameters",
           [](LanguageModel& l) {
             nb::list list;
             for (const auto& [name, tensor] : l.model->named_parameters())
               list.append(nb::make_tuple(name, nb::steal(checked(wrap(tensor)))));
             return list;
           })
      .def_prop_ro("vocab_size", [](LanguageModel& l) { return l.tokenizer.vocab_size(); });
  m.nanobind().def(
      "_tune",
      [](const nb::dict& settings, const nb::object& on_plan, const nb::object& on_step, const nb::object& on_note) {
        return translated([&]() { return run_tune(settings, on_plan, on_step, on_note); })();
      },
      nb::arg("settings"), nb::arg("on_plan").none(), nb::arg("on_step").none(), nb::arg("on_note").none());
}};

}  // namespace

}  // namespace hearth::python
