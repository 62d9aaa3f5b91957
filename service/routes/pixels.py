"""Frames for a viewer: GET /api/v1/instances/{uid}/frames/{frame_number}/pixels, POST /api/v1/pixels."""

from __future__ import annotations

from flask import Blueprint, Response, request

from hmar.errors import DecodeError, LimitError, NotFoundError
from hmar.wiring import Engine
from service.byte_ranges import asked_range, byte_range
from service.encodings import Coding, chosen_coding, encoded
from service.errors import RangeError
from service.kept_answers import kept, tag_of
from service.models.archive import CollectionQuery
from service.models.pictures import FramePath
from service.models.pixels import FilePixels, PartOfPixels, PixelForm, PixelHeaders, WholePixels
from service.opened import OpenedFiles
from service.operations.operation import Content, operation
from service.routes.search import check_frame, indexed
from service.runs import run_of

MEDIA_TYPE = "application/octet-stream"


def blueprint(engine: Engine, files: OpenedFiles) -> Blueprint:
    """Return the route that gives a frame's stored values."""
    routes = Blueprint("pixels", __name__, url_prefix="/api/v1")

    @routes.get("/instances/<sop_instance_uid>/frames/<int:frame_number>/pixels")
    @operation(
        "readPixels",
        "The stored values of an indexed frame",
        tag="archive",
        gives=Content("The values, little-endian, row by row.", MEDIA_TYPE, headers=WholePixels),
        scope="search",
        description="The headers say what the values are. Compressed as Accept-Encoding says (zstd, gzip). "
        "Range asks for some of the bytes, which come uncompressed.",
        also={
            206: Content("The bytes that Range names.", MEDIA_TYPE, headers=PartOfPixels),
            304: Content("The values that If-None-Match names by their ETag are still the same."),
        },
        raises=(NotFoundError, LimitError, DecodeError, RangeError),
    )
    def pixels(path: FramePath, query: CollectionQuery) -> Response:
        entry = indexed(engine, path.sop_instance_uid, path.frame_number, query.collection)[0]
        plain = f"{tag_of(entry)}-pixels"
        header = request.headers.get("Range") if request.method == "GET" else None  # RFC 9110, 14.2
        wanted = asked_range(header, request.headers.get("If-Range"), plain)
        coding = chosen_coding(request.accept_encodings) if wanted is None else "identity"
        tag = plain if coding == "identity" else f"{plain}-{coding}"
        if request.if_none_match.contains(tag):
            return _answer(Response(status=304), tag)
        frame = files.stored(entry)
        headers = PixelHeaders.of_frame(frame).fields()
        if wanted is None:
            return _answer(_whole(frame.to_bytes(), coding, headers), tag)
        return _answer(_part(frame.to_bytes(), wanted, headers), tag)

    @routes.post("/pixels")
    @operation(
        "readFilePixels",
        "The stored values of frames of a file; nothing is kept",
        tag="archive",
        gives=Content(
            "The values, little-endian, row by row, frame after frame.", MEDIA_TYPE, headers=FilePixels
        ),
        scope="search",
        description="As those of an indexed frame; X-HMAR-Frames tells how many frames the file has. With "
        "count come frames behind it too, as far as the headers, position apart, are the same for all and "
        "they fit in 32 MiB. X-HMAR-Count tells how many came, X-HMAR-Position their positions.",
        raises=(LimitError, DecodeError),
    )
    def file_pixels(body: PixelForm) -> Response:
        file = engine.decoder.open(body.file)
        check_frame(file, body.frame)
        run = run_of(file, body.frame, body.count)
        headers = FilePixels.of_run(run, len(file.infos)).fields()
        content = b"".join(frame.to_bytes() for frame in run)
        answer = _whole(content, chosen_coding(request.accept_encodings), headers)
        answer.vary.add("Accept-Encoding")
        return answer

    return routes


def _whole(content: bytes, coding: Coding, headers: dict[str, str]) -> Response:
    response = Response(encoded(content, coding), mimetype=MEDIA_TYPE, headers=headers)
    if coding != "identity":
        response.content_encoding = coding
    return response


def _part(content: bytes, wanted: str, headers: dict[str, str]) -> Response:
    part = byte_range(wanted, len(content))
    response = Response(part.of(content), status=206, mimetype=MEDIA_TYPE, headers=headers)
    response.headers["Content-Range"] = part.header
    return response


def _answer(response: Response, tag: str) -> Response:
    response.headers["Accept-Ranges"] = "bytes"
    response.vary.add("Accept-Encoding")
    return kept(response, tag)
