"""What it would cost to run the benchmark."""

import json
import pathlib
from typing import NamedTuple

from benchmarks.diff_inflate_bench.dialogue import ask
from benchmarks.diff_inflate_bench.samples import CONTEXTS, SampleSet, estimate_tokens
from data_gen.errors import UserError

LIST_PRICES = pathlib.Path(__file__).with_name("prices.json")
_JUDGE_PROMPT_TOKENS, _JUDGE_ANSWER_TOKENS = 400, 300


class Tokens(NamedTuple):
    """About how many tokens go in and come out, reasoning not counted."""

    input: int
    output: int


def read_prices(path: pathlib.Path) -> dict[str, tuple[float, float]]:
    """Dollars for a million tokens in and out, by model, from a file as `inspect eval --model-cost-config` reads it."""
    try:
        prices = json.loads(path.read_bytes())
        return {model: (float(price["input"]), float(price["output"])) for model, price in prices.items()}
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f'{path}: not prices such as {{"openai/gpt-5-mini": {{"input": 0.25, "output": 2}}}}') from None


def answer_tokens(frozen: SampleSet, context: int) -> Tokens:
    """For the answers to all samples with so many lines of context."""
    prompts = (ask(sample.path, sample.diffs[context], context) for sample in frozen.samples)
    return Tokens(sum(map(estimate_tokens, prompts)), sum(estimate_tokens(sample.truth) for sample in frozen.samples))


def judge_tokens(frozen: SampleSet) -> Tokens:
    """For the judge's verdicts on the answers to all samples."""
    files = sum(2 * estimate_tokens(sample.truth) for sample in frozen.samples)
    count = len(frozen.samples)
    return Tokens(files + count * _JUDGE_PROMPT_TOKENS, count * _JUDGE_ANSWER_TOKENS)


def cost_table(frozen: SampleSet, prices: dict[str, tuple[float, float]]) -> str:
    """Tokens and dollars for each model as the answerer, with each number of context lines, and as the judge."""
    lines = [f"{'model':<28} {'as':<6} {'tokens in':>12} {'tokens out':>12} {'cost':>9}"]
    roles = {f"U{context}": answer_tokens(frozen, context) for context in CONTEXTS} | {"judge": judge_tokens(frozen)}
    for model, (price_in, price_out) in prices.items():
        for role, tokens in roles.items():
            dollars = (tokens.input * price_in + tokens.output * price_out) / 1e6
            lines.append(f"{model:<28} {role:<6} {tokens.input:>12,} {tokens.output:>12,} {f'${dollars:,.2f}':>9}")
    return "\n".join(lines)
