from __future__ import annotations

from hmar.ports import FollowStore
from hmar.values.follows import Followed, FollowState
from hmar.values.pulls import InstanceReference
from tests.contract.examples import Clock

LEASE_S = 60.0
SOME = [InstanceReference("main", "1.2", "1.2.3", f"1.2.3.{number}") for number in range(3)]
STATE = FollowState(
    cursor="7",
    resets=1,
    behind=2,
    looked_at=3.5,
    caught_up_at=3.0,
    failures=4,
    failing_since=2.0,
    reason="It does not answer.",
    failed=5,
    arrived=6,
    deleted=7,
    sweep="resync",
    sweep_after="1.2",
    sweep_begun_at=1.0,
    swept_at=0.5,
    only_there=8,
    only_here=9,
    skipped=10,
    stopped="Too much.",
)


def test_what_was_never_followed_has_a_fresh_state(follows: FollowStore) -> None:
    assert follows.followed("main") == Followed(FollowState(), None, False)
    assert follows.claim("main", "a", LEASE_S) == Followed(FollowState(), None, True)
    assert follows.followed("main").watched


def test_a_state_is_kept_as_it_is_and_of_each_pacs_apart(follows: FollowStore) -> None:
    for site in ("main", "other"):
        follows.claim(site, "a", LEASE_S)
    assert follows.keep("main", "a", STATE, LEASE_S)
    assert follows.followed("main").state == STATE
    assert follows.followed("other").state == FollowState()


def test_one_watcher_holds_a_pacs_until_its_lease_ends_or_it_lets_go(
    follows: FollowStore, clock: Clock
) -> None:
    assert follows.claim("main", "a", LEASE_S) is not None
    assert follows.claim("main", "b", LEASE_S) is None
    clock.now += LEASE_S / 2
    assert follows.claim("main", "a", LEASE_S) is not None
    clock.now += LEASE_S * 0.75
    assert follows.claim("main", "b", LEASE_S) is None
    assert follows.keep("main", "a", STATE, LEASE_S)
    clock.now += LEASE_S
    assert not follows.followed("main").watched
    assert follows.claim("main", "b", LEASE_S) == Followed(STATE, None, True)
    assert not follows.keep("main", "a", FollowState(), LEASE_S)
    follows.release("main", "a")
    assert follows.claim("main", "a", LEASE_S) is None
    follows.release("main", "b")
    assert follows.claim("main", "a", LEASE_S) == Followed(STATE, None, True)


def test_a_clock_that_is_set_back_keeps_no_watcher_out(follows: FollowStore, clock: Clock) -> None:
    follows.claim("main", "a", LEASE_S)
    clock.now -= 10 * LEASE_S
    assert follows.claim("main", "b", LEASE_S) is not None


def test_what_somebody_asks_for_stays_until_it_is_done(follows: FollowStore) -> None:
    follows.ask("main", "sweep")
    follows.ask("main", "resync")
    claimed = follows.claim("main", "a", LEASE_S)
    assert claimed is not None
    assert claimed.asked == "resync"
    follows.keep("main", "a", STATE, LEASE_S)
    follows.keep("main", "a", STATE, LEASE_S, done="sweep")
    assert follows.followed("main").asked == "resync"
    follows.keep("main", "a", STATE, LEASE_S, done="resync")
    assert follows.followed("main").asked is None


def test_what_is_gone_is_noted_until_it_is_deleted_or_back(follows: FollowStore) -> None:
    follows.note_gone("main", SOME)
    follows.note_gone("main", SOME[:1])
    assert (sorted(follows.gone("main", 10)), follows.gone_count("main")) == (SOME, 3)
    assert len(follows.gone("main", 2)) == 2
    assert (follows.gone("other", 10), follows.gone_count("other")) == ([], 0)
    assert follows.deleted("main", SOME) == set()
    follows.note_deleted("main", SOME[:2])
    follows.note_back("main", [SOME[0], SOME[2]])
    assert (follows.gone("main", 10), follows.gone_count("main")) == ([], 0)
    assert follows.deleted("main", SOME) == {SOME[1]}
    for note in (follows.note_gone, follows.note_deleted, follows.note_back):
        note("main", [])
    assert follows.deleted("main", []) == set()
