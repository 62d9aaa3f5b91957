"""Pages of one ranking: together they are the ranking, whatever is deleted between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hmar.values.pages import MARK_BYTES, Page

KEY = b"key"


@given(
    hits=st.integers(0, 30),
    k=st.integers(1, 30),
    limit=st.integers(1, 12),
    deleted=st.lists(st.frozensets(st.integers(0, 29)), max_size=8),
)
def test_pages_show_what_is_there_once_and_skip_nothing(
    hits: int, k: int, limit: int, deleted: list[frozenset[int]]
) -> None:
    ranking = list(range(hits))
    page: Page | None = Page(KEY, limit, as_of=7)
    shown: list[int] = []
    gone: set[int] = set()
    while page is not None:
        # No more of the ranking is looked at than a page needs.
        reach = page.reach(k)
        near = ranking[:reach]
        assert reach <= len(shown) + limit + 1
        here, page = page.turn(k, [str(hit) for hit in near], goes_on=len(near) == reach < k)
        shown += [near[at] for at in here]
        if page is not None:
            assert (len(here), page.as_of) == (limit, 7)
            assert len(page.shown) == len(shown)
            gone |= deleted[0] if deleted else set()
            deleted = deleted[1:]
            ranking = [hit for hit in ranking if hit not in gone]
    assert shown == sorted(set(shown))
    assert len(shown) <= k
    # What was never shown was deleted, or lies behind the k hits.
    skipped = set(range(max(shown, default=-1))) - set(shown)
    assert skipped <= gone
    if len(shown) < k:
        assert set(ranking) <= set(shown)


def test_a_page_follows_where_hits_vanished_while_they_were_looked_for() -> None:
    page = Page(KEY, 2)
    assert page.reach(9) == 3
    # One of the three nearest was deleted before it could be told: there may be more behind them.
    here, following = page.turn(9, ["1", "2"], goes_on=True)
    assert (here, following is None) == ([0, 1], False)
    assert page.turn(9, ["1", "2"]) == ([0, 1], None)


def test_marks_are_short_and_tell_nothing_without_the_key() -> None:
    _, following = Page(KEY, 1).turn(9, ["1.2.3", "4"])
    _, other = Page(b"another", 1).turn(9, ["1.2.3", "4"])
    assert following is not None
    assert other is not None
    assert [len(mark) for mark in following.shown] == [MARK_BYTES]
    assert following.shown != other.shown
    assert "key" not in repr(following)
