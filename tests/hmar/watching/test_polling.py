"""A PACS without a feed is asked for the studies of the last days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hmar.decoding.contained import ContainedDecoder
from tests.hmar.watching.conftest import FILES, Followed
from tests.orthanc import PASSWORD, USER, running_orthanc
from tests.pacs import Pacs, held
from tests.phantoms import sop_uid

ALL = sorted(sop_uid(series, number) for series in (1, 2) for number in (1, 2, 3))
"""Of 2020-01-01 and 2020-01-02."""


@pytest.fixture
def pacs() -> Iterator[Pacs]:
    with Pacs.serving([]) as empty:
        yield empty


@pytest.fixture
def polled(tmp_path: Path, pacs: Pacs, decoder: ContainedDecoder) -> Iterator[Callable[[date], Followed]]:
    opened = Followed(tmp_path, pacs.url, decoder, 'kind = "qido"\ndays = 3\nmost_deleted = 1')

    def on(day: date) -> Followed:
        opened.engine.pacs._today = lambda: day  # type: ignore[attr-defined]
        return opened

    yield on
    opened.engine.close()


def test_new_studies_and_late_images_are_found_and_nothing_is_listed_twice(
    pacs: Pacs, polled: Callable[[date], Followed]
) -> None:
    followed = polled(date(2020, 1, 3))
    followed.settle()
    pacs.files = [held(data) for data in FILES[:2]]
    followed.settle()
    assert followed.held() == ALL[:2]
    pacs.asked.clear()
    followed.settle()
    assert not any("/instances" in path for path in pacs.asked)
    pacs.files += [held(data) for data in FILES[2:]]
    state = followed.settle()
    assert (followed.held(), state.arrived) == (ALL, 6)
    assert len(followed.items()) == 6


def test_days_that_nobody_watched_are_asked_for_and_older_ones_are_for_sweeps(
    pacs: Pacs, polled: Callable[[date], Followed]
) -> None:
    followed = polled(date(2020, 1, 5))
    followed.settle()
    pacs.files = [held(data) for data in FILES]
    followed = polled(date(2020, 3, 1))
    followed.again()
    state = followed.settle()
    assert (followed.held(), state.cursor) == (ALL[3:], "2020-03-01")
    followed.swept()
    assert followed.held() == ALL


def test_what_was_deleted_and_is_sent_again_is_indexed_again(
    pacs: Pacs, polled: Callable[[date], Followed]
) -> None:
    followed = polled(date(2020, 1, 3))
    pacs.files = [held(data) for data in FILES]
    followed.settle()
    pacs.files = pacs.files[3:]
    followed.settle()
    followed.swept()
    assert followed.held() == ALL[3:]
    pacs.files += [held(data) for data in FILES[:3]]
    followed.settle()
    assert followed.held() == ALL


def test_one_study_that_cannot_be_listed_keeps_no_other_back(
    pacs: Pacs, polled: Callable[[date], Followed]
) -> None:
    followed = polled(date(2020, 1, 3))
    followed.settle()
    pacs.files = [held(data) for data in FILES]
    pacs.habits.broken = f"/studies/{pacs.files[0].study}/"
    followed.watcher.look()
    assert followed.held() == ALL[3:]
    told, failures = followed.state.reason, followed.state.failures
    assert ("answered a query with status 500" in (told or ""), failures) == (True, 0)
    followed.swept()
    assert followed.state.reason == told
    pacs.habits.broken = None
    followed.settle()
    assert (followed.held(), followed.state.reason) == (ALL, None)


def test_a_pacs_that_was_followed_otherwise_is_compared_anew(
    pacs: Pacs, polled: Callable[[date], Followed]
) -> None:
    followed = polled(date(2020, 1, 3))
    followed.settle()
    store = followed.engine.storage.follows
    claimed = store.claim("main", followed.watcher._holder, 60.0)
    assert claimed is not None
    store.keep("main", followed.watcher._holder, replace(claimed.state, cursor="17"), 60.0)
    state = followed.settle()
    assert (state.cursor, state.resets) == ("2020-01-03", 1)


@pytest.mark.slow
def test_a_real_orthanc_is_polled_and_swept_as_any_pacs(tmp_path: Path, decoder: ContainedDecoder) -> None:
    (tmp_path / "password").write_text(PASSWORD)
    with running_orthanc(tmp_path) as orthanc:
        auth = f'[main.auth]\nkind = "basic"\nuser = "{USER}"\npassword_file = "{tmp_path / "password"}"'
        text = f'kind = "qido"\ndays = 36500\nmost_deleted = 1\n{auth}'
        followed = Followed(tmp_path, orthanc.root.removesuffix("/dicom-web"), decoder, text)
        followed.settle()
        ids = [orthanc.store(data) for data in FILES[:2]]
        followed.settle()
        assert followed.held() == ALL[:2]
        orthanc.store(FILES[2])
        followed.settle()
        assert followed.held() == ALL[:3]
        orthanc.ask("DELETE", f"/instances/{ids[0]}")
        assert followed.swept().deleted == 1
        assert followed.held() == ALL[1:3]
        followed.engine.close()
