"""Keys of patients where no data directory keeps a secret: they mean something within this process alone."""

from __future__ import annotations

import secrets
from functools import cache

from hmar.config import Settings
from hmar.contents import Content
from hmar.decoding.contained import ContainedDecoder, ContainedFile
from hmar.decoding.launcher import ForkServer
from hmar.decoding.limits import DecodeLimits
from hmar.dicom.deidentify import PatientHasher
from hmar.secrets import KEY_BYTES


class PassingDecoder(ContainedDecoder):
    """A decoder with a secret that is drawn at random for this process, and told to nobody else.

    It remembers the patients' keys of the files it opened, so that they are not taken for those of an archive
    that has a secret of its own: there they would be another patient's, and a patient who is to be left out
    would be found.

    Parameters
    ----------
    limits : DecodeLimits
        What one file may cost.
    """

    def __init__(self, limits: DecodeLimits) -> None:
        super().__init__(limits, _process_secret(), process_server())

    def open(self, data: Content, first_frame: bool = False) -> ContainedFile:
        """Open a file; see :meth:`ContainedDecoder.open`."""
        file = super().open(data, first_frame)
        _given().add(file.infos[0].patient_key)
        return file


def process_hasher() -> PatientHasher:
    """Return what makes the keys of this process."""
    return PatientHasher(_process_secret())


def is_passing(key: str | None) -> bool:
    """Return whether a patient's key is one that means something within this process alone."""
    return key is not None and key in _given()


@cache
def process_server() -> ForkServer:
    """Return the server of the decoders that belong to no data directory; it ends with this process."""
    return ForkServer()


@cache
def process_decoder() -> PassingDecoder:
    """Return the decoder of this process, with the default limits."""
    return PassingDecoder(DecodeLimits.of(Settings()))


@cache
def _process_secret() -> bytes:
    return secrets.token_bytes(KEY_BYTES)


@cache
def _given() -> set[str | None]:
    return set()
