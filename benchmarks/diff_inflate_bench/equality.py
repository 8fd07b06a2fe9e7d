"""Whether two Python files are the same up to formatting, comments and the order of definitions.

The files are parsed, never executed.
"""

import ast
import warnings
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
    """`definitions` by name, but none before an earlier one that it needs or replaces."""
    names = [getattr(definition, "name", "") for definition in definitions]
    needs = [{name, *_names_when_defined(definition)} for name, definition in zip(names, definitions, strict=True)]
    left = list(range(len(definitions)))
    ordered = []
    while left:
        free = [
            later
            for later in left
            if not any(
                names[earlier] in needs[later] or names[later] in needs[earlier] for earlier in left if earlier < later
            )
        ]
        chosen = min(free, key=names.__getitem__)
        left.remove(chosen)
        ordered.append(definitions[chosen])
    return ordered


def _names_when_defined(node: ast.AST) -> Iterator[str]:
    """The names that executing a definition looks up: decorators, defaults, annotations, bases, a class's body."""
    lazy = node.body if isinstance(node, (*_FUNCTION, ast.Lambda)) else []
    for child in ast.iter_child_nodes(node):
        if child is lazy or (isinstance(lazy, list) and child in lazy):
            continue
        if isinstance(child, ast.Name):
            yield child.id
        yield from _names_when_defined(child)
