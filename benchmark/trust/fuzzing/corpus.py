"""Inputs that fuzzing starts from, and those that it leaves behind."""

from __future__ import annotations

from pathlib import Path

from benchmark.trust.fuzzing.target import load_target

KEPT = Path(__file__).parents[3] / "tests" / "data" / "fuzz_corpus"
"""Inputs that earlier runs found to reach new code, in a folder for each target; a test replays them."""
CRASHES = Path("trust-crashes")
"""In the working directory: inputs that crashed something, to be repeated, fixed and moved to ``KEPT``."""


def corpus_of(name: str) -> dict[str, bytes]:
    """Return a target's seeds and kept inputs, by name."""
    kept = {path.name: path.read_bytes() for path in sorted((KEPT / name).glob("*"))}
    return {**load_target(name).seeds(), **kept}


def kept_crash(name: str, path: Path) -> Path:
    """Copy a crashing input to where it outlives the run; return its place."""
    target = CRASHES / name / path.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(path.read_bytes())
    return target
