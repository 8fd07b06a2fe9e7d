"""Which program changes a frame into the next: known ones have numbers, and the likeliest is guessed from the action.

A program (operations.py) says nothing about its place if it can help it, so that a few of them make most frames: they
are kept as templates. Encoder and decoder keep the same table of what followed what, hence make the same guesses.
"""

from typing import NamedTuple

import numpy as np

from data_gen.kernel import inner_kernel

NONE = -1
_CONTEXTS = 3


class Templates(NamedTuple):
    """The templates so far, at most one new one a frame, and the table of which came last in each context."""

    count_1: np.ndarray  # int64
    last_1: np.ndarray  # int64: the template of the frame before
    starts_S: np.ndarray  # int64: where each template's program begins
    literals_S: np.ndarray  # int64: where the literals begin that each template last brought
    contexts_H: np.ndarray  # int64; NONE: a free slot
    followers_H: np.ndarray  # int64: the template that came last in that context
    slots_3: np.ndarray  # int64: the slots of the present contexts, the most telling first


def new_templates(frames: int) -> Templates:
    """No templates yet, with room for those of `frames` frames."""
    slots = 1 << (2 * _CONTEXTS * frames).bit_length()
    return Templates(
        np.zeros(1, np.int64),
        np.full(1, NONE, np.int64),
        np.zeros(frames, np.int64),
        np.zeros(frames, np.int64),
        np.full(slots, NONE, np.int64),
        np.zeros(slots, np.int64),
        np.zeros(_CONTEXTS, np.int64),
    )


@inner_kernel
def _find_slot(templates: Templates, context: int) -> int:
    """The slot of `context`, or the free one for it; the table never fills, since a frame adds at most three."""
    mask = templates.contexts_H.shape[0] - 1
    slot = (context * 0x9E3779B1 >> 12) & mask
    while templates.contexts_H[slot] != NONE and templates.contexts_H[slot] != context:
        slot = (slot + 1) & mask
    return slot


@inner_kernel
def guess(templates: Templates, action: int) -> int:
    """The template that is likeliest after `action`, or NONE: the last that followed the last template and `action`,
    or the last template alone, or `action` alone.
    """
    before = templates.last_1[0] + 1
    typed = action + 1
    contexts = (before << 17 | typed, before << 17 | 0x10001, 1 << 40 | typed)
    best = NONE
    for i in range(2, -1, -1):
        slot = _find_slot(templates, contexts[i])
        templates.slots_3[i] = slot
        if templates.contexts_H[slot] != NONE:
            best = templates.followers_H[slot]
        templates.contexts_H[slot] = contexts[i]
        templates.followers_H[slot] = best
    return best


@inner_kernel
def learn(templates: Templates, template: int) -> None:
    """`template` is what came after the last guess."""
    for i in range(_CONTEXTS):
        templates.followers_H[templates.slots_3[i]] = template
    templates.last_1[0] = template


@inner_kernel
def find_program(templates: Templates, numbers_H: np.ndarray, program: np.ndarray, begin: int, end: int) -> int:
    """The template whose program is `program[begin:end]`, which becomes a new one if there is none.

    `numbers_H` is the encoder's hash table of the templates' numbers; NONE: a free slot.
    """
    code = end - begin
    for position in range(begin, end):
        code = (code * 31 + int(program[position])) & 0xFFFFFFFF
    mask = numbers_H.shape[0] - 1
    slot = (code * 0x9E3779B1 >> 12) & mask
    while numbers_H[slot] != NONE:
        start = templates.starts_S[numbers_H[slot]]
        length = 0
        while length < end - begin and program[start + length] == program[begin + length]:
            length += 1
        if length == end - begin:
            return numbers_H[slot]
        slot = (slot + 1) & mask
    numbers_H[slot] = templates.count_1[0]
    return add_template(templates, begin)


@inner_kernel
def add_template(templates: Templates, start: int) -> int:
    """Make a template of the program that begins at `start`; its number."""
    template = templates.count_1[0]
    templates.starts_S[template] = start
    templates.count_1[0] = template + 1
    return template
