"""The benchmark under Inspect: the reference solvers, a real HTTP client against a server of our own, bad input."""

import collections
import contextlib
import http.server
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest
from moved_lines import STATES, lines

pytest.importorskip("inspect_ai", reason="needs inspect-ai (extra bench)")

from inspect_ai import eval as run_eval
from inspect_ai.log import list_eval_logs, read_eval_log
from inspect_ai.model import GenerateConfig, get_model_info

from benchmarks.diff_inflate_bench import task
from benchmarks.diff_inflate_bench.cost import LIST_PRICES, read_prices
from benchmarks.diff_inflate_bench.dialogue import ask
from benchmarks.diff_inflate_bench.judge import read_verdict
from benchmarks.diff_inflate_bench.last_seen import last_seen
from benchmarks.diff_inflate_bench.reference import copy_first, oracle
from benchmarks.diff_inflate_bench.reference import last_seen as last_seen_solver
from benchmarks.diff_inflate_bench.results import Agreement, agreement, points, read_results
from benchmarks.diff_inflate_bench.samples import read_samples, write_samples
from benchmarks.diff_inflate_bench.selection import Choice, choose_samples
from data_gen.errors import UserError

ROOT = pathlib.Path(__file__).parents[3]
TASK = "benchmarks/diff_inflate_bench/task.py"


@pytest.fixture
def samples(moved, tmp_path):
    path = tmp_path / "samples.jsonl"
    write_samples(path, choose_samples(str(moved.folder), Choice(patches=(1, 2, 3, 4))))
    return path


def evaluate(logs, model="none/none", solver=None, **arguments):
    with contextlib.chdir(ROOT):
        (log,) = run_eval(TASK, task_args=arguments, model=model, solver=solver, log_dir=str(logs), display="none")
    assert log.status == "success", log.error
    return {sample.metadata["patches"]: sample for sample in log.samples}


def values(answers, scorer):
    return [answers[patches].scores[scorer].value for patches in sorted(answers)]


@pytest.mark.parametrize("context", [3, 1, 0])
def test_the_oracle_is_always_right(samples, tmp_path, context):
    answers = evaluate(tmp_path / "logs", solver=oracle(), samples=str(samples), context=context)
    assert values(answers, "exact") == values(answers, "normalised") == ["C"] * 4
    assert values(answers, "similarity") == [1.0] * 4


@pytest.mark.parametrize("context, right", [(3, "CCCC"), (1, "CCCI"), (0, "CIII")])
def test_last_seen_is_right_as_far_as_the_context_shows(samples, tmp_path, context, right):
    answers = evaluate(tmp_path / "logs", solver=last_seen_solver(), samples=str(samples), context=context)
    assert values(answers, "exact") == list(right)
    for sample in read_samples(samples).samples:
        text = last_seen(sample.diffs[context], context)
        assert answers[len(sample.commits)].scores["exact"].answer == text.rstrip("\n")


def test_copy_first_is_right_about_one_patch(samples, tmp_path):
    answers = evaluate(tmp_path / "logs", solver=copy_first(), samples=str(samples))
    assert values(answers, "exact") == values(answers, "normalised") == ["C", "I", "I", "I"]
    assert answers[2].scores["similarity"].value == pytest.approx(13 / 15)  # 8 letters, 7 newlines; "X\n" is missing


class Server(http.server.ThreadingHTTPServer):
    """Speaks as OpenAI's API does; `answer` makes of a model and a prompt a status, a text and a finish reason."""

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.asked = collections.Counter()
        self.requests = []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = request["messages"][-1]["content"]
        if not isinstance(prompt, str):
            prompt = "".join(part["text"] for part in prompt)
        self.server.asked[prompt] += 1
        self.server.requests.append(request)
        status, text, finish = self.server.answer(request["model"], prompt, self.server.asked[prompt])
        message = {"role": "assistant", "content": text}
        body = {
            "id": "x",
            "object": "chat.completion",
            "created": 0,
            "model": request["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": finish}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110},
        }
        if status != 200:
            body = {"error": {"message": text, "type": "error", "code": status}}
        encoded = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(encoded)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve(monkeypatch):
    servers = []

    def start(answer):
        server = Server(answer)
        servers.append(server)
        monkeypatch.setenv("LOCAL_API_KEY", "none")
        monkeypatch.setenv("LOCAL_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_model_behind_http_is_asked_scored_and_judged(samples, tmp_path, serve):
    pytest.importorskip("openai", reason="needs openai (extra bench)")
    prompts = {ask(sample.path, sample.diffs[1], 1): len(sample.commits) for sample in read_samples(samples).samples}
    limited = []

    def answer(model, prompt, times):
        if model == "judge":
            verdicts = {"t1": "VERDICT: different", "# too": "VERDICT: EQUIVALENT"}
            return 200, next((v for mark, v in verdicts.items() if mark in prompt), "VERDICT: DIFFERENT"), "stop"
        patches = prompts[prompt]
        if patches == 1 and times == 1:
            limited.append(patches)
            return 429, "Rate limit reached", None
        text = lines(STATES[patches - 1])
        return {
            1: (200, f"```python\n{text}```", "stop"),
            2: (200, text.replace("X", "X  # too"), "stop"),
            3: (200, f"```python\n{text[:5]}", "length"),
            4: (200, f"Here it is:\n\n```python\n{text}```\n\nDone.", "stop"),
        }[patches]

    server = serve(answer)
    logs = tmp_path / "logs"
    judge = "openai-api/local/judge"
    answers = evaluate(logs, "openai-api/local/small", samples=str(samples), context=1, judge=judge)
    assert limited == [1]
    assert [answers[patches].output.stop_reason for patches in (1, 2, 3, 4)] == ["stop", "stop", "max_tokens", "stop"]
    asked = {p: server.asked[prompt] for prompt, p in prompts.items()}
    assert asked == {1: 2, 2: 1, 3: 1, 4: 1}

    (result,) = read_results(logs)
    assert (result.name, result.context, result.judge, result.expected) == ("openai-api/local/small", 1, judge, 4)
    found = {point.patches: point for point in points(result)}
    assert [found[n].truncated for n in (1, 2, 3, 4)] == [0, 0, 1, 0]
    assert [found[n].scores["exact"] for n in (1, 2, 3, 4)] == [(1, 1), (0, 1), (0, 0), (1, 1)]
    assert [found[n].scores["normalised"] for n in (1, 2, 3, 4)] == [(1, 1), (1, 1), (0, 0), (1, 1)]
    assert [found[n].scores["judge"] for n in (1, 2, 3, 4)] == [(0, 1), (1, 1), (0, 0), (0, 0)]
    assert [found[n].input_tokens for n in (1, 2, 3, 4)] == [200, 200, 100, 200]
    assert agreement(result.samples, "normalised") == Agreement(both=1, judge_only=0, scorer_only=1, neither=0)
    assert agreement(result.samples, "exact") == Agreement(both=0, judge_only=1, scorer_only=1, neither=0)


def test_a_judge_reasons_as_it_likes_and_the_answerer_little(samples, tmp_path, serve):
    pytest.importorskip("openai", reason="needs openai (extra bench)")
    server = serve(lambda model, prompt, times: (200, "VERDICT: DIFFERENT", "stop"))
    model, logs = "openai-api/local/gpt-5-mini", tmp_path / "logs"
    evaluate(logs, model, samples=str(samples), judge=model)
    efforts = [request.get("reasoning_effort") for request in server.requests]
    assert efforts.count("minimal") == efforts.count(None) == 4
    (result,) = read_results(logs)
    assert result.name == f"{model}, effort minimal"


@pytest.mark.parametrize(
    "completion, verdict",
    [
        ("Equal.\n\nVERDICT: EQUIVALENT\n", True),
        ("VERDICT: DIFFERENT", False),
        ("  VERDICT: DIFFERENT  ", False),
        ("VERDICT: EQUIVALENT\nVERDICT: DIFFERENT", None),
        ("VERDICT: EQUIVALENT or DIFFERENT", None),
        ("Verdict: EQUIVALENT", None),
        ("VERDICT: EQUIVALENT.", None),
        ("VERDICT: EQUIVALENT\nBut see above.", None),
        ("They are EQUIVALENT", None),
        ("", None),
    ],
)
def test_only_a_clear_verdict_counts(completion, verdict):
    assert read_verdict(completion) is verdict


@pytest.mark.parametrize(
    "model, effort, tokens",
    [
        ("openai/gpt-5-codex", "low", None),
        ("openai/gpt-5-mini", "minimal", None),
        ("openai/gpt-5-pro", None, None),
        ("openai/gpt-5.1", "none", None),
        ("openai/gpt-5.1-codex", "low", None),
        ("openai/gpt-5.2-chat-latest", None, None),
        ("openai/gpt-6-luna", "none", None),
        ("openai/gpt-6.1-sol", "low", None),
        ("openai/o3", "low", None),
        ("openrouter/openai/gpt-6-astra", "low", None),
        ("google/gemini-2.5-flash", None, 0),
        ("google/gemini-2.5-pro", None, 128),
        ("google/gemini-3.8-flash", "minimal", None),
        ("anthropic/claude-sonnet-4-5", "none", None),
        ("anthropic/claude-opus-5-5", "low", None),
        ("openai-api/local/small", None, None),
    ],
)
def test_models_reason_as_little_as_they_can(model, effort, tokens):
    config = task.least_reasoning(model)
    assert (config.reasoning_effort, config.reasoning_tokens) == (effort, tokens)


def test_costs_are_those_of_the_prices(samples, tmp_path, serve, monkeypatch):
    pytest.importorskip("openai", reason="needs openai (extra bench)")
    server = serve(lambda model, prompt, times: (200, "no", "stop"))  # 100 tokens in and 10 out
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    with contextlib.chdir(ROOT):
        run_eval(
            TASK, task_args={"samples": str(samples)}, model="openai/gpt-6-luna", log_dir=str(tmp_path / "logs"),
            model_base_url=f"http://127.0.0.1:{server.server_port}/v1", model_args={"responses_api": False},
            model_cost_config=str(LIST_PRICES), display="none",
        )  # fmt: skip
    price_in, price_out = read_prices(LIST_PRICES)["openai/gpt-6-luna"]
    (result,) = read_results(tmp_path / "logs")
    assert [point.cost for point in points(result)] == pytest.approx([(100 * price_in + 10 * price_out) / 1e6] * 4)
    assert server.requests[0]["reasoning_effort"] == "none"


def test_inspect_knows_the_models_that_have_prices():
    for model in read_prices(LIST_PRICES):
        assert get_model_info(model) is not None
        assert task.least_reasoning(model) != GenerateConfig()


def inspect(*arguments, **environment):
    return subprocess.Popen(
        [pathlib.Path(sys.executable).with_name("inspect"), *map(str, arguments), "--display=plain"],
        cwd=ROOT,
        env={**os.environ, "PWD": str(ROOT), "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({}, "give either -T samples=FILE or -T repo=PATH"),
        ({"samples": "none.jsonl"}, "none.jsonl: No such file or directory"),
        ({"repo": "none"}, "none: no such folder"),
        ({"samples": "{samples}"}, "there is no model yet: give Inspect the path of the task"),
        ({"samples": "{samples}", "context": 2}, "context=2: the samples have diffs with 0, 1 or 3 lines of context"),
        ({"samples": "{samples}", "judge": "nobody"}, "judge=nobody: Model name 'nobody' should be in the format of"),
    ],
)
def test_bad_arguments_are_one_line(samples, monkeypatch, arguments, message):
    if "judge" in arguments:
        monkeypatch.setenv("INSPECT_EVAL_MODEL", "none/none")
    given = {name: value.format(samples=samples) if name == "samples" else value for name, value in arguments.items()}
    with pytest.raises(Exception, match=message) as raised:
        task.diff_inflate_bench(**given)
    assert "\n" not in str(raised.value.message)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ["-T", "context=2", "--model=none"],
            "error: context=2: the samples have diffs with 0, 1 or 3 lines of context",
        ),
        (["--model=openai/gpt-5-mini"], "No OPENAI_API_KEY"),
        (["--model=none", "-T", "judge=openai/gpt-5-mini"], "No OPENAI_API_KEY"),
    ],
)
def test_inspect_prints_no_traceback(samples, tmp_path, arguments, message):
    keys = {name: "" for name in os.environ if "API_KEY" in name}
    process = inspect("eval", TASK, "-T", f"samples={samples}", f"--log-dir={tmp_path}/logs", *arguments, **keys)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert message in output and "Traceback" not in output


@pytest.mark.slow
def test_an_interrupted_run_is_resumed(samples, tmp_path, serve):
    pytest.importorskip("openai", reason="needs openai (extra bench)")
    texts = {ask(s.path, s.diffs[3], 3): s.truth for s in read_samples(samples).samples}
    third, go_on = threading.Event(), threading.Event()

    def answer(model, prompt, times):
        if len(server.asked) == 3 and not third.is_set():
            third.set()
            go_on.wait(60)
        return 200, texts[prompt], "stop"

    server = serve(answer)
    logs = tmp_path / "logs"
    process = inspect(
        "eval", TASK, "-T", f"samples={samples}", "--model=openai-api/local/small", f"--log-dir={logs}",
        "--max-samples=1", "--log-buffer=1",
    )  # fmt: skip
    assert third.wait(60)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    go_on.set()
    (info,) = list_eval_logs(str(logs))
    assert read_eval_log(info).status == "cancelled"
    (result,) = read_results(logs)
    assert len(result.samples) == 2 and result.expected == 4

    process = inspect("eval-retry", info.name, f"--log-dir={logs}")
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    (result,) = read_results(logs)
    assert sorted(sample.metadata["patches"] for sample in result.samples) == [1, 2, 3, 4]
    assert all(sample.scores["exact"].value == "C" for sample in result.samples)
    assert sorted(server.asked.values()) == [1, 1, 1, 2]


def test_results_of_other_sets_are_not_mixed(samples, moved, tmp_path):
    logs = tmp_path / "logs"
    evaluate(logs, solver=oracle(), samples=str(samples))
    evaluate(logs, solver=oracle(), repo=str(moved.folder))
    with pytest.raises(UserError, match="logs of 2 sets of samples, which cannot be compared"):
        read_results(logs)
