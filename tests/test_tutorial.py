"""The Python of the tutorial and of the README runs as it stands, block after block."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest

from tests.phantoms import SPACING_MM, ct_file, slice_hu

pytestmark = pytest.mark.slow

pytest.importorskip("torch", reason="the extra 'train' is not installed")
pytest.importorskip("kan", reason="the extra 'train' is not installed")

ROOT = Path(__file__).parents[1]
SIDE = 512
"""Of the sample study's slices, so that the boxes of the pages lie inside."""
SLICES = 17
_SCALE = 3
_MARGIN = 32


def blocks(page: str) -> Iterator[tuple[int, str]]:
    """Yield the Python blocks of a page, each with the number of its first line."""
    text = (ROOT / page).read_text("utf-8")
    for match in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield text.count("\n", 0, match.start(1)) + 1, match[1]


def slice_file(series: int, number: int) -> bytes:
    """Return a phantom's slice, three times as fine."""
    file = pydicom.dcmread(io.BytesIO(ct_file(series, number)))
    fine = slice_hu(series, number).repeat(_SCALE, 0).repeat(_SCALE, 1)
    shown = fine[_MARGIN : _MARGIN + SIDE, _MARGIN : _MARGIN + SIDE]
    file.Rows = file.Columns = SIDE
    file.PixelSpacing = [SPACING_MM / _SCALE] * 2
    file.PatientID = f"patient {series}"
    file.PixelData = np.rint(shown + 1024).astype("<i2").tobytes()
    buffer = io.BytesIO()
    file.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def write_sample_data(folder: Path) -> None:
    """Write what `hmar sample-data` writes, small: two series, and a file that is no image."""
    for series, name, files in (
        (1, "lidc-idri-0001", {number: f"1-{number:03}.dcm" for number in range(39, 48)}),
        (2, "totalsegmentator-example", {number: f"{number:04}" for number in range(8)}),
    ):
        (folder / name).mkdir(parents=True)
        for number, file in files.items():
            (folder / name / file).write_bytes(slice_file(series, number))
    (folder / "LICENCES.md").write_text("whom to cite")


def run(page: str, namespace: dict[str, Any]) -> int:
    """Run the blocks of a page in order, in one namespace; return how many there were."""
    count = 0
    for line, block in blocks(page):
        code = compile("\n" * (line - 1) + block, page, "exec")  # so that a traceback names the page's line
        exec(code, namespace)
        count += 1
    return count


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the sample data, to work in."""
    write_sample_data(tmp_path / "sample-data")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    return tmp_path


def test_the_tutorial_runs_from_its_first_block_to_its_last(workplace: Path) -> None:
    namespace: dict[str, Any] = {}
    assert run("docs/python.md", namespace) == 11
    assert np.load(workplace / "codes.npy").shape == (SLICES, 16)
    assert (workplace / "hit.png").read_bytes().startswith(b"\x89PNG")
    assert (workplace / "models" / "ours" / "SHA256SUMS").is_file()
    hits = namespace["results"]
    assert len(hits) == 5
    assert namespace["answer"] == hits.to_dict()
    assert [skip.file for skip in namespace["everything"].skips] == ["LICENCES.md"]
    assert namespace["figures"].queries == SLICES


def test_the_lines_of_the_readme_run(workplace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("README.md", {}) == 1
    assert len(capsys.readouterr().out.splitlines()) == 9  # the slices of the series
