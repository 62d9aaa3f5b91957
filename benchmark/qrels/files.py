"""Topics and qrels, as ``hmar feedback export`` writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from hmar.errors import DecodeError
from hmar.values.geometry import Box, region_of

_REMEDY = "Give what `hmar feedback export --topics TOPICS QRELS` writes."


class Topic(NamedTuple):
    """A query of the archive; ``sop_instance_uid`` is None for one by a file, which is not there."""

    name: str
    sop_instance_uid: str | None
    frame_number: int
    regions: tuple[Box, ...]


def read_topics(path: Path) -> list[Topic]:
    """Read topics, a JSON object a line; raises DecodeError naming the line that is none."""
    found = []
    for number, line in enumerate(_lines(path), start=1):
        try:
            told = json.loads(line)
            regions = tuple(map(region_of, told["regions"]))
            found.append(Topic(told["topic"], told["sop_instance_uid"], int(told["frame_number"]), regions))
        except (ValueError, KeyError, TypeError) as error:
            raise DecodeError(f"Line {number} of {path.name} is no topic.", _REMEDY) from error
    return found


def read_qrels(path: Path) -> Mapping[str, Mapping[str, bool]]:
    """Read qrels: for each topic, whether each judged document is relevant; raises as :func:`read_topics`."""
    found: dict[str, dict[str, bool]] = {}
    for number, line in enumerate(_lines(path), start=1):
        try:
            topic, _, document, grade = line.split()
            found.setdefault(topic, {})[document] = int(grade) > 0
        except ValueError as error:
            raise DecodeError(f"Line {number} of {path.name} is no line of qrels.", _REMEDY) from error
    return found


def _lines(path: Path) -> list[str]:
    try:
        return [line for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise DecodeError(f"{path.name} cannot be read ({type(error).__name__}).", _REMEDY) from error
