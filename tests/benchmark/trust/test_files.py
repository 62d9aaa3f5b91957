"""A file is decoded as pydicom does, or refused for what is true of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest

from benchmark.trust import files
from benchmark.trust.files import DECODED, OTHER, REFUSED, verdict_on
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.limits import DecodeLimits

pytestmark = pytest.mark.slow
SMALL = Path(pydicom.__file__).parent / "data" / "test_files" / "CT_small.dcm"


@pytest.fixture
def decoder() -> Iterator[ContainedDecoder]:
    made = ContainedDecoder(DecodeLimits(1 << 20, 10, 1024), bytes(32))
    yield made
    made.close()


def test_decoded_refused_and_otherwise_decoded_are_told_apart(
    decoder: ContainedDecoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert verdict_on(SMALL, decoder) == (DECODED, "")
    text = tmp_path / "text"
    text.write_text("no image")
    outcome, wrong = verdict_on(text, decoder)
    assert outcome.startswith(REFUSED)
    assert wrong == ""
    monkeypatch.setattr(files, "_pydicoms", lambda _dataset, _number: 0)
    outcome, wrong = verdict_on(SMALL, decoder)
    assert outcome == OTHER
    assert "frame 1" in wrong
