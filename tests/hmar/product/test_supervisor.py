"""The supervisor where nobody looks any more; tests/e2e has the rest."""

from __future__ import annotations

import signal
import subprocess
import urllib.request
from pathlib import Path

import pytest

from hmar.product.running import start_product
from hmar.wiring import THUMBNAIL

pytestmark = pytest.mark.slow

REQUESTS = 1500
"""More lines of the access log than a pipe holds."""


def test_a_product_whose_output_nobody_reads_goes_on_and_stops_in_order(tmp_path: Path) -> None:
    product = start_product(tmp_path, {"HMAR_MODEL_DIR": THUMBNAIL}, subprocess.PIPE)
    try:
        assert product.stdout is not None
        assert any("Ctrl-C" in line for line in product.stdout)
        product.stdout.close()
        url = (tmp_path / "run" / "service.url").read_text()
        for _ in range(REQUESTS):
            with urllib.request.urlopen(f"{url}/healthz", timeout=30) as response:
                assert response.status == 200
        product.send_signal(signal.SIGTERM)
        assert product.wait(60) == 0
        assert [file.name for file in (tmp_path / "run").iterdir()] == ["lock"]
    finally:
        product.kill()
        product.wait()
