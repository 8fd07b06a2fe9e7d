"""The scorers that need no model: exact, normalised and similar. None executes what a model wrote."""

from inspect_ai.scorer import CORRECT, INCORRECT, Score, Scorer, Target, accuracy, ci_wilson, grouped, mean, scorer
from inspect_ai.solver import TaskState
from rapidfuzz.distance import Levenshtein

from benchmarks.diff_inflate_bench.dialogue import Answer, end_free, read_answer
from benchmarks.diff_inflate_bench.equality import normal_form

TRUNCATED = "truncated"
RIGHT_OR_WRONG = [grouped(accuracy(), "patches"), ci_wilson()]
"""Metrics over what has been scored; what is not is counted by Inspect."""


def answer_of(state: TaskState) -> Answer:
    """What the model answered."""
    return read_answer(state.output.completion, state.output.stop_reason)


def truncated(answer: Answer) -> Score:
    """The score of an answer that was cut: it does not count as wrong."""
    return Score.unscored(reason=TRUNCATED, answer=answer.text)


def right_or_wrong(right: bool, answer: Answer, explanation: str | None = None) -> Score:
    """The score of a whole answer."""
    return Score(value=CORRECT if right else INCORRECT, answer=answer.text, explanation=explanation)


@scorer(metrics=RIGHT_OR_WRONG)
def exact() -> Scorer:
    """Whether the answer is the file, character by character, line breaks at its end aside."""

    async def score(state: TaskState, target: Target) -> Score:
        answer = answer_of(state)
        return truncated(answer) if answer.cut else right_or_wrong(answer.text == end_free(target.text), answer)

    return score


@scorer(metrics=RIGHT_OR_WRONG)
def normalised() -> Scorer:
    """Whether the answer is the same Python up to formatting, comments and the order of definitions.

    Files that this Python cannot parse, other languages among them, are not scored.
    """

    async def score(state: TaskState, target: Target) -> Score:
        answer = answer_of(state)
        if answer.cut:
            return truncated(answer)
        truth = normal_form(target.text)
        if truth is None:
            return Score.unscored(reason="scoring_failed", answer=answer.text, explanation="the file cannot be parsed")
        return right_or_wrong(normal_form(answer.text) == truth, answer)

    return score


@scorer(metrics=[grouped(mean(), "patches")])
def similarity() -> Scorer:
    """1 minus the edit distance in characters over the length of the longer text."""

    async def score(state: TaskState, target: Target) -> Score:
        answer = answer_of(state)
        if answer.cut:
            return truncated(answer)
        value = Levenshtein.normalized_similarity(answer.text, end_free(target.text))
        return Score(value=value, answer=answer.text)

    return score
