"""What is done again and again, and whether it is done at the end."""

from __future__ import annotations

import pytest

from hmar.errors import UnavailableError
from service.periodic import Periodic


@pytest.mark.parametrize("last", [True, False])
def test_it_is_done_once_more_at_the_end_where_that_is_wanted(last: bool) -> None:
    calls: list[str] = []
    periodic = Periodic("counting", lambda: calls.append("done"), 3600.0, last)
    periodic.start()
    periodic.stop()
    assert calls == ["done"] * last


@pytest.mark.parametrize("error", [UnavailableError("It fails.", "Wait."), ValueError("a secret")])
def test_a_call_that_fails_is_told_by_its_class_alone(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise error

    periodic = Periodic("counting", fail, 3600.0)
    periodic.start()
    periodic.stop()
    assert "counting failed" in caplog.text
    assert "a secret" not in caplog.text
