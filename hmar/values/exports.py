"""The answer to a search as DICOM documents, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self, get_args

from hmar.errors import ParameterError, shown
from hmar.values.plain import Json

Kind = Literal["sr", "kos", "picture"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""A structured report (TID 1500), a key object selection, and a secondary capture."""
MOST_HITS = 50
"""Hits that one export tells at most."""


def kinds_of(wanted: object) -> tuple[Kind, ...]:
    """Return kinds of documents in order, each once; raises ParameterError for none and for unknown ones."""
    named = [wanted] if isinstance(wanted, str) else list(wanted) if isinstance(wanted, list | tuple) else []
    unknown = [name for name in named if name not in KINDS]
    if unknown or not named:
        raise ParameterError(
            f"A kind of document is {shown(unknown[0])}." if unknown else "No kind of document is given.",
            f"Give some of {', '.join(KINDS)}.",
        )
    return tuple(kind for kind in KINDS if kind in named)


@dataclass(frozen=True, slots=True)
class Document:
    """One DICOM file that tells the answer to a search. It names the patient: it is stored nowhere here.

    Parameters
    ----------
    kind : str
    sop_class_uid, study_uid, series_uid, sop_instance_uid : str
    data : bytes
        The file (PS3.10).
    """

    kind: Kind
    sop_class_uid: str
    study_uid: str
    series_uid: str
    sop_instance_uid: str
    data: bytes = field(repr=False)

    @property
    def name(self) -> str:
        """What it is called as a file."""
        return f"{self.kind}.dcm"


@dataclass(frozen=True, slots=True)
class Documents:
    """What an export made, and how many hits it tells and leaves out.

    Parameters
    ----------
    documents : tuple of Document
    hits : int
        Hits that are told.
    other_patients : int
        Hits that are left out because they are of other patients.
    unreadable : int
        Hits that are left out because their file cannot be read, or is no DICOM.
    """

    documents: tuple[Document, ...]
    hits: int
    other_patients: int = 0
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document that a PACS was given.

    Parameters
    ----------
    kind : str
    sop_class_uid, series_uid, sop_instance_uid : str
    refused : str or None
        Why the PACS did not take it; None where it did.
    """

    kind: Kind
    sop_class_uid: str
    series_uid: str
    sop_instance_uid: str
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """What a PACS took of an export.

    Parameters
    ----------
    pacs : str
        Its name.
    study_uid : str
        The study that the documents are in: the query's.
    documents : tuple of StoredDocument
    hits, other_patients, unreadable : int
        As of :class:`Documents`.
    """

    pacs: str
    study_uid: str
    documents: tuple[StoredDocument, ...]
    hits: int
    other_patients: int = 0
    unreadable: int = 0

    @property
    def complete(self) -> bool:
        """Whether the PACS took every document."""
        return all(document.refused is None for document in self.documents)

    def to_dict(self) -> Json:
        """Return what became of the export, as the API answers with it."""
        return {
            "pacs": self.pacs,
            "study_uid": self.study_uid,
            "complete": self.complete,
            "documents": [
                {
                    "kind": document.kind,
                    "sop_class_uid": document.sop_class_uid,
                    "series_uid": document.series_uid,
                    "sop_instance_uid": document.sop_instance_uid,
                    "refused": document.refused,
                }
                for document in self.documents
            ],
            "hits": self.hits,
            "other_patients": self.other_patients,
            "unreadable": self.unreadable,
        }

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Self:
        """Return what an answer tells: the inverse of :meth:`to_dict`."""
        return cls(
            told["pacs"],
            told["study_uid"],
            tuple(StoredDocument(**document) for document in told["documents"]),
            told["hits"],
            told["other_patients"],
            told["unreadable"],
        )
