"""Runs parts one after another, and keeps what each found."""

from __future__ import annotations

import shutil
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmark.trust.parts import Outcome, Part, Run

Record = dict[str, Any]
"""A part's outcome as it is kept: part, title, short, seed, seconds, summary, rows, failures."""


def run_parts(parts: Sequence[Part], short: bool, seed: int, say: Callable[[str], None]) -> Iterator[Record]:
    """Run parts, and yield the record of each when it has ended.

    A part that raises has failed; the next ones run all the same.
    """
    for part in parts:
        folder = Path(tempfile.mkdtemp(prefix=f"hmar-trust-{part.name}-"))
        begun = time.monotonic()
        try:
            outcome = part.run(Run(short, seed, folder, say))
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            outcome = Outcome([], {}, [f"{type(error).__name__}: {error} ({where.name})"])
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        yield {
            "part": part.name,
            "title": part.title,
            "short": short,
            "seed": seed,
            "seconds": round(time.monotonic() - begun, 1),
            "summary": outcome.summary,
            "rows": outcome.rows,
            "failures": outcome.failures,
        }
