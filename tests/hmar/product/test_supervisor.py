"""The supervisor where nobody looks any more; tests/e2e has the rest."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
REQUESTS = 1500
"""More lines of the access log than a pipe holds."""


def test_a_product_whose_output_nobody_reads_goes_on_and_stops_in_order(tmp_path: Path) -> None:
    environment = os.environ | {
        "HMAR_HOME": str(tmp_path),
        "HMAR_MODEL_DIR": "thumbnail",
        "HMAR_REDIS_URL": "",
        "HMAR_DATABASE_URL": "",
    }
    product = subprocess.Popen(
        [sys.executable, "-m", "hmar.cli", "serve", "--port", "0"],
        cwd=REPOSITORY,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
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
