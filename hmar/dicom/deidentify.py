"""Patients are told apart by a keyed hash of their id; the id itself goes nowhere."""

from __future__ import annotations

import hashlib
import hmac


class PatientHasher:
    """Turns patient ids into keys that mean nothing without the site's secret.

    Parameters
    ----------
    secret : bytes
        The site's secret, at least 16 bytes. Another secret gives other keys.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 16:
            raise ValueError(f"the secret has {len(secret)} bytes, at least 16 are needed")
        self._secret = secret

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
        patient = patient_id.strip()
        if not patient:
            return None
        # A NUL cannot occur in either value, so no two pairs give the same message.
        message = f"{issuer.strip()}\0{patient}".encode("utf-8", "surrogatepass")
        return hmac.new(self._secret, message, hashlib.sha256).hexdigest()[:32]
