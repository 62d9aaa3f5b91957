from __future__ import annotations

from hmar.unindexed import COUNTED_EVERY_S, Unindexed
from hmar.values.deletion import Collections
from hmar.values.models import Coverage


class Counted:
    """A model store that counts how often it is asked."""

    def __init__(self) -> None:
        self.held = {"lung": Coverage(1, 2), "heart": Coverage(0, 3), "whole": Coverage(9, 0)}
        self.asked: list[Collections] = []

    def coverage(self, model_fingerprint: str, collection: Collections = None) -> dict[str, Coverage]:
        assert model_fingerprint == "model"
        self.asked.append(collection)
        return self.held


def test_frames_are_counted_by_collection_and_again_after_a_minute() -> None:
    store, now = Counted(), [0.0]
    unindexed = Unindexed(store, "model", lambda: now[0])  # type: ignore[arg-type]
    assert unindexed() == 5
    assert unindexed("lung") == 2
    assert unindexed(frozenset({"heart", "whole"})) == 3
    assert unindexed(frozenset()) == 0
    assert unindexed("unheard of") == 0
    store.held = {"lung": Coverage(3, 0)}
    now[0] += COUNTED_EVERY_S / 2
    assert unindexed() == 5
    now[0] += COUNTED_EVERY_S
    assert unindexed() == 0
    assert len(store.asked) == 2
