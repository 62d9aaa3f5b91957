"""An index snapshot whose manifest and arrays are not those that were written."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from benchmark.trust.fuzzing.manifests import sealed_text
from benchmark.trust.fuzzing.target import Once, Target
from hmar.errors import SnapshotError
from hmar.index.metadata import TEXTS
from hmar.index.planes import padded
from hmar.index.snapshot import ARRAYS, Snapshot, SnapshotStore

_MODEL = "fuzz"
_SEPARATOR = b"\0HMAR\0"


def make() -> Once:
    """Return what loads a snapshot.

    The input is the body of a manifest, which is sealed as a writer does, and bytes that replace the
    beginning of one array.
    """
    root = Path(tempfile.mkdtemp())
    store = SnapshotStore(root, _MODEL)
    store.write(_snapshot())
    [folder] = root.glob("*/gen-*")
    [manifest, *arrays] = [folder / "manifest.json", *sorted(folder.glob("*.npy"))]
    whole = {path: path.read_bytes() for path in arrays}
    logging.getLogger("hmar.index").setLevel(logging.CRITICAL)

    def once(data: bytes) -> None:
        body, _, altered = data.partition(_SEPARATOR)
        target = arrays[altered[0] % len(arrays)] if altered else None
        if not folder.exists():
            folder.mkdir()
            for path, content in whole.items():
                path.write_bytes(content)
        if target is not None:
            target.write_bytes(altered[1:] + whole[target][len(altered) - 1 :])
        manifest.write_bytes(sealed_text(body))
        try:
            found = store.load()
            if found is not None:
                assert len(found.arrays["id_runs"]) == int(found.arrays["id_run_counts"].sum())
        except SnapshotError:
            pass
        finally:
            del data
            shutil.rmtree(folder.parent / "quarantine", ignore_errors=True)
            if target is not None and folder.exists():
                target.write_bytes(whole[target])

    return once


@cache
def _snapshot() -> Snapshot:
    frames, windows = 2, 3
    arrays = {}
    for name, (dtype, axes) in ARRAYS.items():
        arrays[name] = np.zeros((frames, 16) if axes == 2 else (frames,), dtype)
    arrays["window_codes"] = np.zeros((16, padded(windows)), "u1")
    arrays["window_counts"] = np.array([1, 2], "<i8")
    arrays["coarse_counts"] = np.array([1, 2], "<u4")
    arrays["id_run_counts"] = np.array([1, 1], "<u4")
    arrays["id_runs"] = np.array([[7, 1], [7, 2]], "<u4")
    return Snapshot(3, "mark", {name: ["a"] for name in TEXTS}, arrays)


def seeds() -> Mapping[str, bytes]:
    """Return the manifest as it is written, with and without an altered array."""
    with tempfile.TemporaryDirectory() as folder:
        SnapshotStore(Path(folder), _MODEL).write(_snapshot())
        [path] = Path(folder).glob("*/gen-*/manifest.json")
        body = json.dumps(json.loads(path.read_bytes())["manifest"]).encode()
    return {"whole": body, "altered": body + _SEPARATOR + b"\x03\x93NUMPY\x01\x00"}


TARGET = Target(make, seeds, weight=2, most_bytes=8192)
