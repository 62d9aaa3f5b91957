"""Work that is done now and then: again after it failed, and at the end where that is wanted."""

from __future__ import annotations

import threading

import pytest

from hmar.errors import UnavailableError
from service.periodic import Periodic


@pytest.mark.parametrize("at_end", [True, False])
def test_the_last_call_is_made_where_it_is_wanted(at_end: bool) -> None:
    """A server that stops has no use for the index of another model, which takes minutes."""
    calls: list[str] = []
    periodic = Periodic("looking", lambda: calls.append("look"), 3600.0, at_end)
    periodic.start()
    periodic.stop()
    assert len(calls) == at_end


def test_a_call_that_fails_is_made_again_and_tells_no_texts_of_libraries(
    caplog: pytest.LogCaptureFixture,
) -> None:
    faults: list[Exception] = [ValueError("secret"), UnavailableError("The database is gone.", "Look.")]
    over = threading.Event()

    def call() -> None:
        if faults:
            raise faults.pop(0)
        over.set()

    periodic = Periodic("looking", call, 0.001)
    periodic.start()
    assert over.wait(30)
    periodic.stop()
    assert "looking failed: ValueError" in caplog.text
    assert "The database is gone." in caplog.text
    assert "secret" not in caplog.text
