"""The child: makes the documents of one export, within the limits of :mod:`hmar.decoding.restraint`."""

from __future__ import annotations

import io
import warnings
from typing import Any, NamedTuple

import numpy as np
from pydicom.dataset import Dataset

from hmar.decoding.answers import error_answer
from hmar.decoding.limits import DecodeLimits
from hmar.decoding.messages import Channel, EndedError
from hmar.decoding.restraint import Restraint
from hmar.errors import DecodeError, HmarError
from hmar.reporting.capture import secondary_capture
from hmar.reporting.contents import Contents, Image
from hmar.reporting.own_uids import OwnUids
from hmar.reporting.selection import key_objects
from hmar.reporting.source import MAY, read_source
from hmar.reporting.structured import structured_report
from hmar.values.exports import Document, Kind


class Request(NamedTuple):
    """What documents are made of.

    Parameters
    ----------
    contents : Contents
    file : bytes
        Of the query.
    picture : ndarray of uint8, shape (rows, columns, 3)
        Without rows where no picture is wanted.
    """

    contents: Contents
    file: bytes
    picture: np.ndarray


def make_documents(asked: Request, max_pixels: int) -> list[Document]:
    """Return the documents that are wanted.

    Raises
    ------
    DecodeError
        If the file is not the query's, or its header cannot be read.
    """
    contents = asked.contents
    source = read_source(asked.file, contents.query, max_pixels)
    uids = OwnUids(contents, source)
    others = {hit.image.sop_instance_uid: hit.image for hit in contents.hits}
    others.pop(contents.query.sop_instance_uid, None)
    evidence = [source, *map(_referred, others.values())]
    for item in evidence:
        item.Rows = item.Columns = 0  # what has none is no image to highdicom; of no document's own
    made: list[Document] = []
    for kind in contents.kinds:
        if kind == "sr":
            document = structured_report(contents, evidence, uids)
        elif kind == "kos":
            document = key_objects(contents, source, evidence, uids)
        else:
            document = secondary_capture(contents, source, asked.picture, uids)
        for keyword in MAY:  # what highdicom copies of them differs from kind to kind
            if keyword in source:
                document[keyword] = source[keyword]
        made.append(_written(kind, document))
    return made


def _referred(image: Image) -> Dataset:
    """Return what a document says of an image that it refers to."""
    item = Dataset()
    item.StudyInstanceUID, item.SeriesInstanceUID = image.study_uid, image.series_uid
    item.SOPInstanceUID, item.SOPClassUID = image.sop_instance_uid, image.sop_class_uid
    return item


def _written(kind: Kind, document: Dataset) -> Document:
    stream = io.BytesIO()
    document.save_as(stream, enforce_file_format=True)
    return Document(
        kind,
        str(document.SOPClassUID),
        str(document.StudyInstanceUID),
        str(document.SeriesInstanceUID),
        str(document.SOPInstanceUID),
        stream.getvalue(),
    )


def serve(channel: Channel) -> None:
    """Answer one request, within its limits."""
    warnings.simplefilter("ignore")  # they quote values, and lead nowhere
    try:
        request, size = channel.receive()
        limits = DecodeLimits(**request["limits"])
        restraint = Restraint(limits)
        restraint.begin(limits.for_opening(size))
        header, payload = _answer(request, channel.payload(size), limits)
        channel.send(header, payload)
    except EndedError:
        return


def _answer(request: dict[str, Any], data: bytes, limits: DecodeLimits) -> tuple[dict[str, Any], bytes]:
    file_bytes, shape = request["file"], request["picture"]
    picture = np.frombuffer(data, np.uint8, offset=file_bytes).reshape(shape)
    try:
        asked = Request(Contents.from_json(request["contents"]), data[:file_bytes], picture)
        made = make_documents(asked, limits.max_pixels)
    except HmarError as error:
        return error_answer(error), b""
    except Exception:
        # highdicom's own texts hold values of the file.
        return error_answer(
            DecodeError("No document can be made of the query's file.", "Check its patient and study.")
        ), b""
    told = [
        [
            each.kind,
            each.sop_class_uid,
            each.study_uid,
            each.series_uid,
            each.sop_instance_uid,
            len(each.data),
        ]
        for each in made
    ]
    return {"documents": told}, b"".join(each.data for each in made)
