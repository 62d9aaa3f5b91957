"""The processes that serve never import a pixel decoder: what a file does, it does in a child."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.phantoms import ct_file

pytestmark = pytest.mark.slow

DECODERS = ("pydicom", "highdicom", "gdcm", "openjpeg", "rle", "pylibjpeg")
SCRIPT = """
import sys
from pathlib import Path
import {module}
from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.wiring import build_engine

queue = InlineQueue()
engine = build_engine(Settings(home=Path(sys.argv[1])).checked(), ThumbnailEncoder(), queue)
queue.handler = engine.indexer.handle
engine.indexer.submit("default", Origin("import", "."))
[entry] = engine.catalogue.find(sys.argv[2], engine.encoder.fingerprint)
engine.frame(entry)
engine.close()
print(sorted(set(sys.argv[3].split(",")) & set(sys.modules)))
"""


@pytest.mark.parametrize(
    "module",
    [
        "service.__main__, service.serving",
        "workers.__main__, workers.app",
        "hmar.cli.index",
    ],
)
def test_a_process_that_indexes_and_shows_imports_no_decoder(module: str, tmp_path: Path) -> None:
    (tmp_path / "import").mkdir()
    (tmp_path / "import" / "1.dcm").write_bytes(ct_file(1, 1))
    uid = "1.2.826.0.1.3680043.8.498.1.1"
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(module=module), str(tmp_path), uid, ",".join(DECODERS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
    assert run.stderr == ""
