"""What a model is asked, and what it answers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_ONE_DIFF = "Below is a diff of one file, {path}, as `git diff -U{context}` prints it. It creates the file."
_DIFFS = (
    "Below are {count} diffs of one file, {path}, oldest first, as `git diff -U{context}` prints them. The first"
    " creates the file, and each of the others was made against the file as the one before it left it."
)
_PROMPT = """\
{intro}

Write the file as it is in the end: all of it, with nothing left out or abbreviated. Answer with one code block fenced \
with {fence} that has the whole file in it, and nothing else.

{diffs}"""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^`]*)")
_CUT = ("max_tokens", "model_length", "content_filter")


@dataclass(frozen=True, slots=True)
class Answer:
    """The file that a model wrote, without the line breaks at its end; `cut` if the model was stopped in it."""

    text: str
    cut: bool


def ask(path: str, diffs: Sequence[str], context: int) -> str:
    """The prompt that shows `diffs` and asks for the file."""
    shown = "".join(diffs)
    intro = (_DIFFS if len(diffs) > 1 else _ONE_DIFF).format(count=len(diffs), path=path, context=context)
    return _PROMPT.format(intro=intro, fence=fence_for(shown), diffs=shown)


def fence_for(*texts: str) -> str:
    """More backticks than there are in a row in any of `texts`, and at least three."""
    longest = max((len(run) for text in texts for run in re.findall(r"`+", text)), default=0)
    return "`" * max(3, longest + 1)


def read_answer(completion: str, stop_reason: str) -> Answer:
    """The longest fenced block of `completion`, or all of it where there is none.

    `stop_reason` is Inspect's. An answer whose block had ended before the model was stopped is not cut.
    """
    blocks = _fenced_blocks(completion)
    text, closed = max(blocks, key=lambda block: len(block[0]), default=(completion, False))
    return Answer(end_free(text), stop_reason in _CUT and not closed)


def end_free(text: str) -> str:
    """`text` without the line breaks at its end, which a fenced block cannot show."""
    return text.replace("\r\n", "\n").rstrip("\n")


def _fenced_blocks(text: str) -> list[tuple[str, bool]]:
    """The blocks of `text` between fences, and whether each has a closing fence.

    As in CommonMark, but a fence with a language inside a block opens a block of the file itself: a model that does
    not heed the fence it was asked for ends its answer with a fence of its own.
    """
    blocks: list[tuple[str, bool]] = []
    lines: list[str] = []
    fence, inner = "", 0
    for line in text.replace("\r\n", "\n").split("\n"):
        mark = _FENCE.fullmatch(line)
        if not fence:
            if mark:
                fence, lines, inner = mark[1], [], 0
            continue
        if mark and mark[1].startswith(fence):
            inner += 1 if mark[2].strip() else -1
        if inner < 0:
            blocks.append(("\n".join(lines), True))
            fence = ""
        else:
            lines.append(line)
    return [*blocks, ("\n".join(lines), False)] if fence else blocks
