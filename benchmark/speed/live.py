"""How soon a frame that is added to a large index, or deleted from it, is there or gone for searches."""

from __future__ import annotations

import time

import numpy as np

from benchmark.speed.archive import MODEL, Archive
from benchmark.speed.scan import NAME, search
from benchmark.speed.timing import percentiles
from benchmark.types import Progress
from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.values.codes import EncodedFrame
from hmar.values.entries import LogRow
from hmar.values.frames import FrameInfo

FRAMES = 5
_THREADS = 2
_INFO = FrameInfo(
    study_uid="new",
    series_uid="new",
    sop_instance_uid="new",
    frame_number=1,
    patient_key="new",
    rows=512,
    columns=512,
    spacing=None,
    modality="CT",
)


def measure_live(archive: Archive, progress: Progress) -> list[dict[str, object]]:
    """Add frames to an archive's index and delete them again, and search after each.

    A frame's windows are those of a query that nothing in the archive equals. The time is from the log row to
    the answer of a search begun after it, the search included.
    """
    index = EmbeddedIndex(archive.folder, MODEL, _THREADS, checked=False)
    added, deleted, right = [], [], 0
    for number in range(FRAMES):
        codes, entry_id, seq = (
            archive.asked[number % len(archive.asked)],
            archive.frames + 1 + number,
            archive.frames + 1 + 2 * number,
        )
        encoded = EncodedFrame(
            _INFO, codes[0], codes, np.arange(len(codes), dtype=np.uint32), (0.5, 0.5), MODEL
        )
        times = []
        for row in (
            LogRow(seq, "add", entry_id, "speed", "speed", encoded),
            LogRow(seq + 1, "delete", entry_id, "speed", "speed", None),
        ):
            begun = time.perf_counter()
            index.apply([row])
            first = search(index, codes, 128)[0]
            times.append(1000 * (time.perf_counter() - begun))
            right += (first.entry_id == entry_id) == (row.kind == "add")
        added.append(times[0])
        deleted.append(times[1])
        progress("frames added and deleted", number + 1, FRAMES)
    index.close()
    return [
        {
            "protocol": "speed",
            "part": "scan",
            "name": f"{NAME}, from {what} to the answer of a search",
            "setting": f"{archive.frames} frames, {archive.windows} windows, 9 windows, 128 bits",
            "threads": _THREADS,
            "repeats": FRAMES,
            **percentiles(times),
            "quality": {"answers right": f"{right} of {2 * FRAMES}"},
        }
        for what, times in (("a frame's log row", added), ("its deletion", deleted))
    ]
