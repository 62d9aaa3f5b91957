"""``python -m benchmark.trust.fuzzing.child``: fuzz one target in this process, until it is done or ends.

An unexpected exception is written down, once for each place that raises one, and fuzzing goes on. Whatever
ends the process (a hang, too much memory, a fault of native code) is the parent's to find.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import resource
import struct
import sys
import traceback
from pathlib import Path
from typing import Any

from benchmark.trust.fuzzing.target import INSTRUMENTED, Once, load_target

HANG_S = 2
MEMORY_MB = 1024
_COUNT = struct.Struct("<Q")


def main(name: str, executions: int, seed: int, folder: Path) -> None:
    """Fuzz.

    Parameters
    ----------
    name : str
        Target.
    executions : int
        How many.
    seed : int
        Of the mutations.
    folder : Path
        Holds ``corpus``; ``executions`` counts, ``crashes`` and ``ended`` take what went wrong.
    """
    import atheris  # type: ignore[import-untyped, unused-ignore]

    with atheris.instrument_imports(include=list(INSTRUMENTED)):
        target = load_target(name)
        once = target.make()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    atheris.Setup(
        [
            name,
            f"-runs={executions}",
            f"-seed={seed}",
            f"-max_len={target.most_bytes}",
            f"-timeout={HANG_S}",
            f"-rss_limit_mb={MEMORY_MB}",
            f"-artifact_prefix={folder / 'ended'}/",
            "-print_final_stats=0",
            "-verbosity=0",
            str(folder / "corpus"),
        ],
        counted(once, folder),
    )
    atheris.Fuzz()


def counted(once: Once, folder: Path) -> Once:
    """Return a function that counts its calls in a file and writes down what it should not have raised."""
    count = _counter(folder / "executions")
    seen: set[str] = set()

    def run(data: bytes) -> None:
        _COUNT.pack_into(count, 0, _COUNT.unpack_from(count)[0] + 1)
        try:
            once(data)
        except Exception as error:
            place = where(error)
            if place not in seen:
                seen.add(place)
                write_crash(folder / "crashes", data, place)

    return run


def where(error: Exception) -> str:
    """Return class and place of an error: what makes two crashes the same."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    last = (ours or frames)[-1]
    return f"{type(error).__name__} at {Path(last.filename).name}:{last.name}:{last.lineno}"


def write_crash(folder: Path, data: bytes, place: str) -> None:
    """Keep an input and what it led to."""
    name = hashlib.sha256(data).hexdigest()[:16]
    (folder / f"{name}.bin").write_bytes(data)
    (folder / f"{name}.json").write_text(json.dumps({"place": place}))


def executed(folder: Path) -> int:
    """Return how many executions were counted."""
    path = folder / "executions"
    return int(_COUNT.unpack(path.read_bytes())[0]) if path.exists() else 0


def _counter(path: Path) -> Any:
    if not path.exists():
        path.write_bytes(bytes(_COUNT.size))
    with path.open("r+b") as file:
        return mmap.mmap(file.fileno(), _COUNT.size)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
