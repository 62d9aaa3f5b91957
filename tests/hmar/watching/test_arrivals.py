"""What comes to an Orthanc is indexed, once, whatever dies meanwhile."""

from __future__ import annotations

import pytest

from hmar.errors import PacsError
from hmar.values.deletion import Selector
from hmar.values.jobs import ItemState
from tests.hmar.watching.conftest import FILES, OpenFollowed
from tests.orthanc_stub import StubOrthanc
from tests.phantoms import ct_file, sop_uid

ALL = sorted(sop_uid(series, number) for series in (1, 2) for number in (1, 2, 3))


def test_what_is_there_at_first_and_what_comes_later_is_indexed(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.arrive(*FILES[:3])
    followed = follow('collection = "lung"')
    state = followed.settle()
    assert followed.held("lung") == ALL[:3]
    assert (state.cursor, state.only_there, state.only_here, state.sweep) == ("5", 3, 0, None)
    orthanc.arrive(*FILES[3:])
    state = followed.settle()
    assert followed.held("lung") == ALL
    # The series that became stable is no news, but is behind the cursor.
    assert (state.cursor, state.behind, state.arrived) == (str(orthanc.last), 0, 6)
    assert len(followed.items()) == 6


@pytest.mark.parametrize("extended", [False, True], ids=["every change", "changes of one type"])
def test_late_images_of_a_stable_series_are_indexed_when_they_come(
    extended: bool, orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.extended = extended
    followed = follow()
    followed.settle()
    for number in range(3):
        orthanc.arrive(FILES[number])
        followed.settle()
        assert followed.held() == ALL[: number + 1]
    asked = [path for path in orthanc.asked if path.startswith("/changes?since")]
    assert all(("type=NewInstance" in path) is extended for path in asked)
    assert [state for _, state in followed.items()] == [ItemState.INDEXED] * 3


def test_long_feeds_are_read_page_by_page(
    orthanc: StubOrthanc, follow: OpenFollowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmar.adapters.dicomweb.orthanc_feed.PAGE", 2)
    followed = follow()
    followed.settle()
    orthanc.arrive(*FILES)
    state = followed.settle()
    assert followed.held() == ALL
    assert (state.cursor, state.behind) == (str(orthanc.last), 0)


def test_a_feed_that_tells_the_same_again_and_again_is_an_error(
    orthanc: StubOrthanc, follow: OpenFollowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hmar.adapters.dicomweb.orthanc_feed.PAGE", 2)
    followed = follow()
    followed.settle()
    orthanc.ignores_since = True
    orthanc.arrive(*FILES)
    assert not followed.watcher.look()
    assert "tells the same changes again and again" in (followed.state.reason or "")
    orthanc.ignores_since = False
    followed.settle()
    assert (followed.held(), followed.state.reason) == (ALL, None)


def test_only_what_is_wanted_is_fetched(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    followed = follow('modality = "CT"\nsince = 2020-01-02')
    followed.settle()
    orthanc.arrive(*FILES)  # the first series is of 2020-01-01
    orthanc.files[3] = orthanc.files[3]._replace(sop_class="1.2.840.10008.5.1.4.1.1.88.22")
    followed.settle()
    assert followed.held() == ALL[4:]
    assert not any(sop_uid(2, 1) in path or sop_uid(1, 1) in path for path in orthanc.asked)


@pytest.mark.parametrize(
    ("same_uid", "state", "replaced"),
    [("refuse", ItemState.FAILED, False), ("replace", ItemState.INDEXED, True)],
)
def test_an_instance_that_comes_again_with_other_pixels_is_handled_as_the_setting_says(
    same_uid: str, state: ItemState, replaced: bool, orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    followed = follow(same_uid=same_uid)
    orthanc.arrive(*FILES[:2])
    followed.settle()
    [before] = followed.engine.catalogue.instance("default", sop_uid(1, 1))
    orthanc.arrive(ct_file(1, 1, nodule=(60.0, 92.0)))
    followed.settle()
    [after] = followed.engine.catalogue.instance("default", sop_uid(1, 1))
    assert (after.digests != before.digests) is replaced
    assert [ended for _, ended in followed.items()].count(state) == 3 if replaced else 1
    # The same bytes once more change nothing.
    orthanc.arrive(FILES[1])
    followed.settle()
    assert ItemState.UNCHANGED in [ended for _, ended in followed.items()]
    assert followed.held() == ALL[:2]


def test_what_dies_between_the_jobs_and_the_cursor_loses_and_doubles_nothing(
    orthanc: StubOrthanc, follow: OpenFollowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = follow()
    before = followed.settle()
    orthanc.arrive(*FILES[:3])

    class KilledError(BaseException):
        """As SIGKILL: nothing handles it."""

    def die(*_: object, **__: object) -> bool:
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(followed.engine.storage.follows, "keep", die)
        with pytest.raises(KilledError):
            followed.watcher.look()
    assert (followed.state, followed.held()) == (before, ALL[:3])
    followed.again()
    state = followed.settle()
    assert state.cursor == str(orthanc.last)
    assert (followed.held(), len(followed.items())) == (ALL[:3], 3)


def test_a_feed_that_began_anew_is_compared_and_fetched_as_a_whole(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    followed = follow("most_deleted = 1", same_uid="replace")
    orthanc.arrive(*FILES[:3])
    followed.settle()
    [before] = followed.engine.catalogue.instance("default", sop_uid(1, 1))
    orthanc.reset()
    orthanc.arrive(ct_file(1, 1, nodule=(60.0, 92.0)))
    state = followed.settle()
    assert (state.resets, state.cursor) == (1, str(orthanc.last))
    assert followed.held() == ALL[:1]
    [after] = followed.engine.catalogue.instance("default", sop_uid(1, 1))
    assert after.digests != before.digests
    # What has the numbers of before is news all the same.
    orthanc.arrive(FILES[1])
    followed.settle()
    assert followed.held() == ALL[:2]


def test_one_watcher_at_a_time_takes_news(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    followed = follow()
    followed.settle()
    [second] = followed.engine.watchers()
    orthanc.arrive(*FILES[:1])
    assert not second.look()
    assert followed.held() == []
    followed.watcher.close()
    second.look()
    assert followed.held() == ALL[:1]
    assert not followed.watcher.look()


def test_a_pacs_that_does_not_answer_is_told_and_gone_on_with(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    followed = follow()
    followed.settle()
    orthanc.arrive(*FILES[:1])
    orthanc.habits.busy = 2
    for number in (1, 2):
        assert not followed.watcher.look()
        assert (followed.state.failures, followed.state.failed) == (number, number)
    assert followed.state.reason == "The PACS main goes on answering 503. Ask for less at a time, or later."
    [info] = followed.engine.following.listed()
    assert info.to_dict()["followed"]["failing_since"] is not None
    state = followed.settle()
    assert (state.failures, state.failing_since, state.reason, state.failed) == (0, None, None, 2)
    assert followed.held() == ALL[:1]


def test_what_is_no_orthanc_is_said(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    followed = follow()
    followed.settle()
    orthanc.rest = lambda *_: b"[]"  # type: ignore[method-assign]
    followed.watcher.look()
    assert "does not answer as an Orthanc" in (followed.state.reason or "")


def test_what_somebody_deleted_here_does_not_come_back_by_a_sweep_but_by_a_resync(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.arrive(*FILES[:3])
    followed = follow()
    followed.settle()
    followed.engine.remover.delete(Selector("instance", sop_uid(1, 1)))
    assert followed.swept().only_there == 0
    assert followed.held() == ALL[1:3]
    followed.swept("resync")
    assert followed.held() == ALL[:3]


def test_what_the_feed_lost_is_found_by_a_sweep(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    followed = follow()
    followed.settle()
    orthanc.arrive(*FILES)
    orthanc.changes.clear()
    followed.settle()
    assert followed.held() == []
    state = followed.swept()
    assert (state.only_there, followed.held()) == (6, ALL)


def test_a_wrong_file_is_asked_for_once(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    orthanc.arrive(*FILES[:2])
    orthanc.files[0] = orthanc.files[0]._replace(data=FILES[0][:3000])
    followed = follow()
    followed.settle()
    for _ in range(2):
        followed.swept()
    assert followed.held() == ALL[1:2]
    assert len(followed.items()) == 2


def test_errors_of_a_sweep_are_counted_as_long_as_they_last(
    orthanc: StubOrthanc, follow: OpenFollowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    followed = follow()
    followed.settle()

    def fails(_: object) -> list[str]:
        raise PacsError("It is closed.", "Come tomorrow.")

    monkeypatch.setattr(followed.engine.pacs, "studies", fails)
    followed.engine.following.ask("main", "sweep")
    for _ in range(3):
        followed.watcher.look()
    assert (followed.state.failures, followed.state.reason) == (3, "It is closed. Come tomorrow.")
