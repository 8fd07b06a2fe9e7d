"""A film's frames are the recording's, and commits are found as they are named."""

import numpy as np
import pytest
from typed_films import write_film

from data_gen.dataset import Dataset
from data_gen.errors import UserError
from data_gen.viewing.film import open_film


@pytest.fixture
def recording(dataset):
    return Dataset(dataset).recordings["hostile"]


def test_frames_come_in_any_order_with_their_actions(film, recording):
    codepoints_FxRxC, styles_FxRxC = recording.read(np.arange(recording.frames))
    actions_F = np.concatenate(list(recording.actions()))
    numbers = [0, film.total - 1, 255, 256, 63, 64, 300, 5]
    for number in numbers:
        frame = film.frame(number)
        assert (frame.number, frame.action) == (number, actions_F[number])
        assert (frame.codepoints_RxC == codepoints_FxRxC[number]).all()
        assert (frame.styles_RxC == styles_FxRxC[number]).all()


def test_a_cut_is_what_is_shown(film):
    film.cut(250, 20)
    assert [frame.number for frame in film] == list(range(250, 270)) and len(film) == 20
    film.cut(film.total - 3, 20)
    assert len(film) == 3
    film.cut(3, None)
    assert len(film) == film.total - 3
    for first in (-1, film.total):
        with pytest.raises(UserError, match=f"frame {first}: hostile has frames 0 to {film.total - 1}"):
            film.cut(first, 1)


def test_commits_are_found_by_number_and_id(film, recording):
    events = [event for event in recording.events() if event.kind == "commit"]
    assert [commit.id for commit in film.commits] == [event.commit for event in events]
    for number, event in enumerate(events, 1):
        for text in (str(number), event.commit, event.commit[:5], event.commit[:4].upper()):
            found = film.find_commit(text)
            assert (found.number, found.frame, found.id) == (number, event.frame, event.commit)
    for text in ("0", "4", "zzzz", film.commits[0].id[:3], ""):
        with pytest.raises(UserError, match=f"no commit has the number '{text}', and none of its 3 ids"):
            film.find_commit(text)


def test_an_ambiguous_id_is_refused(film):
    twin = film.commits[0]._replace(number=2, id=film.commits[0].id[:6] + "x")
    film.commits[1] = twin
    with pytest.raises(UserError, match="several ids begin so"):
        film.find_commit(twin.id[:6])


def test_every_frame_knows_its_commit_and_file(film, recording):
    commit, path = "", b""
    events = [event for event in recording.events() if event.kind != "left out"]
    for number in range(film.total):
        for event in (event for event in events if event.frame == number):
            commit, path = event.commit, event.path
        found = film.commit(number)
        assert found is not None and found.id == commit
        assert film.path(number).encode() == path


def test_hostile_texts_become_printable(tmp_path):
    write_film(tmp_path, frames=8, frames_per_record=8, path=b"\x1b]0;x\x07\xff\n\xe2\x80\xae")
    film = open_film(tmp_path, None)
    assert film.path(5) == "\ufffd]0;x\ufffd\\xff\ufffd\ufffd"


def test_an_unknown_recording_is_named(dataset):
    with pytest.raises(UserError, match=r"no recording 'other' in .*: there are 'hostile'"):
        open_film(dataset, "other")
