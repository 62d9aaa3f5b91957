"""The processes that serve never import torch: it is no dependency of theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TRAINING = ("torch", "kan", "sklearn", "onnx", "onnxscript", "nibabel", "matplotlib")

ENGINE = """
import sys
from pathlib import Path
import {module}
from hmar.adapters.memory import InlineQueue
from hmar.config import Settings
from hmar.values.geometry import Box
from hmar.values.selection import Selection
from hmar.wiring import build_engine
from tests.frames import textured_frame

engine = build_engine(Settings(home=Path(sys.argv[1])).checked(), queue=InlineQueue())
for part in ("searcher", "decoder", "indexer", "uploads"):
    getattr(engine, part)
frame = textured_frame(0)
engine.encoder.encode(frame)
engine.searcher.region(frame, Box(60, 60, 50, 50), 3, "local", Selection())
print(sorted(set(sys.argv[2].split(",")) & set(sys.modules)))
"""


@pytest.mark.parametrize("module", ["service.__main__, service.serving", "workers.__main__, workers.app"])
def test_a_process_that_encodes_and_searches_imports_nothing_of_training(module: str, tmp_path: Path) -> None:
    script = ENGINE.format(module=module)
    run = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), ",".join(TRAINING)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.strip() == "[]"
