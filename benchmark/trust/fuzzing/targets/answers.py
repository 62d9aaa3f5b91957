"""What a decoder answers, of which nothing is believed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from benchmark.trust.fuzzing.target import Once, Target
from benchmark.trust.material.dicom import dicom, stored_slice
from hmar.decoding.answers import info_answer, raise_error, read_info, read_note, read_size, read_units
from hmar.decoding.in_process import ImageDecoder
from hmar.decoding.messages import MessageError
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError, LimitError, ParameterError


def make() -> Once:
    """Return what reads an answer in every way in which one is read."""

    def once(data: bytes) -> None:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            return
        if not isinstance(answer, dict):
            return
        for read in (raise_error, _info, _size, read_units, read_note):
            try:
                read(answer)
            except (MessageError, DecodeError, LimitError, ParameterError):
                continue

    return once


def _info(answer: Mapping[str, object]) -> None:
    info = read_info(answer.get("first"), 1)
    assert info.rows >= 1
    assert info.spacing is None or all(0 < side < math.inf for side in info.spacing)
    # What is read is what is kept: it must be able to be told again.
    assert read_info(json.loads(json.dumps(info_answer(info), allow_nan=False)), 1) == info


def _size(answer: Mapping[str, object]) -> None:
    assert 1 <= read_size(answer, "frames", 1000) <= 1000


def seeds() -> Mapping[str, bytes]:
    """Return answers of each kind."""
    decoder = ImageDecoder(1 << 16, PatientHasher(bytes(32)))
    elements: dict[str, Any] = {
        "PatientID": "1",
        "PatientSex": "F",
        "PatientAge": "040Y",
        "StudyDate": "20200101",
    }
    full = decoder.open(dicom(stored_slice(1, 8), ImagePositionPatient=[1.5, 2, 3], **elements))
    answers: dict[str, dict[str, object]] = {
        "opened": {"frames": 1, "alike": True, "first": info_answer(full.infos[0])},
        "frame": {"units": "HU", "window": [40.0, 400.0], "note": "RescaleType is OD", "shape": [8, 8]},
        "error": {"error": "decode", "detail": "It is damaged.", "remedy": "Send it again."},
    }
    return {name: json.dumps(answer).encode() for name, answer in answers.items()}


TARGET = Target(make, seeds, weight=300, most_bytes=2048)
