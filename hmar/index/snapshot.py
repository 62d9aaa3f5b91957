"""Snapshots of an index on disk: generations that are written as a whole, mapped, and verified.

::

    <root>/<model>/gen-<seq>/manifest.json   magic, format version, model, seq, mark, shapes, sha256
                            /<array>.npy
    <root>/<model>/quarantine/               the newest generations that were refused
    <root>/<model>/lock                      held while one is written (exclusive) or read (shared)

``<model>`` is a digest of the model's fingerprint, so that two models never meet. A generation is written
under another name, synced, and renamed: it is there as a whole or not at all. Its arrays are mapped, so
that all processes on one machine share one copy; a generation that is deleted stays readable where it is
mapped. Losing all of them loses nothing, for the log rebuilds the index.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hmar.disk import free_bytes, write_error, writing
from hmar.errors import DiskFullError, SnapshotError
from hmar.files import sync_folder, write_file
from hmar.index.frames import FRAME_ARRAYS
from hmar.index.guides import GUIDE_ARRAYS
from hmar.index.metadata import TEXTS
from hmar.index.planes import padded
from hmar.index.stored import ArrayParts, StoredArray, corrupt, map_array, write_array
from hmar.locks import locked
from hmar.manifests import sealed, unsealed

MAGIC = "HMAR index snapshot"
FORMAT_VERSION = 6
GENERATIONS_KEPT = 2
QUARANTINED_KEPT = 3
SPARE_BYTES = 1 << 20
"""Left free beside a snapshot."""
_PREFIX = "gen-"
_UNFINISHED = ".unfinished-"
_QUARANTINE = "quarantine"
_MANIFEST = "manifest.json"
_THEY = "The snapshots of the index"
_log = logging.getLogger(__name__)

_BY_FRAME = FRAME_ARRAYS | {
    "window_counts": ("<i8", 1),
    "coarse_counts": ("<u4", 1),
    "id_run_counts": ("<u4", 1),
    **GUIDE_ARRAYS,
}
WINDOW_ARRAYS = {"window_codes": ("|u1", 2), "id_runs": ("<u4", 2)}
ARRAYS = _BY_FRAME | WINDOW_ARRAYS
"""Name of every array with its dtype and number of axes; all little-endian. One row for each frame, but
window_codes, planes of shape (16, padded(windows)), and id_runs, one row for each run of window ids."""


class OtherVersionError(SnapshotError):
    """An intact snapshot is of a version that keeps other things of frames, or the same ones otherwise."""


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
    arrays : mapping of str to ndarray or ArrayParts
        As in ``ARRAYS``.
    deleted_seq : int
        The last log row up to ``seq`` that is a delete, 0 if there is none: older snapshots may hold what it
        deleted.
    """

    seq: int
    mark: str
    texts: dict[str, list[str]]
    arrays: Mapping[str, NDArray[Any] | ArrayParts]
    deleted_seq: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """A snapshot on disk. Its arrays are memory-mapped and read-only; :meth:`check` verifies them.

    Parameters
    ----------
    seq, mark, deleted_seq, texts
        As in :class:`Snapshot`.
    folder : Path
        Where it was read; it may be deleted by now.
    stored : mapping of str to StoredArray
        As in ``ARRAYS``.
    """

    seq: int
    mark: str
    deleted_seq: int
    texts: dict[str, list[str]]
    folder: Path
    stored: Mapping[str, StoredArray]

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The arrays."""
        return {name: array.values for name, array in self.stored.items()}

    def check(self, stopped: Callable[[], bool] = lambda: False) -> None:
        """Verify the checksum of every array; raises SnapshotError if a bit of one differs."""
        for name, array in self.stored.items():
            array.check(name, stopped)
        # Scans read the codes all the time, and window ids never.
        self.stored["id_runs"].forget()


def _folder_of(root: Path, model_fingerprint: str) -> Path:
    return root / hashlib.sha256(model_fingerprint.encode()).hexdigest()[:16]


def drop_others(root: Path, model_fingerprint: str) -> None:
    """Remove the snapshots of all models but one; what is mapped stays readable where it is."""
    own = _folder_of(root, model_fingerprint)
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.is_dir() and folder != own:
            # Another process may do the same just now.
            with suppress(FileNotFoundError), locked(folder / "lock", exclusive=True, wait=True):
                shutil.rmtree(folder, ignore_errors=True)


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
        self._root = root
        self._folder = _folder_of(root, model_fingerprint)
        self._stuck: set[str] = set()

    def load(self, checked: bool = True) -> Generation | None:
        """Return the newest generation that is intact, None if there is none.

        Others are quarantined, and those of another version removed.

        Parameters
        ----------
        checked : bool
            False compares manifest, headers and sizes alone, and leaves :meth:`Generation.check` to the
            caller: it reads everything.
        """
        if not self._folder.is_dir():
            return None
        with self._locked(exclusive=False):
            for folder in self._generations():
                try:
                    generation = self._read(folder)
                    if checked:
                        generation.check()
                except OtherVersionError as error:
                    self._remove(folder, error)
                except SnapshotError as error:
                    self._quarantine(folder, error)
                else:
                    return generation
        return None

    def check_all(self) -> tuple[int, list[str]]:
        """Verify every generation; return how many are intact, and the names of those quarantined now.

        Those of another version are removed, and neither.
        """
        if not self._folder.is_dir():
            return 0, []
        intact, damaged = 0, []
        with self._locked():
            for folder in self._generations():
                try:
                    self._read(folder).check()
                except OtherVersionError as error:
                    self._remove(folder, error)
                except SnapshotError as error:
                    self._quarantine(folder, error)
                    damaged.append(folder.name)
                else:
                    intact += 1
        return intact, damaged

    def newest_seq(self) -> int:
        """Return the seq of the newest generation, whatever state it is in; 0 if there is none."""
        return max((int(folder.name.removeprefix(_PREFIX)) for folder in self._generations()), default=0)

    def write(self, snapshot: Snapshot) -> bool:
        """Write a snapshot and delete all but the newest; False if another process is writing one.

        Raises
        ------
        DiskFullError
            If there is no room for it; then nothing of it is left.
        UnavailableError
            If it cannot be written for another reason.
        """
        with writing("The snapshot of the index"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _check_room(self._folder, snapshot)
            return self._write(snapshot)

    def _write(self, snapshot: Snapshot) -> bool:
        with locked(self._folder / "lock", exclusive=True, wait=False) as held:
            if not held:
                return False
            _sweep(self._folder)
            target = self._folder / f"{_PREFIX}{snapshot.seq:020d}"
            if not target.exists():
                with self._unfinished() as folder:
                    self._fill(folder, snapshot)
                    folder.rename(target)
                sync_folder(self._folder)
            for old in self._generations()[GENERATIONS_KEPT:]:
                shutil.rmtree(old)
        return True

    def purge(self, deleted_seq: int) -> bool:
        """Remove what may hold entries that log row ``deleted_seq`` or one before it deleted.

        That is: older generations of every model, and everything in quarantine beside them. The log brings
        them back where they are needed. False if another process reads or writes some just now.
        """
        with writing(_THEY):
            done = [_purged(folder, deleted_seq) for folder in sorted(self._root.glob("*"))]
        return all(done)

    def refuse(self, generation: Generation, error: SnapshotError) -> None:
        """Quarantine a generation that was found to be altered."""
        with self._locked():
            self._quarantine(generation.folder, error)

    def discard(self) -> None:
        """Quarantine all snapshots: they are of a log that the catalogue does not hold."""
        if not self._folder.is_dir():
            return
        with self._locked():
            for folder in self._generations():
                self._quarantine(folder, SnapshotError("It is of another log.", "Nothing is lost."))

    @contextmanager
    def _locked(self, exclusive: bool = True) -> Iterator[None]:
        with writing(_THEY), locked(self._folder / "lock", exclusive, wait=True):
            yield

    def _generations(self) -> list[Path]:
        """Return the generations, the newest first, but those that were refused and could not be moved."""
        found = [folder for folder in self._folder.glob(f"{_PREFIX}*") if folder.name not in self._stuck]
        return sorted(found, reverse=True)

    @contextmanager
    def _unfinished(self) -> Iterator[Path]:
        folder = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=self._folder))
        try:
            yield folder
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _fill(self, folder: Path, snapshot: Snapshot) -> None:
        written = {}
        for name, (dtype, _) in ARRAYS.items():
            array = snapshot.arrays[name]
            sha256 = write_array(folder / f"{name}.npy", dtype, array)
            written[name] = {"shape": list(array.shape), "sha256": sha256}
        body = {
            "magic": MAGIC,
            "format_version": FORMAT_VERSION,
            "model_fingerprint": self._model_fingerprint,
            "seq": snapshot.seq,
            "mark": snapshot.mark,
            "deleted_seq": snapshot.deleted_seq,
            "texts": snapshot.texts,
            "arrays": written,
        }
        write_file(folder / _MANIFEST, sealed(body))

    def _read(self, folder: Path) -> Generation:
        try:
            body, intact = unsealed((folder / _MANIFEST).read_bytes())
            if not intact:
                raise corrupt("its manifest was altered")
            self._check_kind(body)
            _check_names(body)
            stored = {}
            for name, (dtype, axes) in ARRAYS.items():
                shape, sha256 = tuple(body["arrays"][name]["shape"]), body["arrays"][name]["sha256"]
                if len(shape) != axes:
                    raise corrupt(f"{name} has {len(shape)} axes")
                stored[name] = map_array(folder / f"{name}.npy", dtype, shape, sha256)
            # A snapshot of an older version does not say.
            deleted_seq = body.get("deleted_seq", 0)
            generation = Generation(body["seq"], body["mark"], deleted_seq, body["texts"], folder, stored)
            _check_counts(generation.arrays)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise corrupt(f"it cannot be read ({type(error).__name__})") from error
        return generation

    def _check_kind(self, body: dict[str, Any]) -> None:
        for name, expected in (("magic", MAGIC), ("model_fingerprint", self._model_fingerprint)):
            if body[name] != expected:
                raise corrupt(f"its {name} is {body[name]!r}, expected {expected!r}")
        if body["format_version"] != FORMAT_VERSION:
            raise _of_other_version(f"its format is {body['format_version']!r}, not {FORMAT_VERSION}")

    def _remove(self, folder: Path, error: OtherVersionError) -> None:
        shutil.rmtree(folder, ignore_errors=True)  # another process may be doing so
        if folder.exists():
            self._stuck.add(folder.name)
        _log.warning("Index snapshot %s is not used: %s %s", folder.name, error.detail, error.remedy)

    def _quarantine(self, folder: Path, error: SnapshotError) -> None:
        try:
            self._move_away(folder, error)
        except OSError as failed:
            # On a full disk, say. The index works without it, or from the log.
            self._stuck.add(folder.name)
            _log.warning(
                "Index snapshot %s is not used: %s It could not be moved to quarantine: %s",
                folder.name,
                error.detail,
                write_error("The quarantine", failed),
            )

    def _move_away(self, folder: Path, error: SnapshotError) -> None:
        quarantine = self._folder / _QUARANTINE
        quarantine.mkdir(mode=0o700, exist_ok=True)
        target = Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=quarantine))
        try:
            os.utime(folder)  # a rename keeps the time of writing; the newest are those that came last
            folder.rename(target)
        except FileNotFoundError:
            target.rmdir()
            return
        for old in sorted(quarantine.iterdir(), key=_modified, reverse=True)[QUARANTINED_KEPT:]:
            shutil.rmtree(old, ignore_errors=True)  # another process may be deleting it
        _log.warning("Index snapshot %s moved to quarantine: %s", folder.name, error.detail)


def _check_room(folder: Path, snapshot: Snapshot) -> None:
    """Refuse to begin what does not fit: meanwhile the database could not be written either."""
    needed = SPARE_BYTES
    for name, (dtype, _) in ARRAYS.items():
        needed += math.prod(snapshot.arrays[name].shape) * np.dtype(dtype).itemsize
    if free_bytes(folder) < needed:
        raise DiskFullError(
            f"The snapshot of the index needs {needed >> 20} MiB of free disk.",
            "Free some space in HMAR_HOME; it is written then, and the index works without it meanwhile.",
        )


def _check_names(body: Mapping[str, Any]) -> None:
    """Refuse a snapshot of a version with other properties.

    What it lacks cannot count as unknown: a process of the older version may have written it after one of
    this version indexed frames. The log knows.
    """
    for name, expected in (("arrays", set(ARRAYS)), ("texts", set(TEXTS))):
        differing = sorted(set(body[name]) ^ expected)
        if differing:
            raise _of_other_version(f"its {name} differ in {', '.join(differing)}")


def _of_other_version(how: str) -> OtherVersionError:
    return OtherVersionError(
        f"It is of another version: {how}.",
        "Nothing is lost: the index is built from the log, and a new snapshot follows.",
    )


def _check_counts(arrays: Mapping[str, NDArray[Any]]) -> None:
    """Reject arrays that do not match: a scan relies on the counts of windows, and on the guides."""
    counts = arrays["window_counts"]
    frames = {len(arrays[name]) for name in _BY_FRAME}
    windows, runs = int(counts.sum()), int(arrays["id_run_counts"].sum(dtype=np.int64))
    if len(frames) != 1 or int(counts.min(initial=0)) < 0 or arrays["id_runs"].shape != (runs, 2):
        raise corrupt(f"it holds {sorted(frames)} frames and {windows} windows in {runs} runs")
    if arrays["window_codes"].shape != (16, padded(windows)):
        raise corrupt(f"its codes are {arrays['window_codes'].shape} for {windows} windows")
    coarse = arrays["coarse_counts"]
    if (coarse > counts).any() or ((coarse == 0) & (counts > 0)).any():
        raise corrupt("coarse windows are none or more than all of a frame")
    for name in ("guides_before", "guides_after"):
        if arrays[name].min(initial=0) < 0 or arrays[name].max(initial=-1) >= len(counts):
            raise corrupt(f"its {name} name frames that it does not hold")


def _sweep(folder: Path) -> None:
    """Remove what a process that died while writing has left; nobody else may be writing."""
    for left in folder.glob(f"{_UNFINISHED}*"):
        shutil.rmtree(left)


def _purged(folder: Path, deleted_seq: int) -> bool:
    if not _older(folder, deleted_seq):
        return True
    try:
        with locked(folder / "lock", exclusive=True, wait=False) as held:
            if held:
                _sweep(folder)
                # The quarantine first: as long as an older generation is there, this is done again.
                for stale in (folder / _QUARANTINE, *_older(folder, deleted_seq)):
                    shutil.rmtree(stale, ignore_errors=True)
    except FileNotFoundError:  # another process has dropped all of this model
        return True
    return held


def _older(folder: Path, seq: int) -> list[Path]:
    """Return the generations of a model, quarantined ones too, that end before a row of the log."""
    found = [*folder.glob(f"{_PREFIX}*"), *(folder / _QUARANTINE).glob(f"{_PREFIX}*")]
    return [generation for generation in found if int(generation.name.split("-")[1]) < seq]


def _modified(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
