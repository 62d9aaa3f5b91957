"""What a PACS has no more is deleted, unless that is too much, or is not sure."""

from __future__ import annotations

import pytest

from hmar.values.entries import Origin
from hmar.values.pulls import PACS, Pull
from hmar.watching import sweeping
from tests.hmar.watching.conftest import FILES, OpenFollowed
from tests.orthanc_stub import StubOrthanc
from tests.pacs import held as held_file
from tests.phantoms import sop_uid

ALL = sorted(sop_uid(series, number) for series in (1, 2) for number in (1, 2, 3))
STUDY = held_file(FILES[0]).study
ANY = "most_deleted = 1"


def test_a_deleted_study_is_deleted_and_comes_back_when_it_is_sent_again(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.arrive(*FILES)
    followed = follow(ANY)
    followed.settle()
    orthanc.delete_study(STUDY)
    state = followed.swept()
    assert (followed.held(), state.deleted, state.only_here, state.stopped) == (ALL[3:], 3, 0, None)
    rows = followed.engine.storage.audit.rows(0, 10)
    told = [(row.record.operation, row.record.actor) for row in rows]
    assert [one for one in told if one[0] != "receiveStudy"] == [("deleteGoneStudy", "pacs main")]
    orthanc.arrive(*FILES[:3])
    orthanc.changes.clear()
    followed.swept()
    assert followed.held() == ALL


def test_one_instance_of_a_series_is_deleted_in_every_collection(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.arrive(*FILES)
    followed = follow(ANY)
    followed.settle()
    followed.engine.indexer.submit("teaching", Origin(PACS, str(Pull("main"))))
    assert followed.held("teaching") == ALL
    orthanc.files = [file for file in orthanc.files if file.instance != sop_uid(1, 2)]
    followed.swept()
    left = [uid for uid in ALL if uid != sop_uid(1, 2)]
    assert (followed.held(), followed.held("teaching")) == (left, left)


def test_a_sweep_that_would_delete_too_much_stops_and_asks_for_a_command(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.arrive(*FILES)
    followed = follow("most_deleted = 0.4")
    followed.settle()
    orthanc.delete_study(STUDY)
    state = followed.swept()
    assert (followed.held(), state.deleted, state.only_here) == (ALL, 0, 3)
    assert state.stopped is not None
    assert "3 of 6 instances" in state.stopped
    assert "hmar pacs delete-gone main" in state.stopped
    state = followed.swept("delete")
    assert (followed.held(), state.deleted, state.only_here, state.stopped) == (ALL[3:], 3, 0, None)


def test_what_came_back_before_it_was_deleted_stays(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    orthanc.arrive(*FILES)
    followed = follow("most_deleted = 0.4")
    followed.settle()
    orthanc.delete_study(STUDY)
    assert followed.swept().stopped is not None
    orthanc.arrive(FILES[0])
    orthanc.changes.clear()
    followed.swept("delete")
    assert followed.held() == sorted([sop_uid(1, 1), *ALL[3:]])


def test_the_next_sweep_finds_that_it_was_a_false_alarm(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    orthanc.arrive(*FILES)
    followed = follow()
    followed.settle()
    files = orthanc.files
    orthanc.files = []
    assert followed.swept().only_here == 6
    orthanc.files = files
    state = followed.swept()
    assert (state.stopped, state.only_here, followed.held()) == (None, 0, ALL)


def test_what_was_pulled_beside_what_is_followed_is_deleted_only_when_it_is_gone(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.arrive(*FILES)
    followed = follow(f"{ANY}\nsince = 2020-01-02")
    followed.settle()
    followed.engine.indexer.submit("default", Origin(PACS, str(Pull("main", study_uid=STUDY))))
    followed.swept()
    assert followed.held() == ALL
    orthanc.delete_study(STUDY)
    followed.swept()
    assert followed.held() == ALL[3:]


@pytest.mark.parametrize("habit", ["garbage", "busy", "redirects"])
def test_an_answer_that_fails_deletes_nothing(habit: str, orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    orthanc.arrive(*FILES)
    followed = follow(ANY)
    followed.settle()
    # Whatever it has, it cannot tell.
    orthanc.files = []
    setattr(orthanc.habits, habit, True if habit != "busy" else 1000)
    followed.engine.following.ask("main", "sweep")
    for _ in range(10):
        followed.watcher.look()
    assert followed.held() == ALL
    assert followed.state.reason is not None


def test_a_listing_that_is_cut_short_deletes_nothing(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    orthanc.arrive(*FILES)
    followed = follow(ANY)
    followed.settle()
    orthanc.files = [file for file in orthanc.files if file.instance != sop_uid(1, 2)]
    orthanc.habits.says_more = 1
    followed.swept()
    assert followed.held() == ALL
    orthanc.habits.says_more = 0
    followed.swept()
    assert followed.held() == [uid for uid in ALL if uid != sop_uid(1, 2)]


def test_a_sweep_goes_on_where_it_was_interrupted(
    orthanc: StubOrthanc, follow: OpenFollowed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "STUDIES", 1)
    orthanc.arrive(*FILES)
    followed = follow(ANY)
    followed.settle()
    orthanc.delete_study(STUDY)
    followed.engine.following.ask("main", "sweep")
    assert followed.watcher.look()
    assert (followed.state.sweep_after, followed.state.only_here) == (STUDY, 3)
    followed.again()
    orthanc.asked.clear()
    state = followed.settle()
    assert not any(f"studies/{STUDY}/series?includefield" in path for path in orthanc.asked)
    assert (followed.held(), state.sweep, state.deleted) == (ALL[3:], None, 3)


def test_a_deletion_that_the_feed_tells_makes_a_sweep_sooner_but_not_each_time(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.tells_deletions = True
    orthanc.arrive(*FILES)
    followed = follow(ANY)
    now = [1000.0]
    [followed.watcher] = followed.engine.watchers(lambda: now[0])
    followed.settle()
    orthanc.delete_study(STUDY)
    now[0] += 10
    followed.settle()
    assert followed.held() == ALL
    orthanc.delete_study("1.2.3")
    now[0] += 300
    followed.settle()
    assert followed.held() == ALL[3:]


def test_sweeps_come_by_themselves(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    orthanc.arrive(*FILES)
    followed = follow(f"{ANY}\nsweep_s = 3600")
    now = [1000.0]
    [followed.watcher] = followed.engine.watchers(lambda: now[0])
    followed.settle()
    orthanc.delete_study(STUDY)
    for after_s, left in ((3599.0, ALL), (1.0, ALL[3:])):
        now[0] += after_s
        followed.settle()
        assert followed.held() == left


def test_a_wrong_address_of_queries_deletes_nothing_however_often_it_is_tried(
    orthanc: StubOrthanc, follow: OpenFollowed
) -> None:
    orthanc.arrive(*FILES)
    followed = follow(ANY)
    followed.settle()
    orthanc.habits.not_found = True
    followed.engine.following.ask("main", "sweep")
    reasons = set()
    while followed.watcher.look() or followed.state.failures:
        reasons.add(followed.state.reason)
    assert followed.held() == ALL
    assert any("does not know what a query for studies is" in (reason or "") for reason in reasons)
    assert "could not tell of 2 studies" in (followed.state.stopped or "")
    orthanc.habits.not_found = False
    assert followed.swept().stopped is None


def test_one_study_that_cannot_be_listed_ends_no_sweep(orthanc: StubOrthanc, follow: OpenFollowed) -> None:
    orthanc.arrive(*FILES)
    followed = follow(ANY)
    followed.settle()
    orthanc.files = [file for file in orthanc.files if file.instance != sop_uid(2, 1)]
    orthanc.habits.broken = f"/studies/{STUDY}/"
    followed.engine.following.ask("main", "sweep")
    looks = 0
    while followed.watcher.look() or followed.state.failures:
        looks += 1
        assert looks < 30
    left = [uid for uid in ALL if uid != sop_uid(2, 1)]
    assert (followed.held(), followed.state.sweep, followed.state.failed) == (left, None, sweeping.PATIENCE)
