"""What Orthanc's own REST API tells of changes and resources, each answer checked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from hmar.adapters.dicomweb.asking import Asking
from hmar.adapters.dicomweb.transport import Answer
from hmar.errors import PacsError
from hmar.values.follows import Follow

LARGEST = 16 << 20
"""Bytes of one answer."""
_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{8}){4}")
"""Orthanc's own ids: five groups of a SHA-1."""


class Change(NamedTuple):
    """One row of the feed."""

    seq: int
    kind: str
    resource: str


class ChangesPage(NamedTuple):
    """Rows of the feed, whether they are all, and the last number that Orthanc knows of."""

    changes: list[Change]
    done: bool
    last: int


class OrthancRest:
    """Asks Orthanc with what proves who asks its DICOMweb.

    Parameters
    ----------
    follow : Follow
    asking : Asking
    """

    def __init__(self, follow: Follow, asking: Asking) -> None:
        self._follow, self._asking = follow, asking

    def changes(self, **parameters: str | int) -> ChangesPage:
        """Return a page of the feed; raises PacsError for an answer that is none."""
        told = self._table(f"changes?{urlencode(parameters)}")
        try:
            rows = [_change(row) for row in (told or {})["Changes"]]
            return ChangesPage(rows, bool(told["Done"]), int(told["Last"]))  # type: ignore[index]
        except (KeyError, TypeError, ValueError) as error:
            raise self._no_orthanc() from error

    def has_types(self) -> bool:
        """Return whether the feed can be asked for changes of one type (from Orthanc 1.12.5 on)."""
        capabilities = (self._table("system") or {}).get("Capabilities")
        return isinstance(capabilities, dict) and capabilities.get("HasExtendedChanges") is True

    def resource(self, level: str, resource: str) -> Mapping[str, Any] | None:
        """Return what is told of a resource, None where it is gone.

        Parameters
        ----------
        level : str
            "instances", "series" or "studies".
        resource : str
            Its id.
        """
        return self._table(f"{level}/{resource}") if _ID.fullmatch(resource) else None

    def sop_class(self, instance: str) -> str:
        """Return the SOP class of an instance, empty where Orthanc does not know it."""
        answer = self._get(f"instances/{instance}/metadata/SopClassUid", "text/plain")
        return "" if answer is None else answer.data[:].decode("ascii", "replace").strip()

    def _table(self, path: str) -> Mapping[str, Any] | None:
        answer = self._get(path, "application/json")
        if answer is None:
            return None
        try:
            told = json.loads(answer.data[:])
        except (ValueError, RecursionError) as error:
            raise self._no_orthanc() from error
        if not isinstance(told, dict):
            raise self._no_orthanc()
        return told

    def _get(self, path: str, accept: str) -> Answer | None:
        answer = self._asking.get(f"{self._follow.root}/{path}", accept, LARGEST)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise PacsError(
                f"The Orthanc {self._follow.site} answered {answer.status}.",
                f"Check root in [{self._follow.site}.follow], and what its log says.",
            )
        return answer

    def _no_orthanc(self) -> PacsError:
        return PacsError(
            f"What is followed of the PACS {self._follow.site} does not answer as an Orthanc.",
            f"Give the root of Orthanc's own REST API as root in [{self._follow.site}.follow].",
        )


def _change(row: Mapping[str, Any]) -> Change:
    return Change(int(row["Seq"]), str(row["ChangeType"]), str(row["ID"]))
