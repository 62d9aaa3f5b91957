"""The log of a run: one JSON object a step, appended as it is made."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class TrainingLog:
    """Appends lines to a file.

    Parameters
    ----------
    path : Path
        Begun anew with the earlier lines: steps that were made after the checkpoint are made again.
    earlier : sequence of dict
        Lines of the run that is resumed.
    """

    def __init__(self, path: Path, earlier: Sequence[dict[str, Any]] = ()) -> None:
        self.lines = list(earlier)
        self._file = path.open("w", encoding="utf-8")
        self._file.writelines(map(_line, self.lines))
        self._file.flush()

    def add(self, line: dict[str, Any]) -> None:
        """Append a line; it is in the file when this returns."""
        self.lines.append(line)
        self._file.write(_line(line))
        self._file.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _line(line: dict[str, Any]) -> str:
    return json.dumps(line) + "\n"
