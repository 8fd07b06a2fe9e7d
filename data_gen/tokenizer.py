"""Tokens: one or more consecutive actions, what the model predicts (paper, section 10.1).

Every single action is a token, so that every stream can be encoded; the other tokens are popular pieces of it. Encoding
is greedy: the longest token that matches, then on from its end. Tokens are made of whole actions by construction.
"""

import collections
import hashlib
import json
import pathlib
import re
from collections.abc import Iterable, Sequence

import numpy as np

from data_gen.actions import NUM_ACTIONS, describe
from data_gen.atomic import write_file
from data_gen.errors import UserError
from data_gen.kernel import inner_kernel, kernel

FORMAT_VERSION = 1
MAX_LENGTH = 32
"""The longest token, in actions."""

# A stream as a string has one character per action: chr(action). Words are cut where case and kind change, as in
# PascalCase, camelCase, snake_case and ABC_123; no token mixes them.
_PIECE = re.compile(
    r"[A-Z]?[a-z]+"
    r"|[A-Z]+(?![a-z])"
    r"|[0-9]+"
    r"|(?P<run>[ \u0100-\u0108])(?P=run)+"
    r"|[\xc2-\xf4][\x80-\xbf]+"
    r"|[!-/:-@\[-`{-~]{2,3}"
)


class Tokenizer:
    """A vocabulary of `vocab_size` ids; ids from `len(pieces)` on are padding that no stream contains."""

    def __init__(self, pieces: Sequence[str], vocab_size: int):
        """`pieces[i]` is token i as a string of chr(action); the first `NUM_ACTIONS` are the single actions."""
        if list(pieces[:NUM_ACTIONS]) != _single_actions() or len(set(pieces)) < len(pieces) or "" in pieces:
            raise UserError("the tokenizer's tokens are not all single actions followed by distinct longer pieces")
        if vocab_size % 8 or not NUM_ACTIONS <= len(pieces) <= vocab_size:
            raise UserError(
                f"vocab_size is {vocab_size}: it must be a multiple of 8, at least {-(-NUM_ACTIONS // 8) * 8}"
            )
        self.pieces = tuple(pieces)
        self.vocab_size = vocab_size
        self._trie = _build_trie(self.pieces)

    def encode(self, actions_S: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Tokens and where each starts in `actions_S` (uint16): int32 [M], int32 [M]."""
        tokens_S = np.empty(len(actions_S), np.int32)
        starts_S = np.empty(len(actions_S), np.int32)
        size = _match(np.ascontiguousarray(actions_S, np.uint16), *self._trie, tokens_S, starts_S)
        return tokens_S[:size].copy(), starts_S[:size].copy()

    def actions_of(self, token: int) -> np.ndarray:
        """The actions of one token: uint16; none for a padding id."""
        if not 0 <= token < self.vocab_size:
            raise ValueError(f"token {token} is outside the vocabulary of {self.vocab_size}")
        piece = self.pieces[token] if token < len(self.pieces) else ""
        return np.array([ord(character) for character in piece], np.uint16)

    def describe(self, token: int) -> str:
        """One token as printable text."""
        return describe(self.actions_of(token))

    @property
    def checksum(self) -> str:
        """SHA-256 of the tokenizer's file."""
        return hashlib.sha256(self._to_json()).hexdigest()

    def save(self, path: pathlib.Path) -> None:
        """Write the tokenizer to `path`, atomically."""
        write_file(path, self._to_json())

    def _to_json(self) -> bytes:
        fields = {
            "format_version": FORMAT_VERSION,
            "vocab_size": self.vocab_size,
            "pieces": self.pieces[NUM_ACTIONS:],
        }
        return (json.dumps(fields, indent=0) + "\n").encode()

    @classmethod
    def load(cls, path: pathlib.Path) -> "Tokenizer":
        """Read a tokenizer's file; `UserError` if it is none."""
        try:
            fields = json.loads(pathlib.Path(path).read_bytes())
            version, vocab_size, pieces = fields["format_version"], fields["vocab_size"], fields["pieces"]
        except FileNotFoundError:
            raise UserError(f"no tokenizer at {path}: make one with python -m data_gen.train_tokenizer") from None
        except (ValueError, KeyError, TypeError):
            raise UserError(f"{path} is not a tokenizer's file") from None
        if version != FORMAT_VERSION:
            raise UserError(f"{path} has tokenizer format {version}; this program reads format {FORMAT_VERSION}")
        return cls(_single_actions() + pieces, vocab_size)


def train(streams: Iterable[np.ndarray], vocab_size: int) -> Tokenizer:
    """The tokenizer whose pieces save the most actions over `streams` (uint16 arrays, counted one by one).

    A piece of n actions that occurs c times saves c (n - 1); ties are broken by the piece itself.
    """
    counts: collections.Counter[str] = collections.Counter()
    for actions_S in streams:
        text = actions_S.astype(np.uint32).tobytes().decode("utf-32-le")
        counts.update(match[0][:MAX_LENGTH] for match in _PIECE.finditer(text))
    saved = {piece: count * (len(piece) - 1) for piece, count in counts.items() if len(piece) > 1 and count > 1}
    popular = sorted(saved, key=lambda piece: (-saved[piece], piece))
    return Tokenizer(_single_actions() + popular[: max(0, vocab_size - NUM_ACTIONS)], vocab_size)


def _single_actions() -> list[str]:
    return [chr(action) for action in range(NUM_ACTIONS)]


def _build_trie(pieces: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A trie in compressed rows: edges of node i are first_edge[i]:first_edge[i+1], sorted by action."""
    children: list[dict[int, int]] = [{}]
    token_of_node = [-1]
    for token, piece in enumerate(pieces):
        node = 0
        for action in map(ord, piece):
            if action not in children[node]:
                children[node][action] = len(children)
                children.append({})
                token_of_node.append(-1)
            node = children[node][action]
        token_of_node[node] = token
    edges = [edge for node in children for edge in sorted(node.items())]
    first_edge = np.cumsum([0] + [len(node) for node in children])
    edge_action, edge_node = np.array(edges).T
    return (
        first_edge.astype(np.int32),
        edge_action.astype(np.uint16),
        edge_node.astype(np.int32),
        np.array(token_of_node, np.int32),
    )


@kernel
def _match(actions_S, first_edge, edge_action, edge_node, token_of_node, tokens_S, starts_S):
    size, start = 0, 0
    while start < len(actions_S):
        node, position, end = 0, start, start
        while position < len(actions_S):
            node = _child(node, actions_S[position], first_edge, edge_action, edge_node)
            if node < 0:
                break
            position += 1
            if token_of_node[node] >= 0:
                tokens_S[size] = token_of_node[node]
                end = position
        starts_S[size] = start
        size += 1
        start = end
    return size


@inner_kernel
def _child(node, action, first_edge, edge_action, edge_node):
    low, high = first_edge[node], first_edge[node + 1]
    while low < high:
        middle = (low + high) // 2
        if edge_action[middle] < action:
            low = middle + 1
        else:
            high = middle
    return edge_node[low] if low < first_edge[node + 1] and edge_action[low] == action else -1
