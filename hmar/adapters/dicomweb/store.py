"""Instances given to a PACS, by STOW-RS (PS3.18 10.5), and why it did not take some."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from hmar.adapters.dicomweb.asking import Asking
from hmar.adapters.dicomweb.rows import number, text
from hmar.adapters.dicomweb.sites import Site
from hmar.errors import ConfigError, PacsError
from hmar.pauses import Pauses
from hmar.values.exports import Document

ACCEPT = "application/dicom+json"
LARGEST_ANSWER = 16 << 20
_TAKEN, _REFUSED = "00081199", "00081198"
_INSTANCE, _REASON = "00081155", "00081197"
_ANSWERS = frozenset({200, 202, 409})
"""All, some and none were stored (PS3.18 10.5.3.1)."""
_NO_SERVICE = frozenset({404, 405, 501})

DUPLICATE = 0x0111
"""It has the instance already: that is what we want."""
_AGAIN = frozenset({0x0110, *range(0xA700, 0xA800)})
"""Processing failure, and no room: they may pass (PS3.4 Table B.2-1, PS3.7 C.5.8)."""
_MEANINGS = {
    0x0110: "it failed to process it",
    0x0122: "it does not store this kind of object",
    0x0124: "we may not store there",
    0xC122: "it does not store this transfer syntax",
}
_RANGES = {
    0xA700: "it is out of resources",
    0xA900: "it says that this is no such object",
    0xC000: "it cannot read it",
}


class Storing:
    """Stores instances; what a PACS refused for want of room is sent again, and nothing else is.

    Parameters
    ----------
    site : Site
    asking : Asking
    pauses : Pauses
        Between attempts.
    """

    def __init__(self, site: Site, asking: Asking, pauses: Pauses) -> None:
        self._site, self._asking, self._pauses = site, asking, pauses

    def store(self, study_uid: str, documents: Sequence[Document]) -> dict[str, str | None]:
        """Store the instances of a study; return why each was refused, None where it was taken, by its UID.

        Raises
        ------
        ConfigError
            If the file of PACS names no place to store to.
        PacsError
            If the PACS does not answer, or not as one that stores.
        """
        root, outcome = self._root(), dict[str, str | None]()
        waiting, attempt = list(documents), 0
        while waiting:
            attempt += 1
            codes = self._sent(f"{root}/studies/{study_uid}", waiting)
            outcome |= {one.sop_instance_uid: _said(codes.get(one.sop_instance_uid, 0)) for one in waiting}
            waiting = [one for one in waiting if codes.get(one.sop_instance_uid, 0) in _AGAIN]
            if waiting and not self._pauses.wait(attempt, None):
                break
        return outcome

    def try_it(self) -> None:
        """Raise unless a PACS has somewhere to store to; what is sent holds nothing to store."""
        body, media_type = _multipart([])
        answer = self._asking.post(f"{self._root()}/studies", ACCEPT, body, media_type, LARGEST_ANSWER)
        if answer.status in _NO_SERVICE:
            raise self._not_stored(answer.status)

    def _root(self) -> str:
        if self._site.stow is None:
            raise ConfigError(
                f"[{self._site.name}] names no place to store to.", "Give it as stow, or all of it as root."
            )
        return self._site.stow

    def _sent(self, url: str, documents: Sequence[Document]) -> dict[str, int | None]:
        """Send instances; return the reason of each that was not taken, None for one that is not said."""
        body, media_type = _multipart([one.data for one in documents])
        answer = self._asking.post(url, ACCEPT, body, media_type, LARGEST_ANSWER)
        if answer.status not in _ANSWERS:
            raise self._not_stored(answer.status)
        return _outcome(answer.status, answer.data[:], [one.sop_instance_uid for one in documents])

    def _not_stored(self, status: int) -> PacsError:
        return PacsError(
            f"The PACS {self._site.name} answered what was to be stored with status {status}.",
            f"Check stow in [{self._site.name}], and what that user may do there.",
        )


def _outcome(status: int, data: bytes, uids: Sequence[str]) -> dict[str, int | None]:
    """Return the reasons of those that were not taken.

    Of an answer that cannot be read the status counts: 200 says that all were stored.
    """
    told = _told(data)
    if told is None:
        return {} if status == 200 else dict.fromkeys(uids)
    taken = {text(item, _INSTANCE) for item in _items(told, _TAKEN)}
    # A reason of 0 is none, and does not make stored what is told among the refused.
    refused = {text(item, _INSTANCE): number(item, _REASON) or None for item in _items(told, _REFUSED)}
    named = {uid: code for uid, code in refused.items() if uid in uids and code != DUPLICATE}
    silent = {uid: None for uid in uids if uid not in taken and uid not in refused}
    return named | silent


def _told(data: bytes) -> Mapping[str, Any] | None:
    """Return the data set of an answer (PS3.18 10.5.3.3), None where there is none in JSON."""
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(told, list) and len(told) == 1:
        told = told[0]
    return told if isinstance(told, dict) and (_TAKEN in told or _REFUSED in told) else None


def _items(told: Mapping[str, Any], tag: str) -> list[Mapping[str, Any]]:
    element = told.get(tag)
    values = element.get("Value") if isinstance(element, dict) else None
    return [item for item in values if isinstance(item, dict)] if isinstance(values, list) else []


def _said(code: int | None) -> str | None:
    """Return a reason in words; None for 0, which is none."""
    if code is None:
        return "the PACS does not say that it has it"
    if code == 0:
        return None
    meaning = _MEANINGS.get(code) or _RANGES.get(code & (0xF000 if code >= 0xC000 else 0xFF00))
    return f"the PACS refused it with {code:04X}H" + ("" if meaning is None else f": {meaning}")


def _multipart(files: Sequence[bytes]) -> tuple[bytes, str]:
    """Return a body of files (RFC 2387) and its media type; no file holds the boundary."""
    boundary = f"hmar-{sha256(b''.join(files)).hexdigest()}"
    parts = [
        b"--%s\r\nContent-Type: application/dicom\r\n\r\n%s\r\n" % (boundary.encode(), file) for file in files
    ]
    body = b"".join([*parts, f"--{boundary}--\r\n".encode()])
    return body, f'multipart/related; type="application/dicom"; boundary={boundary}'
