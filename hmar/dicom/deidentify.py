"""Patients are told apart by a keyed hash of their id; the id itself goes nowhere."""

from __future__ import annotations

import hashlib
import hmac

from hmar.values.patients import next_key


class PatientHasher:
    """Turns patient ids into keys that mean nothing without the site's secret.

    Parameters
    ----------
    secret : bytes
        The site's secret, at least 16 bytes. Another secret gives other keys.
    *steps : bytes
        What each rotation of the secret has drawn, in order: a key goes through all of them.
    """

    def __init__(self, secret: bytes, *steps: bytes) -> None:
        if len(secret) < 16:
            raise ValueError(f"the secret has {len(secret)} bytes, at least 16 are needed")
        self._secret = secret
        self._steps = steps

    def __repr__(self) -> str:
        return "PatientHasher(<secret>)"

    def key(self, patient_id: str, issuer: str = "") -> str | None:
        """Return the key of a patient, or None for an empty id.

        Parameters
        ----------
        patient_id : str
            Patient ID (0010,0020); spaces around it do not count (PS3.5 6.2, LO).
        issuer : str
            Issuer of Patient ID (0010,0021): the same id of two issuers is two patients.

        Returns
        -------
        str or None
            The first 128 bits of HMAC-SHA256 as 32 hexadecimal digits.
        """
        keys = self.keys(patient_id, issuer)
        return keys[-1] if keys else None

    def keys(self, patient_id: str, issuer: str = "") -> list[str]:
        """Return all keys that the patient has had, that of now last; none for an empty id."""
        patient = patient_id.strip()
        if not patient:
            return []
        # A NUL cannot occur in either value, so no two pairs give the same message.
        message = f"{issuer.strip()}\0{patient}".encode("utf-8", "surrogatepass")
        keys = [hmac.new(self._secret, message, hashlib.sha256).hexdigest()[:32]]
        for step in self._steps:
            keys.append(next_key(keys[-1], step))
        return keys
