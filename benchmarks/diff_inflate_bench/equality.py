"""Whether two Python files are the same up to formatting, comments and the order of definitions.

The files are parsed, never executed.
"""

import ast
import heapq
import warnings
from collections import defaultdict
from collections.abc import Iterator

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_DEFINITION = (*_FUNCTION, ast.ClassDef)


def normal_form(source: str) -> str | None:
    """Text that is the same for equal files; `None` if this Python cannot parse `source`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)
        try:
            tree = ast.parse(source)
            for node in ast.walk(tree):
                for field in ("body", "orelse", "finalbody"):
                    block = getattr(node, field, None)
                    if isinstance(block, list):
                        setattr(node, field, _in_normal_order(block))
            return ast.dump(tree)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _in_normal_order(block: list[ast.stmt]) -> list[ast.stmt]:
    """`block`, with each run of neighbouring definitions sorted."""
    ordered: list[ast.stmt] = []
    run: list[ast.stmt] = []
    for statement in block:
        if isinstance(statement, _DEFINITION):
            run.append(statement)
        else:
            ordered += [*_sorted(run), statement]
            run = []
    return ordered + _sorted(run)


def _sorted(definitions: list[ast.stmt]) -> list[ast.stmt]:
    """`definitions` by name, but none before an earlier one that it needs, replaces or is needed by."""
    names = [getattr(definition, "name", "") for definition in definitions]
    followers: list[list[int]] = [[] for _ in definitions]
    waits_for = [0] * len(definitions)
    latest: dict[str, int] = {}
    users: defaultdict[str, list[int]] = defaultdict(list)  # of the latest definition of each name
    for number, definition in enumerate(definitions):
        needed = {names[number], *_names_when_defined(definition)}
        before = {latest[name] for name in needed if name in latest} | set(users[names[number]])
        for earlier in before:
            followers[earlier].append(number)
        waits_for[number] = len(before)
        users[names[number]] = []
        latest[names[number]] = number
        for name in needed - {names[number]}:
            users[name].append(number)
    ready = [(names[number], number) for number, count in enumerate(waits_for) if not count]
    heapq.heapify(ready)
    ordered = []
    while ready:
        _, number = heapq.heappop(ready)
        ordered.append(definitions[number])
        for follower in followers[number]:
            waits_for[follower] -= 1
            if not waits_for[follower]:
                heapq.heappush(ready, (names[follower], follower))
    return ordered


def _names_when_defined(node: ast.AST) -> Iterator[str]:
    """The names that executing a definition looks up: decorators, defaults, annotations, bases, a class's body."""
    for field, value in ast.iter_fields(node):
        if field == "body" and isinstance(node, (*_FUNCTION, ast.Lambda)):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.Name):
                yield child.id
            if isinstance(child, ast.AST):
                yield from _names_when_defined(child)
