"""The words of a bash command line: reading them, and quoting a word so that bash reads it back."""

import re

from data_gen.errors import UserError
from data_gen.terminal.width import WIDTHS

LONGEST_PIECE = 500
"""A quoted word continues on the next line after this many characters, so that no line fills a screen."""

_BLANKS = re.compile(rb"(?:[ \n]|\\\n(?!\Z))+")
_SHORT_LINES = re.compile(rf"(?:[^\n]{{0,{LONGEST_PIECE}}}\n)*[^\n]{{0,{LONGEST_PIECE}}}")
_BARE = re.compile(rb"[A-Za-z0-9_./:,+@%-][A-Za-z0-9_./:,+@%=-]*")
_PIECE = re.compile(
    rb"'(?P<single>[^']*)'"
    rb"|\"(?P<double>(?:[^\"\\$`]|\\.)*)\""
    rb"|\$'(?P<escaped>(?:[^'\\]|\\.)*)'"
    rb"|\\(?P<character>[^\n])"
    rb"|\\(?P<continuation>\n)(?!\Z)"
    rb"|(?P<plain>[A-Za-z0-9_./:,+@%=^\x80-\xff-]+)",
    re.DOTALL,
)
_OPEN = re.compile(rb"'[^']*\Z|\"(?:[^\"\\$`]|\\.)*\\?\Z|\$'(?:[^'\\]|\\.)*\\?\Z|\\\n?\Z", re.DOTALL)
_ESCAPE = re.compile(rb"\\(?:([abeEfnrtv\\'\"?])|([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|(.))", re.DOTALL)
_SHORT = dict(zip(b"abeEfnrtv\\'\"?", b"\a\b\x1b\x1b\f\n\r\t\v\\'\"?", strict=True))


class ShellError(UserError):
    """A command line outside the subset of bash that the terminal knows, or a command that bash would refuse."""


def split_words(line: bytes) -> list[bytes] | None:
    """The words of `line`, in which a newline is one that was typed; `None`: bash would wait for another line.

    Whatever has a meaning besides quoting (variables, patterns, pipes, comments) is a `ShellError`.
    """
    words: list[bytes] = []
    at = 0
    apart = True
    while at < len(line):
        if blanks := _BLANKS.match(line, at):
            at, apart = blanks.end(), apart or blanks.group() != b"\\\n"
        elif piece := _PIECE.match(line, at):
            words += [b""] if apart else []
            words[-1] += _unquote(piece)
            at, apart = piece.end(), False
        elif _OPEN.match(line, at):
            return None
        else:
            raise ShellError(f"{line[at : at + 8]!r} has no meaning here, in the command {line[:80]!r}")
    return words


def _unquote(piece: re.Match[bytes]) -> bytes:
    kind, text = piece.lastgroup, piece[piece.lastgroup or 0]
    if kind == "double":
        return re.sub(rb'\\([$`"\\])|\\\n', lambda match: match[1] or b"", text)
    if kind == "escaped":
        return _ESCAPE.sub(_unescape, text)
    return b"" if kind == "continuation" else text


def _unescape(escape: re.Match[bytes]) -> bytes:
    short, octal, hexadecimal, other = escape.groups()
    value = 0 if other else _SHORT[ord(short)] if short else int(octal, 8) if octal else int(hexadecimal, 16)
    if not 0 < value < 256:
        raise ShellError(f"the escape {escape.group()!r} has no meaning here")
    return bytes((value,))


def quote(word: bytes) -> bytes:
    """`word` as it can be typed in bash: bare, or in the quotes that need the fewest escapes; newlines stay."""
    text = word.decode("utf-8", "surrogateescape")
    return b"\\\n".join(_quote_piece(piece) for piece in _SHORT_LINES.findall(text) if piece) or b"''"


def is_printable(character: str) -> bool:
    """Whether the line editor takes `character` as text, and it has a place of its own on the screen."""
    return character.isprintable() and WIDTHS[ord(character)] > 0


def is_utf8(text: bytes) -> bool:
    """Whether `text` is UTF-8."""
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def is_printable_text(text: bytes) -> bool:
    """Whether a terminal shows `text` as it is."""
    return is_utf8(text) and all(map(is_printable, text.decode("utf-8")))


def _quote_piece(text: str) -> bytes:
    piece = text.encode("utf-8", "surrogateescape")
    if _BARE.fullmatch(piece):
        return piece
    if not all(character == "\n" or is_printable(character) for character in text):
        return b"$'" + b"".join(map(_escape, text)) + b"'"
    if b"'" not in piece:
        return b"'" + piece + b"'"
    if not re.search(rb'[$`"\\!]', piece):
        return b'"' + piece + b'"'
    return b"'" + piece.replace(b"'", rb"'\''") + b"'"


def _escape(character: str) -> bytes:
    encoded = character.encode("utf-8", "surrogateescape")
    if character in "\\'":
        return b"\\" + encoded
    if character == "\n" or is_printable(character):
        return encoded
    short = {"\t": b"\\t", "\r": b"\\r", "\x1b": b"\\e"}
    return short.get(character) or b"".join(b"\\x%02x" % byte for byte in encoded)
