"""Words as they are quoted and split, against real bash."""

import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_gen.terminal.words import LONGEST_PIECE, ShellError, quote, split_words

CHARACTERS = st.one_of(
    st.sampled_from("ab \n\t\r'\"\\$`!*?~#=-+{}[]()<>|&;^%@\x1b\x7f"),
    st.characters(min_codepoint=0x80, max_codepoint=0x10FFFF, exclude_categories=["Cs"]),
    st.integers(0x80, 0xFF).map(lambda byte: chr(0xDC00 + byte)),
)
WORDS = st.text(CHARACTERS, max_size=30).map(lambda text: text.encode("utf-8", "surrogateescape"))


def bash(lines: list[bytes]) -> list[list[bytes]]:
    """What bash takes for the arguments of each line."""
    script = b"set +o histexpand\nset -f\n"
    script += b"".join(b"f() { printf '%s\\0' \"$@\" end; }; f " + line + b"\n" for line in lines)
    command = ["bash", "--norc", "--noprofile"]
    words = subprocess.run(command, input=script, stdout=subprocess.PIPE, check=True).stdout.split(b"\0")[:-1]
    arguments: list[list[bytes]] = [[]]
    for word in words:
        if word == b"end":
            arguments.append([])
        else:
            arguments[-1].append(word)
    return arguments[:-1]


@given(st.lists(WORDS, min_size=1, max_size=20))
@settings(max_examples=40)
def test_bash_reads_quoted_words_back(words):
    line = b" ".join(map(quote, words))
    assert split_words(line) == words
    if shutil.which("bash"):
        assert bash([line]) == [words]


@given(WORDS)
def test_a_quoted_word_has_only_characters_that_can_be_typed(word):
    for character in quote(word).decode("utf-8"):
        assert character == "\n" or character.isprintable()


def test_a_long_word_is_continued_on_the_next_line():
    word = b"it's " + b"x" * (3 * LONGEST_PIECE) + b"\n" + "漢".encode() * (LONGEST_PIECE + 1)
    lines = quote(word).decode().split("\n")
    assert len(lines) == 6
    assert max(map(len, lines)) <= LONGEST_PIECE + len("''\\")
    assert split_words(quote(word)) == [word]


LINES = [
    rb"""a 'b c' "d e" f\ g""",
    rb"""a'b'"c"\d$'e\x66'""",
    rb'''"\$ \` \" \\ \n \'"''',
    rb"""$'\a\b\e\E\f\n\r\t\v\\\'\"\? \101\7 \x41g'""",
    b"'two\nlines' \"two\nlines\" two\\\nlines",
    b'"joined \\\nhere" and \\\n here',
    rb"a=b x^y 50%",
    b"'' \"\" $''",
    "größe \\é".encode(),
]


@pytest.mark.parametrize("line", LINES)
def test_what_can_be_read_is_read_as_bash_reads_it(line):
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed")
    assert [split_words(line)] == bash([line])


@pytest.mark.parametrize("line", [b"'a", b'a "b', b"$'a\\'", b"a\\", b"a \\\n", b'"a\\', b"'a'\\\n"])
def test_an_open_line_waits_for_the_next(line):
    assert split_words(line) is None


MORE_THAN_WORDS = rb"""a;b a& a|b $x "$x" `x` "`x`" *.c ~ # {a,b} (a) a>b !x $'\cA' $'\x00' $'\777'""".split(b" ")


@pytest.mark.parametrize("line", [*MORE_THAN_WORDS, b"a\tb"])
def test_whatever_means_more_is_refused(line):
    with pytest.raises(ShellError):
        split_words(line)
