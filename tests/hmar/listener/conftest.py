"""No test of the listener leaves a socket to the garbage collector, which tells of it in another test."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from hmar.listener.server import Server


@pytest.fixture(scope="module", autouse=True)
def collected_at_the_end() -> Iterator[None]:
    """Collect garbage at the end alone; an open socket among it is a warning, thus an error."""
    gc.collect()
    gc.disable()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Server, "service_actions", lambda _: None)  # pynetdicom's collects garbage
        yield
    gc.enable()
    gc.collect()
