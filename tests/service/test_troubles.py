"""Ids of troubles."""

from __future__ import annotations

from hmar.logs import EVERY_S
from service.troubles import TroubleIds


def test_a_trouble_has_one_id_for_a_minute_and_another_trouble_has_another() -> None:
    now = [0.0]
    ids = TroubleIds(lambda: now[0])
    first = ids.of("the disk is full")
    now[0] = EVERY_S - 1
    assert ids.of("the disk is full") == first
    assert ids.of("the broker is gone") != first
    now[0] = EVERY_S
    assert ids.of("the disk is full") != first
