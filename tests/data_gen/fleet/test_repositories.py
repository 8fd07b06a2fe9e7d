"""Lists of repositories, and names that do not depend on the order of the others."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.errors import UserError
from data_gen.fleet.repositories import is_url, name_recordings, read_list

SOURCES = st.lists(
    st.sampled_from(["/a/x", "/b/x", "/b/X.git", "https://h/o/x.git", "h:o/y", "/c/y/.git", "/d/größe 1", "/"])
    | st.text(min_size=1).filter(lambda text: "\0" not in text),
    min_size=1,
    unique=True,
)


def test_a_list_is_read(tmp_path):
    path = tmp_path / "list"
    path.write_bytes("# comment\n\n  /a/repo \r\nhttps://host/größe.git\n#/b\n".encode())
    assert read_list(path) == ["/a/repo", "https://host/größe.git"]


@pytest.mark.parametrize(("content", "match"), [(b"", "names no repository"), (b"# x\n", "no rep"), (b"\xff", "UTF-8")])
def test_a_list_that_is_none(tmp_path, content, match):
    (tmp_path / "list").write_bytes(content)
    with pytest.raises(UserError, match=match):
        read_list(tmp_path / "list")


def test_names_are_those_of_the_folders():
    sources = ["/a/tool", "/b/lib.git", "/c/plan/.git", "https://host/owner/page.git", "git@host:owner/deep/site", "/"]
    assert list(name_recordings(sources)) == ["tool", "lib", "plan", "page", "site", "repository"]


def test_names_that_would_be_alike_tell_the_repositories_apart():
    (x, upper, y) = name_recordings(["/a/x", "/b/X.git", "/c/y"])
    assert re.fullmatch(r"x-[0-9a-f]{8}", x) and re.fullmatch(r"X-[0-9a-f]{8}", upper) and y == "y"


@given(SOURCES, st.randoms(use_true_random=False))
def test_names_are_safe_unique_and_independent_of_the_order(sources, random):
    named = name_recordings(sources)
    assert list(named.values()) == sources
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", name) for name in named)
    assert len({name.lower() for name in named}) == len(sources)
    random.shuffle(sources)
    assert name_recordings(sources) == named


def test_a_repository_that_is_there_twice():
    with pytest.raises(UserError, match=r"/a/x is given 2 times"):
        name_recordings(["/a/x", "/a/y", "/a/x"])


@pytest.mark.parametrize(
    "source", ["https://h/o/r", "ssh://h/r", "git@host:o/r", "host:r", "file:///r", "ext::sh -c x"]
)
def test_urls(source):
    assert is_url(source)


@pytest.mark.parametrize("source", ["/a/b", "a/b:c", "./a:b", "..", "repo"])
def test_paths(source):
    assert not is_url(source)
