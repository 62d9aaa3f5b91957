"""Snapshots of an index on disk: generations that are verified before they are believed.

::

    <root>/<model>/gen-<seq>/manifest.json   magic, format version, model, seq, mark, sha256 of each array
                            /<array>.npy
    <root>/<model>/quarantine/               the newest generations that were refused
    <root>/<model>/lock                      held while one is written (exclusive) or read (shared)

``<model>`` is a digest of the model's fingerprint, so that two models never meet. A generation is written
under another name, synced, and renamed: it is there as a whole or not at all. Losing all of them loses
nothing, for the log rebuilds the index.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.errors import SnapshotError
from hmar.index.frames import FRAME_ARRAYS
from hmar.index.locked import locked

MAGIC = "HMAR index snapshot"
FORMAT_VERSION = 3
GENERATIONS_KEPT = 2
QUARANTINED_KEPT = 3
_PREFIX = "gen-"
_UNFINISHED = ".unfinished-"
_MANIFEST = "manifest.json"
_log = logging.getLogger(__name__)

ARRAYS = {
    **FRAME_ARRAYS,
    "window_counts": ("<i8", 1),
    "window_first": ("<u8", 1),
    "window_second": ("<u8", 1),
    "window_ids": ("<u4", 1),
}
"""Name of every array with its dtype and number of axes; all little-endian."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What an index holds at one point of the log.

    Parameters
    ----------
    seq : int
        The last log row that is in it.
    mark : str
        That row's mark, which tells whether the log is still the one it was taken of.
    texts : dict of str to list of str
        Texts that the array of the same name refers to.
    arrays : dict of str to ndarray
        As in ``ARRAYS``.
    """

    seq: int
    mark: str
    texts: dict[str, list[str]]
    arrays: dict[str, NDArray[Any]]


class SnapshotStore:
    """The snapshots of one model's index.

    Parameters
    ----------
    root : Path
        Folder of all snapshots; created when the first is written.
    model_fingerprint : str
        Snapshots of other models are not seen.
    """

    def __init__(self, root: Path, model_fingerprint: str) -> None:
        self._model_fingerprint = model_fingerprint
        self._folder = root / hashlib.sha256(model_fingerprint.encode()).hexdigest()[:16]

    def load(self) -> Snapshot | None:
        """Return the newest snapshot that is intact, None if there is none; others are quarantined."""
        if not self._folder.is_dir():
            return None
        with locked(self._folder / "lock", exclusive=False, wait=True):
            for generation in self._generations():
                try:
                    return self._read(generation)
                except SnapshotError as error:
                    self._quarantine(generation, error)
        return None

    def write(self, snapshot: Snapshot) -> bool:
        """Write a snapshot and drop all but the newest; False if another process is at it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(self._folder / "lock", exclusive=True, wait=False) as held:
            if not held:
                return False
            self._sweep()
            target = self._folder / f"{_PREFIX}{snapshot.seq:020d}"
            if not target.exists():
                with self._unfinished() as folder:
                    self._fill(folder, snapshot)
                    folder.rename(target)
                _sync(self._folder)
            for old in self._generations()[GENERATIONS_KEPT:]:
                shutil.rmtree(old)
        return True

    def discard(self) -> None:
        """Quarantine all snapshots: they are of a log that the catalogue does not hold."""
        if not self._folder.is_dir():
            return
        with locked(self._folder / "lock", exclusive=True, wait=True):
            for generation in self._generations():
                self._quarantine(generation, SnapshotError("It is of another log.", "Nothing is lost."))

    def _generations(self) -> list[Path]:
        return sorted(self._folder.glob(f"{_PREFIX}*"), reverse=True)

    def _sweep(self) -> None:
        """Remove what a process that died while writing has left."""
        for left in self._folder.glob(f"{_UNFINISHED}*"):
            shutil.rmtree(left)

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._folder))
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _fill(self, folder: Path, snapshot: Snapshot) -> None:
        digests = {}
        for name, (dtype, _) in ARRAYS.items():
            path = folder / f"{name}.npy"
            np.save(path, np.ascontiguousarray(snapshot.arrays[name], dtype), allow_pickle=False)
            _sync(path)
            digests[name] = _digest(path)
        manifest = folder / _MANIFEST
        manifest.write_bytes(
            _sealed(
                {
                    "magic": MAGIC,
                    "format_version": FORMAT_VERSION,
                    "model_fingerprint": self._model_fingerprint,
                    "seq": snapshot.seq,
                    "mark": snapshot.mark,
                    "texts": snapshot.texts,
                    "frames": len(snapshot.arrays["entry_ids"]),
                    "windows": len(snapshot.arrays["window_ids"]),
                    "sha256": digests,
                }
            )
        )
        _sync(manifest)
        _sync(folder)

    def _read(self, generation: Path) -> Snapshot:
        try:
            body = _unsealed((generation / _MANIFEST).read_bytes())
            self._check_kind(body)
            arrays = {name: _array(generation / f"{name}.npy", body["sha256"][name]) for name in ARRAYS}
            _check_counts(body, arrays)
            return Snapshot(body["seq"], body["mark"], body["texts"], arrays)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _corrupt(f"it cannot be read ({type(error).__name__})") from error

    def _check_kind(self, body: dict[str, Any]) -> None:
        for name, expected in (
            ("magic", MAGIC),
            ("format_version", FORMAT_VERSION),
            ("model_fingerprint", self._model_fingerprint),
        ):
            if body[name] != expected:
                raise _corrupt(f"its {name} is {body[name]!r}, expected {expected!r}")

    def _quarantine(self, generation: Path, error: SnapshotError) -> None:
        quarantine = self._folder / "quarantine"
        quarantine.mkdir(mode=0o700, exist_ok=True)
        target = Path(tempfile.mkdtemp(prefix=f"{generation.name}-", dir=quarantine))
        try:
            os.utime(generation)  # a rename keeps the time of writing; the newest are those that came last
            generation.rename(target)
        except FileNotFoundError:
            target.rmdir()
            return
        for old in sorted(quarantine.iterdir(), key=_modified, reverse=True)[QUARANTINED_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)  # another process may be at it
        _log.warning("Index snapshot %s moved to quarantine: %s", generation.name, error.detail)


def _sealed(body: dict[str, Any]) -> bytes:
    """Render a manifest with a digest of itself, in the one form that is accepted back."""
    text = json.dumps(body, sort_keys=True)
    seal = hashlib.sha256(text.encode()).hexdigest()
    return json.dumps({"manifest": body, "seal": seal}, sort_keys=True, indent=1).encode()


def _unsealed(data: bytes) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(data)["manifest"]
    if _sealed(body) != data:
        raise _corrupt("its manifest was altered")
    return body


def _array(path: Path, sha256: str) -> NDArray[Any]:
    if _digest(path) != sha256:
        raise _corrupt(f"{path.name} was altered")
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    dtype, axes = ARRAYS[path.stem]
    if array.dtype != np.dtype(dtype) or array.ndim != axes:
        raise _corrupt(f"{path.name} is {array.dtype} with {array.ndim} axes")
    return array


def _check_counts(body: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
    frames = {len(arrays[name]) for name in (*FRAME_ARRAYS, "window_counts")}
    windows = {len(arrays[name]) for name in ("window_first", "window_second", "window_ids")}
    windows.add(int(arrays["window_counts"].sum()))
    if frames != {body["frames"]} or windows != {body["windows"]}:
        raise _corrupt(f"it holds {sorted(frames)} frames and {sorted(windows)} windows")


def _corrupt(reason: str) -> SnapshotError:
    return SnapshotError(
        f"The index snapshot is not what was written: {reason}.",
        "Nothing is lost: the index is rebuilt from the log. Check the disk if this comes again.",
    )


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
