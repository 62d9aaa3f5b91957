"""Every error that leaves the library, and who must act on it.

::

    HmarError
    ├── InputError            the caller sent something that cannot be used
    │   ├── DecodeError       bytes that are not an image we can read
    │   │   ├── LimitError    an image larger than the configured limits
    │   │   └── NoImageError  a file of another kind: neither DICOM nor PNG nor JPEG
    │   ├── RegionError       a region outside the image, or without area
    │   ├── ParameterError    k, mode, bits, frame number, filter out of range
    │   ├── ConflictError     what contradicts what is there: another image under its UID, another patient
    │   │   └── UnindexedError  a search with a model that nothing is indexed under yet
    │   └── NotFoundError     a UID, series or job that the catalogue does not hold
    ├── AuthError             a key or login link that is missing, wrong, expired or used up
    │   └── ForbiddenError    a key or login that may not do this
    └── OperatorError         something on the server needs a person
        ├── ConfigError       a setting that cannot be used
        ├── ModelError        a model bundle that is missing, altered or of another format
        ├── SnapshotError     an index snapshot that does not match its manifest
        ├── BackupError       a backup that is damaged, or that cannot be made of what is damaged
        ├── DiskFullError     no room is left on a disk
        └── UnavailableError  a broker, database or download that does not answer
            ├── IdentityProviderError  an identity provider that does not answer, or not as one
            └── PacsError  a PACS that does not answer, or not as it should

A message carries the offending value and the remedy, and never patient data.
"""

from __future__ import annotations

from collections.abc import Sequence


class HmarError(Exception):
    """Base of all errors raised on purpose.

    Parameters
    ----------
    detail : str
        What went wrong, with the offending value.
    remedy : str
        What the one who must act can do about it.
    """

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(f"{detail} {remedy}")
        self.detail = detail
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[HmarError], tuple[str, str]]:
        return (type(self), (self.detail, self.remedy))


class InputError(HmarError):
    """The caller sent something that cannot be used."""


class DecodeError(InputError):
    """Bytes that are not an image we can read."""


class LimitError(DecodeError):
    """An image larger than the configured limits; refused before decoding."""


class NoImageError(DecodeError):
    """A file of another kind: neither DICOM nor PNG nor JPEG."""


class RegionError(InputError):
    """A region outside the image, or without area."""


class ParameterError(InputError):
    """A parameter out of its range."""


class ConflictError(InputError):
    """What contradicts what is there.

    Such as another image under the UID of one that is indexed, another patient than an image has, or another
    request under the key of an earlier one.
    """


class UnindexedError(ConflictError):
    """A search with a model under which no frame of the collections is indexed, while others hold some."""


class NotFoundError(InputError):
    """A UID, series or job that the catalogue does not hold."""


class AuthError(HmarError):
    """A key or login link that is missing, wrong, expired or used up."""


class ForbiddenError(AuthError):
    """A key or login that may not do this."""


class OperatorError(HmarError):
    """Something on the server needs a person."""


class ConfigError(OperatorError):
    """A setting that cannot be used."""


class ModelError(OperatorError):
    """A model bundle that is missing, altered or of another format."""


class SnapshotError(OperatorError):
    """An index snapshot that does not match its manifest."""


class BackupError(OperatorError):
    """A backup that is damaged, or that cannot be made of what is damaged."""


class DiskFullError(OperatorError):
    """No room is left on a disk."""


class UnavailableError(OperatorError):
    """A broker, database or download that does not answer."""


class IdentityProviderError(UnavailableError):
    """An identity provider that does not answer, or not as one."""


class PacsError(UnavailableError):
    """A PACS that does not answer, or not as it should."""


def shown(value: object) -> str:
    """Return a value as an error may quote it: cut in its middle, since a path ends in what names it.

    Nothing in it moves a cursor.
    """
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:39]}...{text[-38:]}"


def first_of(items: Sequence[object], most: int) -> str:
    """Return the first items, ``most`` at most, as a message lists them: "3, 7, ..." if there are more."""
    return ", ".join([*map(str, items[:most]), *(["..."] if len(items) > most else [])])
