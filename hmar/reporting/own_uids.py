"""UIDs of documents: made of all that they tell but of when, so that the same export again is the same."""

from __future__ import annotations

import hashlib
import json

from pydicom.dataset import Dataset

from hmar.reporting.contents import Contents
from hmar.values.uids import derived_uid

_WHEN_AND_WHICH = frozenset({"now", "kinds"})


class OwnUids:
    """Makes the UIDs of one export.

    Parameters
    ----------
    contents : Contents
    source : Dataset
        Patient and study.
    """

    def __init__(self, contents: Contents, source: Dataset) -> None:
        told = {name: value for name, value in contents.to_json().items() if name not in _WHEN_AND_WHICH}
        said = json.dumps([told, source.to_json_dict()], sort_keys=True, default=str)
        self._told = hashlib.sha256(said.encode()).digest()

    def uid(self, *name: object) -> str:
        """Return the UID of what is named."""
        return derived_uid(hashlib.sha256(self._told + json.dumps(name).encode()).digest())


def device_uid(contents: Contents) -> str:
    """Return the UID of the device that observes: this software with this model."""
    said = f"hmar-search {contents.software} {contents.model_fingerprint}"
    return derived_uid(hashlib.sha256(said.encode()).digest())
