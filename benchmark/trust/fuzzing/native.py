"""Native decoders behind their containment, fed with damaged streams."""

from __future__ import annotations

import random
import time
from collections import Counter

from benchmark.trust.material.streams import compressed_files
from benchmark.trust.parts import Row
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.limits import DecodeLimits
from hmar.errors import DecodeError

_LIMITS = DecodeLimits(max_pixels=1 << 20, seconds=2, memory_mb=512)
_HEADER_END = b"\xfe\xff\x00\xe0"


def fuzz_native(executions: int, seed: int) -> tuple[Row, list[str]]:
    """Decode damaged files; return the row of the table, and what happened that may not.

    Parameters
    ----------
    executions : int
        How many files.
    seed : int
        Of the damage.
    """
    files = list(compressed_files().values())
    generator = random.Random(seed)  # noqa: S311 - nothing secret
    told: Counter[str] = Counter()
    failures = []
    begun = time.monotonic()
    decoder = ContainedDecoder(_LIMITS, bytes(32))
    try:
        for number in range(executions):
            data = damaged(files[number % len(files)], generator)
            try:
                decoder.open(data).frame(1)
                told["decoded"] += 1
            except DecodeError as error:
                told["ended" if "the decoder" in error.detail else "refused"] += 1
            except Exception as error:
                failures.append(f"native: {type(error).__name__} at file {number} of seed {seed}.")
    finally:
        decoder.close()
    row: Row = {
        "target": "native",
        "reads": f"Damaged compressed streams: {told['decoded']} decoded, {told['refused']} refused, "
        f"{told['ended']} ended a decoder",
        "executions": executions,
        "seconds": round(time.monotonic() - begun, 1),
        "corpus": len(files),
        "crashes": len(failures),
    }
    return row, failures


def damaged(data: bytes, generator: random.Random) -> bytes:
    """Return a file with a few bytes of its pixel data changed, left out or repeated."""
    start = data.index(_HEADER_END) + 16
    altered = bytearray(data)
    for _ in range(generator.choice((1, 1, 2, 4, 16))):
        at = generator.randrange(start, len(altered))
        kind = generator.randrange(4)
        if kind == 0:
            altered[at] = generator.randrange(256)
        elif kind == 1:
            altered[at] ^= 1 << generator.randrange(8)
        elif kind == 2:
            altered[at : at + 2] = generator.choice((b"\xff\xff", b"\0\0", b"\x7f\xff", b"\xff\xd9"))
        else:
            length = generator.randrange(1, 64)
            altered[at : at + length] = generator.randbytes(length)
    return bytes(altered)
