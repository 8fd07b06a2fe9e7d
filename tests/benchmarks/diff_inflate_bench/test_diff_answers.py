"""What is read out of answers and verdicts, and when two Python files are equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.diff_inflate_bench.dialogue import Answer, ask, fence_for, read_answer
from benchmarks.diff_inflate_bench.equality import normal_form

LINE = st.text(st.sampled_from("ab `~\t"), max_size=6)


@given(st.lists(LINE, max_size=8), st.sampled_from(["", "python"]), st.booleans(), st.booleans())
def test_a_file_in_its_fence_is_read_as_it_is(file, language, before, after):
    text = "\n".join(file)
    fence = fence_for(text)
    block = f"{fence}{language}\n{text}\n{fence}\n"
    completion = "Here it is:\n" * before + block + "Done." * after
    assert read_answer(completion, "stop") == Answer(text.rstrip("\n"), cut=False)


@pytest.mark.parametrize(
    "completion, text",
    [
        ("a = 1\n\n  b\n\n", "a = 1\n\n  b"),
        ("", ""),
        ("```\n```", ""),
        ("```py\na\n```\nInstead of\n```py\na\nb\nc\n```\nas before.", "a\nb\nc"),
        ("~~~\n```\na\n```\n~~~", "```\na\n```"),
        ("````\na\n```\nb\n````", "a\n```\nb"),
        ("```\na\n````", "a"),
        ("```md\na\n```py\nb\n```\nc\n```\nDone.", "a\n```py\nb\n```\nc"),
        ("~~~md\na\n```py\nb\n```\nc\n~~~", "a\n```py\nb\n```\nc"),
        ("```py\na\n```\n```py\na\nb\n```", "a\nb"),
        ("````md\n```py\na\n````", "```py\na"),
        ("```\r\na\r\nb\r\n```\r\n", "a\nb"),
        ("```\na\nb", "a\nb"),
        ("x = '```'", "x = '```'"),
    ],
)
def test_answers_are_read_fenced_or_not(completion, text):
    assert read_answer(completion, "stop") == Answer(text, cut=False)


@pytest.mark.parametrize(
    "completion, stop_reason, cut",
    [
        ("```\na\nb", "max_tokens", True),
        ("a\nb", "model_length", True),
        ("", "content_filter", True),
        ("```\na\nb\n```\nI have", "max_tokens", False),
        ("```\na\n```\n```\na\nb", "max_tokens", True),
        ("```\na\nb", "stop", False),
        ("```md\n```py\na\n```\nb", "max_tokens", True),
    ],
)
def test_answers_that_were_stopped_are_cut(completion, stop_reason, cut):
    assert read_answer(completion, stop_reason).cut is cut


def test_the_prompt_has_the_diffs_and_a_fence_that_they_lack():
    prompt = ask("a.md", ["+```\n", "-````\n"], 1)
    assert prompt.endswith("\n\n+```\n-````\n") and "`git diff -U1`" in prompt and "fenced with `````" in prompt


EQUAL = [
    ("x = 1", "x  =  1  # one\n"),
    ("f('a', b)", 'f(\n    "a",\n    (b),\n)'),
    ("def f(): return 1\ndef g(): return f()", "def g():\n  return f()\n\ndef f():\n  return 1"),
    (
        "class A:\n  def f(self): pass\n  async def g(self): pass",
        "class A:\n  async def g(self): pass\n  def f(self): pass",
    ),
    ("if x:\n  def b(): pass\n  def a(): pass", "if x:\n  def a(): pass\n  def b(): pass"),
    ("def f():\n  def b(): pass\n  def a(): pass", "def f():\n  def a(): pass\n  def b(): pass"),
]
DIFFERENT = [
    ("x = 1", "x = 2"),
    ("x = 1\ny = 2", "y = 2\nx = 1"),
    ("'''doc'''", ""),
    ("def f(a, b): pass", "def f(b, a): pass"),
    ("class B: pass\nclass A(B): pass", "class A(B): pass\nclass B: pass"),
    ("def b(): pass\n@b\ndef a(): pass", "@b\ndef a(): pass\ndef b(): pass"),
    ("def b(): pass\ndef a(x=b()): pass", "def a(x=b()): pass\ndef b(): pass"),
    ("def b(): pass\nclass A:\n  x = b()", "class A:\n  x = b()\ndef b(): pass"),
    ("def f(): return 1\ndef f(): return 2", "def f(): return 2\ndef f(): return 1"),
    ("def b(): pass\nb()\ndef a(): pass", "def a(): pass\nb()\ndef b(): pass"),
]


@pytest.mark.parametrize("one, other", EQUAL)
def test_formatting_comments_and_order_of_definitions_do_not_matter(one, other):
    assert normal_form(one) == normal_form(other) is not None


@pytest.mark.parametrize("one, other", DIFFERENT)
def test_what_the_program_does_matters(one, other):
    assert None is not normal_form(one) != normal_form(other) is not None


@given(st.permutations(["f", "g", "h", "i"]), st.permutations(["f", "g", "h", "i"]))
def test_functions_that_do_not_need_each_other_come_in_any_order(one, other):
    def written(names):
        return "".join(f"def {name}(x={number}):\n    return g(x) + {name!r}\n" for name, number in names)

    numbers = {"f": 1, "g": 2, "h": 3, "i": 4}
    forms = [normal_form(written([(name, numbers[name]) for name in order])) for order in (one, other)]
    assert forms[0] == forms[1]


def test_many_definitions_take_no_long_time():
    same = normal_form("def f(): pass\n" * 5_000)
    assert same is not None and same.count("FunctionDef") == 5_000
    others = [f"def f{number}(x=f{number // 2}): pass\n" for number in range(5_000)]
    assert normal_form("".join(others)) == normal_form("".join(sorted(others, key=len)))


@pytest.mark.parametrize("source", ["x =", "print 'x'", "a\0b", "(" * 5000 + ")" * 5000, "-" * 100_000 + "1"])
def test_what_cannot_be_parsed_has_no_normal_form(source):
    assert normal_form(source) is None


def test_nothing_is_executed(tmp_path):
    trace = tmp_path / "trace"
    assert normal_form(f"open({str(trace)!r}, 'w')\n__import__('os').mkdir('x')") is not None
    assert not trace.exists()
