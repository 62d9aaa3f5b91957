"""The product as a process of its own; tests/e2e has the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmar.errors import UnavailableError
from hmar.product.running import running_product


@pytest.mark.slow
def test_a_product_that_ends_at_its_start_is_told_with_its_last_line(tmp_path: Path) -> None:
    left = tmp_path / "run" / "service.url"
    left.parent.mkdir()
    left.write_text("http://127.0.0.1:1")
    settings = {"HMAR_WEB_THREADS": "none"}
    with pytest.raises(UnavailableError, match="HMAR_WEB_THREADS"), running_product(tmp_path, settings):
        pytest.fail("it runs")
    assert (tmp_path / "product.log").stat().st_mode & 0o777 == 0o600  # later it holds the API key


@pytest.mark.slow
def test_settings_of_this_process_are_not_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HMAR_SCAN_KERNELS", "unknown")
    with (
        pytest.raises(UnavailableError, match="HMAR_PORT"),
        running_product(tmp_path, {"HMAR_PORT": "none"}),
    ):
        pytest.fail("it runs")
