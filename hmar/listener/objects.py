"""Objects that come by C-STORE: each is written to the spool as it comes, and answered for by itself."""

from __future__ import annotations

import logging
import secrets
import weakref
from collections.abc import Callable
from pathlib import Path

from pynetdicom import dimse_messages

from hmar.errors import DiskFullError, HmarError, LimitError
from hmar.spool import Draft, Spooled
from hmar.values.received import FailureReason

SUCCESS = 0x0000
CANNOT_STORE = 0x0110
"""Processing failure (PS3.7 annex C): what is wrong is not the object."""
_log = logging.getLogger(__name__)


class ObjectFile:
    """The file that pynetdicom writes one object to. Nothing that goes wrong here ends the association.

    An object that cannot be written is read to its end all the same, and then answered with the reason.

    Parameters
    ----------
    begin : callable
        Returns the draft; raises OperatorError.
    """

    def __init__(self, begin: Callable[[], Draft]) -> None:
        self.status = SUCCESS
        self._draft: Draft | None = None
        self.name = f"/nonexistent/{secrets.token_hex(8)}"
        """Where pynetdicom removes it in the end; it is gone from there by then."""
        try:
            self._draft = begin()
        except HmarError as error:
            self._fail(error)
        else:
            self.name = str(self._draft.path)
            # Of an association that breaks off nobody closes the file.
            weakref.finalize(self, self._draft.discard)

    @property
    def file(self) -> ObjectFile:
        """What pynetdicom flushes."""
        return self

    def write(self, piece: bytes) -> int:
        """Add bytes."""
        if self._draft is not None and self.status == SUCCESS:
            try:
                self._draft.write(piece)
            except HmarError as error:
                self._fail(error)
        return len(piece)

    def flush(self) -> None:
        """Do nothing: the object is brought to the disk once, at its end."""

    def close(self) -> None:
        """Give up what was not kept."""
        if self._draft is not None:
            self._draft.discard()

    def keep(self, collection: str) -> Spooled | None:
        """Bring the object to the disk; None, and the status that says why, where that cannot be."""
        if self._draft is None or self.status != SUCCESS:
            return None
        try:
            return self._draft.keep(collection)
        except HmarError as error:
            self._fail(error)
            return None

    def _fail(self, error: HmarError) -> None:
        _log.warning("an object was refused: %s", error.detail)
        full = isinstance(error, DiskFullError | LimitError)
        self.status = FailureReason.OUT_OF_RESOURCES if full else CANNOT_STORE
        if self._draft is not None:
            self._draft.discard()


class Objects:
    """Makes the files that objects are written to.

    pynetdicom writes each object to a file that it opens itself, in the folder for temporary files, without a
    bound and with an exception on a full disk that ends the association. It is given ours in place of that.

    Parameters
    ----------
    begin : callable
        Begins a draft in the spool; raises OperatorError.
    collection : str
        What all objects are for.
    """

    def __init__(self, begin: Callable[[], Draft], collection: str) -> None:
        self._begin, self._collection = begin, collection
        self._open: weakref.WeakValueDictionary[Path, ObjectFile] = weakref.WeakValueDictionary()

    def install(self) -> None:
        """Have pynetdicom write to these files in this process."""
        setattr(dimse_messages, "NamedTemporaryFile", self._new)  # noqa: B010 - not an attribute for others

    def keep(self, path: Path) -> int:
        """Bring the object that was written to a path to the disk, and return the status of its answer."""
        file = self._open.pop(path, None)
        if file is None:
            return CANNOT_STORE
        file.keep(self._collection)
        return file.status

    def _new(self, **_options: object) -> ObjectFile:
        file = ObjectFile(self._begin)
        self._open[Path(file.name)] = file
        return file
