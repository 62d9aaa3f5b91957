"""The part "files": every file of pydicom and pydicom-data, decoded behind the containment."""

from __future__ import annotations

import importlib
import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.pixels.utils import pixel_array

from benchmark.trust.parts import Outcome, Part, Row, Run
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.limits import DecodeLimits
from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.pixels import stored_frame
from hmar.dicom.read import read_dicom
from hmar.errors import DecodeError

MAX_PIXELS = 400_000_000
SHORT_EVERY = 6
_LIMITS = DecodeLimits(max_pixels=MAX_PIXELS, seconds=30, memory_mb=4096)
_PIXELS = frozenset({"PixelData", "FloatPixelData", "DoubleFloatPixelData"})
_NO_PIXELS = "holds no pixels"
_NOT_DICOM = "neither DICOM"
DECODED, ALONE, REFUSED, CRASHED, OTHER = (
    "decoded, with pydicom's stored values",
    "decoded; pydicom has no decoder for it",
    "refused: ",
    "crashed",
    "decoded, with other stored values",
)


class Verdict(NamedTuple):
    """What became of a file, and where that is wrong, how."""

    outcome: str
    wrong: str = ""


def run(trial: Run) -> Outcome:
    """Decode every file that pydicom and pydicom-data come with, as foreign files are decoded.

    Of each file that the product decodes behind its containment, the stored values of its first and last
    frame are compared, bit by bit, with those of pydicom's own pipeline, which decodes no JPEG of 12 bits.
    A file is refused by an error with a reason and a remedy; where the reason is that it holds no pixels
    or is no DICOM, pydicom must find the same. A crash is any other error, and any end of a decoder.
    """
    files = sample_files()
    if not files:
        return Outcome([], {"skipped": "pydicom-data is not installed"})
    chosen = files[trial.seed % SHORT_EVERY :: SHORT_EVERY] if trial.short else files
    found: list[tuple[Path, Verdict]] = []
    decoder = ContainedDecoder(_LIMITS, bytes(32))
    try:
        for number, path in enumerate(chosen):
            found.append((path, verdict_on(path, decoder)))
            if number % 50 == 0:
                trial.say(f"files: {number} of {len(chosen)}")
    finally:
        decoder.close()
    counts = Counter(verdict.outcome for _, verdict in found)
    rows: list[Row] = [
        {
            "outcome": outcome,
            "files": count,
            "for example": next(path.name for path, verdict in found if verdict.outcome == outcome),
        }
        for outcome, count in sorted(counts.items(), key=lambda one: (one[0].startswith(REFUSED), -one[1]))
    ]
    summary: Row = {
        "files": len(found),
        "as_pydicom": counts[DECODED],
        "pydicom_cannot": counts[ALONE],
        "refused": sum(count for outcome, count in counts.items() if outcome.startswith(REFUSED)),
        "crashed": counts[CRASHED],
    }
    failures = [f"{path.name}: {verdict.wrong}" for path, verdict in found if verdict.wrong]
    return Outcome(rows, summary, failures)


def sample_files() -> list[Path]:
    """Return all files that pydicom and pydicom-data come with; none without pydicom-data."""
    try:
        store = importlib.import_module("data_store").__file__
    except ImportError:
        return []
    folders = [Path(str(module)).parent / "data" for module in (pydicom.__file__, store)]
    return sorted(
        path
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
    )


def verdict_on(path: Path, decoder: ContainedDecoder) -> Verdict:
    """Decode a file, compare it, and return what became of it."""
    data = path.read_bytes()
    try:
        opened = decoder.open(data)
        numbers = sorted({1, len(opened.infos)})
        for number in numbers:
            opened.frame(number)
    except DecodeError as error:
        return _refused(path, error)
    except Exception as error:
        return Verdict(CRASHED, type(error).__name__)
    return _compared(data, numbers)


def _refused(path: Path, error: DecodeError) -> Verdict:
    if "the decoder" in error.detail:
        return Verdict(CRASHED, error.detail)
    reason = re.sub(r"\d+", "n", error.detail.rstrip("."))
    if not error.remedy:
        return Verdict(REFUSED + reason, "it is refused without a remedy")
    if _NO_PIXELS in error.detail and _holds_pixels(path):
        return Verdict(REFUSED + reason, "it is said to hold no pixels, and holds some")
    if _NOT_DICOM in error.detail and _is_dicom(path):
        return Verdict(REFUSED + reason, "it is said to be no DICOM, and is")
    return Verdict(REFUSED + reason)


def _holds_pixels(path: Path) -> bool:
    with warnings.catch_warnings(action="ignore"):
        return bool(_PIXELS & set(pydicom.dcmread(path, force=True).dir()))


def _is_dicom(path: Path) -> bool:
    try:
        with warnings.catch_warnings(action="ignore"):
            pydicom.dcmread(path, stop_before_pixels=True)
    except Exception:
        return False
    return True


def _compared(data: bytes, numbers: list[int]) -> Verdict:
    file = read_dicom(data, MAX_PIXELS, PatientHasher(bytes(32)))
    for number in numbers:
        expected = _pydicoms(file.dataset, number)
        if expected is None:
            return Verdict(ALONE)
        values, _ = stored_frame(file.dataset, number, file.streams)
        if not np.array_equal(values, expected):
            return Verdict(OTHER, f"the stored values of frame {number} are not pydicom's")
    return Verdict(DECODED)


def _pydicoms(dataset: pydicom.Dataset, number: int) -> NDArray[Any] | None:
    """Return the stored values of a frame as pydicom decodes them, None where it does not."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return pixel_array(dataset, index=number - 1, raw=True)
    except Exception:
        return None


PART = Part(
    "files",
    "The files of pydicom",
    run,
    "{files} files that pydicom and pydicom-data come with",
    "{as_pydicom} decoded as pydicom does, {pydicom_cannot} that it cannot, {refused} refused with a reason, "
    "{crashed} crashed",
)
