"""A PACS of a test: DICOMweb over files in memory, which can misbehave as real ones are known to."""

from __future__ import annotations

import base64
import io
import json
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

import pydicom

BOUNDARY = "between-parts"


class Held(NamedTuple):
    study: str
    series: str
    instance: str
    sop_class: str
    modality: str
    study_date: str
    data: bytes


@dataclass
class Habits:
    """What is wrong with a PACS; nothing by default."""

    user: tuple[str, str] | None = None
    """User and password that are asked for."""
    token_life_s: float | None = None
    """Tokens are asked for, and are good for so long."""
    most_rows: int | None = None
    """Silent cap of every answer to a query."""
    ignores_offset: bool = False
    ignores_limit: bool = False
    slow_above: int | None = None
    """Queries for more rows than that stall."""
    stall_s: float = 0.0
    busy: int = 0
    """So many requests are answered 503 first."""
    refuses: tuple[str, ...] = ()
    """Parts of an Accept that are answered 406."""
    retrieved_as: str | None = None
    """Content-Type of what is retrieved."""
    bare: bool = False
    """Files are sent without multipart."""
    sends_instead: bytes | None = None
    """Sent in place of every file."""
    breaks_off: int | None = None
    """So many bytes of a file are sent, then the connection ends."""
    says_more: int = 0
    """Instances that a series is said to have besides its own."""
    garbage: bool = False
    """Queries are answered with a page of HTML."""
    redirects: bool = False
    not_found: bool = False
    """Every query is answered 404, as at a wrong address."""
    broken: str | None = None
    """What has this in its address is answered 500."""
    refuses_to_store: list[int] = field(default_factory=list)
    """Reasons, one for each attempt to store: the last instance of it is refused with that."""
    stored_as: tuple[int, bytes] | None = None
    """Status and body of every answer to what is to be stored."""


def held(data: bytes) -> Held:
    file = pydicom.dcmread(io.BytesIO(data), stop_before_pixels=True)
    return Held(
        file.StudyInstanceUID,
        file.SeriesInstanceUID,
        file.SOPInstanceUID,
        file.SOPClassUID,
        file.get("Modality", ""),
        file.get("StudyDate", ""),
        data,
    )


@dataclass
class Pacs:
    """Serves files on a free port of this machine; ``asked`` is what it was asked for."""

    files: list[Held]
    habits: Habits = field(default_factory=Habits)
    asked: list[str] = field(default_factory=list)
    stored: list[list[str]] = field(default_factory=list)
    """Instances of each attempt to store."""
    tokens: dict[str, float] = field(default_factory=dict)
    told_of_patients: dict[str, Any] = field(
        default_factory=lambda: {"00100010": {"Alphabetic": "Never^Read"}}
    )
    """Values of each row of a query, by tags."""
    url: str = ""

    @classmethod
    @contextmanager
    def serving(cls, files: Iterable[bytes], habits: Habits | None = None) -> Iterator[Self]:
        pacs = cls([held(data) for data in files], habits or Habits())
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(pacs))
        server.daemon_threads, server.block_on_close = True, False
        server.handle_error = lambda *_: None  # type: ignore[method-assign]
        pacs.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield pacs
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def allowed(self, authorization: str) -> bool:
        if self.habits.user is not None:
            pair = ":".join(self.habits.user)
            return authorization == f"Basic {base64.b64encode(pair.encode()).decode()}"
        if self.habits.token_life_s is not None:
            return self.tokens.get(authorization.removeprefix("Bearer "), 0.0) > time.monotonic()
        return True

    def token(self) -> bytes:
        name, life = f"token-{len(self.tokens)}", self.habits.token_life_s or 0.0
        self.tokens[name] = time.monotonic() + life
        return json.dumps({"access_token": name, "token_type": "Bearer", "expires_in": 3600}).encode()

    def store(self, body: bytes, boundary: bytes) -> tuple[int, bytes]:
        """Take the files of a body; return status and body of the answer (PS3.18 10.5.3)."""
        parts = body.split(b"--" + boundary)[1:-1]
        files = [held(part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")) for part in parts]
        self.stored.append([file.instance for file in files])
        if self.habits.stored_as is not None:
            return self.habits.stored_as
        refused = files[-1:] if self.habits.refuses_to_store else []
        reason = self.habits.refuses_to_store.pop(0) if refused else 0
        self.files += [file for file in files if file not in refused]
        told = {
            tag: {
                "vr": "SQ",
                "Value": [_stored(file, reason if tag == "00081198" else None) for file in listed],
            }
            for tag, listed in (("00081199", files[: len(files) - len(refused)]), ("00081198", refused))
            if listed
        }
        return (200 if not refused else 202 if len(files) > 1 else 409), json.dumps(told).encode()

    def rows(self, path: list[str], query: dict[str, str]) -> list[dict[str, Any]]:
        level = path[-1]
        own = {"studies": "study", "series": "series", "instances": "instance"}[level]
        found: dict[str, dict[str, Any]] = {}
        for file in self.files:
            if _within(file, path) and _wanted(file, query):
                found.setdefault(getattr(file, own), self._row(file))
        listed = list(found.values())
        offset = 0 if self.habits.ignores_offset else int(query.get("offset", 0))
        limit = len(listed) if self.habits.ignores_limit else int(query.get("limit", len(listed)))
        return listed[offset:][:limit][: self.habits.most_rows]

    def rest(self, path: list[str], query: dict[str, str]) -> bytes | None:
        """Answer to what is no DICOMweb; None where there is nothing."""
        return None

    def _row(self, file: Held) -> dict[str, Any]:
        count = sum(other.series == file.series for other in self.files) + self.habits.says_more
        values = {
            "0020000D": ("UI", file.study),
            "0020000E": ("UI", file.series),
            "00080018": ("UI", file.instance),
            "00080016": ("UI", file.sop_class),
            "00201209": ("IS", count),
            # What others have trouble with: private, empty, and not of the kind that it says.
            "00091010": ("UN", {"InlineBinary": "AAAA"}),
            **{tag: ("LO", value) for tag, value in self.told_of_patients.items()},
        }
        return {tag: {"vr": vr, "Value": [value]} for tag, (vr, value) in values.items()} | {
            "00080050": {"vr": "SH"}
        }


def _stored(file: Held, reason: int | None) -> dict[str, Any]:
    told = {
        "00081150": {"vr": "UI", "Value": [file.sop_class]},
        "00081155": {"vr": "UI", "Value": [file.instance]},
    }
    return told if reason is None else told | {"00081197": {"vr": "US", "Value": [reason]}}


def _within(file: Held, path: list[str]) -> bool:
    named = dict(zip(path[::2], path[1::2], strict=False))
    return named.get("studies") in (None, file.study) and named.get("series") in (None, file.series)


def _wanted(file: Held, query: dict[str, str]) -> bool:
    first, _, last = query.get("StudyDate", "-").partition("-")
    modality = query.get("Modality", query.get("ModalitiesInStudy", file.modality))
    uids = {"StudyInstanceUID": file.study, "SeriesInstanceUID": file.series, "SOPInstanceUID": file.instance}
    if any(query.get(name, uid) != uid for name, uid in uids.items()):
        return False
    return modality == file.modality and (first or "0") <= file.study_date <= (last or "9")


def _handler(pacs: Pacs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # a body would wait for the delayed acknowledgement of its head

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            kind, _, boundary = self.headers.get("Content-Type", "").partition("; boundary=")
            if not kind.startswith("multipart/related"):
                return self._tell(200, "application/json", pacs.token())
            if not pacs.allowed(self.headers.get("Authorization", "")):
                return self._tell(401, "text/plain", b"Who are you?")
            if pacs.habits.busy:
                pacs.habits.busy -= 1
                return self._tell(503, "text/plain", b"Later.")
            status, told = pacs.store(body, boundary.encode())
            return self._tell(status, "application/dicom+json", told)

        def do_GET(self) -> None:
            habits, address = pacs.habits, urlsplit(self.path)
            pacs.asked.append(self.path)
            if not pacs.allowed(self.headers.get("Authorization", "")):
                return self._tell(401, "text/plain", b"Who are you?")
            if habits.busy:
                habits.busy -= 1
                return self._tell(503, "text/plain", b"Later.")
            if habits.broken is not None and habits.broken in self.path:
                return self._tell(500, "text/html", b"<html>")
            if habits.redirects:
                return self._tell(302, "text/plain", b"", Location="https://elsewhere.invalid/")
            query = {name: values[0] for name, values in parse_qs(address.query, True).items()}
            if not address.path.startswith("/dicom-web/"):
                told = pacs.rest(address.path.strip("/").split("/"), query)
                return self._tell(404 if told is None else 200, "application/json", told or b"")
            path = address.path.removeprefix("/dicom-web/").split("/")
            if len(path) == 6:
                return self._file(path[5])
            if habits.not_found:
                return self._tell(404, "text/html", b"<html>")
            if habits.garbage:
                return self._tell(200, "text/html", b"<html>Welcome</html>")
            if habits.slow_above is not None and int(query["limit"]) > habits.slow_above:
                time.sleep(habits.stall_s)
            rows = pacs.rows(path, query)
            return self._tell(
                200 if rows else 204, "application/dicom+json", json.dumps(rows).encode() if rows else b""
            )

        def _file(self, instance: str) -> None:
            habits, accept = pacs.habits, self.headers["Accept"]
            if any(refused in accept for refused in habits.refuses):
                return self._tell(406, "text/plain", b"Not in that form.")
            found = [file.data for file in pacs.files if file.instance == instance]
            if not found:
                return self._tell(404, "text/plain", b"")
            data = found[0] if habits.sends_instead is None else habits.sends_instead
            if not habits.bare:
                head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
                data = head + data + f"\r\n--{BOUNDARY}--\r\n".encode()
            kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
            self._tell(200, habits.retrieved_as or kind, data, most=habits.breaks_off)
            return None

        def _tell(self, status: int, kind: str, data: bytes, most: int | None = None, **headers: str) -> None:
            self.send_response(status)
            for name, value in {"Content-Type": kind, **headers}.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:most])
            self.close_connection = most is not None

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
