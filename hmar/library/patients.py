"""Keys of patients where no data directory keeps a secret: they mean something within this process alone."""

from __future__ import annotations

import secrets
from functools import cache

from hmar.dicom.deidentify import PatientHasher
from hmar.secrets import KEY_BYTES


class PassingHasher(PatientHasher):
    """A :class:`PatientHasher` with a secret that is drawn at random, and told to nobody.

    It remembers the keys it gave, so that they are not taken for those of an archive that has a secret of its
    own: there they would be another patient's, and a patient who is to be left out would be found.
    """

    def __init__(self) -> None:
        super().__init__(secrets.token_bytes(KEY_BYTES))
        self._given: set[str] = set()

    def key(self, patient_id: str, issuer: str = "") -> str | None:
        """Return the key of a patient, or None for an empty id."""
        key = super().key(patient_id, issuer)
        if key is not None:
            self._given.add(key)
        return key

    def gave(self, key: str | None) -> bool:
        """Return whether a key is one of this process."""
        return key in self._given


@cache
def process_hasher() -> PassingHasher:
    """Return the hasher of this process."""
    return PassingHasher()
