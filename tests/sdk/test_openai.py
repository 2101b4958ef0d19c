"""The OpenAI-compatible endpoints, driven by the official `openai` package where it is installed."""
import pytest

import stories
from conftest import KEY, MODEL

call = pytest.mark.call
openai = pytest.importorskip("openai", reason="the openai package is not in this environment")


@pytest.fixture(scope="module", params=["/v1", "/oai/api/v1"])
def client(server, request):
    return openai.OpenAI(base_url=server.url + request.param, api_key=KEY, max_retries=0)


STORY = "Once upon a time"


@call("openai: models")
def test_models(client):
    assert MODEL in [model.id for model in client.models.list()]
    assert client.models.retrieve(MODEL).id == MODEL


@call("openai: completions")
def test_completion(client):
    first, again = (client.completions.create(model=MODEL, prompt=STORY, max_tokens=12, seed=3) for _ in range(2))
    assert first.choices[0].text == again.choices[0].text and first.choices[0].text
    assert first.usage.completion_tokens <= 12 and first.usage.prompt_tokens > 0
    assert first.choices[0].finish_reason in ("length", "stop") and first.object == "text_completion"


@call("openai: completions with n, stop, logprobs, token prompts, several prompts")
def test_completion_options(client, base_sampler):
    many = client.completions.create(model=MODEL, prompt=[STORY, "The cat"], n=2, max_tokens=5, seed=1)
    assert [choice.index for choice in many.choices] == [0, 1, 2, 3]
    greedy = client.completions.create(model=MODEL, prompt=STORY, max_tokens=40, temperature=0)
    stopped = client.completions.create(model=MODEL, prompt=STORY, max_tokens=40, temperature=0, stop=["."])
    assert stopped.choices[0].finish_reason == "stop" and stopped.choices[0].text == greedy.choices[0].text.split(".")[0]
    ids = base_sampler.get_tokenizer().encode(STORY)
    by_ids = client.completions.create(model=MODEL, prompt=ids, max_tokens=6, temperature=0, logprobs=2)
    values = by_ids.choices[0].logprobs
    assert len(values.tokens) == len(values.token_logprobs) == len(values.top_logprobs) == len(values.text_offset)
    assert all(value <= 0 for value in values.token_logprobs)


@call("openai: completions, streaming")
def test_completion_stream(client):
    whole = client.completions.create(model=MODEL, prompt=STORY, max_tokens=30, temperature=0)
    parts = list(client.completions.create(model=MODEL, prompt=STORY, max_tokens=30, temperature=0, stream=True,
                                           stream_options={"include_usage": True}))
    assert "".join(part.choices[0].text for part in parts if part.choices) == whole.choices[0].text
    assert parts[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert len(parts) > 5


MESSAGES = [{"role": "user", "content": "What did the cat do?"}]


@call("openai: chat completions")
def test_chat(client):
    answer = client.chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=10, seed=4, n=2, logprobs=True,
                                            top_logprobs=3)
    assert [choice.index for choice in answer.choices] == [0, 1]
    for choice in answer.choices:
        assert choice.message.role == "assistant" and isinstance(choice.message.content, str)
        assert all(len(entry.top_logprobs) == 3 and entry.logprob <= 0 for entry in choice.logprobs.content)


@call("openai: chat completions, streaming")
def test_chat_stream(client):
    whole = client.chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=20, temperature=0)
    parts = list(client.chat.completions.create(model=MODEL, messages=MESSAGES, max_tokens=20, temperature=0, stream=True))
    assert parts[0].choices[0].delta.role == "assistant"
    assert "".join(part.choices[0].delta.content or "" for part in parts) == whole.choices[0].message.content
    assert parts[-1].choices[0].finish_reason == whole.choices[0].finish_reason


@call("openai: a trained sampler by its path")
def test_trained_model(client, trainer):
    import tinker
    for _ in range(3):
        trainer.forward_backward([stories.supervised()], "cross_entropy").result()
        trainer.optim_step(tinker.AdamParams(learning_rate=3e-2)).result()
    path = trainer.save_weights_for_sampler("oai").result().path
    base = client.completions.create(model=MODEL, prompt=STORY, max_tokens=8, temperature=0, logprobs=1)
    for name in (path, f"{MODEL};{path}"):
        answer = client.completions.create(model=name, prompt=STORY, max_tokens=8, temperature=0, logprobs=1)
        assert answer.model == name
        assert answer.choices[0].logprobs.token_logprobs != base.choices[0].logprobs.token_logprobs


@call("openai: what is not honoured is refused by name")
@pytest.mark.parametrize("extra", [{"logit_bias": {"5": 3}}, {"frequency_penalty": 0.5}, {"presence_penalty": 1.0},
                                   {"best_of": 3}, {"suffix": "x"}])
def test_refusals(client, extra):
    (name,) = extra
    with pytest.raises(openai.BadRequestError, match=name):
        client.completions.create(model=MODEL, prompt=STORY, max_tokens=4, **extra)


@call("openai: errors in OpenAI's form")
def test_errors(client):
    with pytest.raises(openai.NotFoundError, match="no/such") as failure:
        client.completions.create(model="no/such", prompt=STORY)
    assert failure.value.body["message"] and failure.value.body["type"]
    with pytest.raises(openai.BadRequestError, match="messages"):
        client.chat.completions.create(model=MODEL, messages=[])
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.completions.create(model=MODEL, prompt=STORY, temperature=-1)


@call("openai: keys")
def test_keys(keyed):
    with pytest.raises(openai.AuthenticationError):
        openai.OpenAI(base_url=keyed.url + "/v1", api_key="wrong", max_retries=0).models.list()
    assert openai.OpenAI(base_url=keyed.url + "/v1", api_key=keyed.keys["alice"], max_retries=0).models.list().data
