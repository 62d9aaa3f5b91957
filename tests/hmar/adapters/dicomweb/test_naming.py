"""Who the patient of a study is, as PACS of many kinds tell it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hmar.adapters.dicomweb.naming import Naming
from hmar.adapters.dicomweb.sites import Site
from hmar.errors import PacsError
from hmar.values.named_patients import NamedPatient

STUDY = "1.2.3"


def row(study: str = STUDY, **elements: Any) -> dict[str, Any]:
    tags = {"name": "00100010", "id": "00100020", "issuer": "00100021", "birth": "00100030"}
    told = {tags[key]: {"vr": "LO", "Value": [value]} for key, value in elements.items()}
    return {"0020000D": {"vr": "UI", "Value": [study]}, **told}


@contextmanager
def answering(body: object, status: int = 200, held: threading.Event | None = None) -> Iterator[Naming]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if held is not None:
                held.wait()
            text = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    server.handle_error = lambda *_: None  # type: ignore[method-assign, assignment]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    root = f"http://127.0.0.1:{server.server_port}"
    naming = Naming(Site("main", root, root, read_s=0.2 if held else 60.0, tries=4))
    try:
        yield naming
    finally:
        naming.close()
        if held is not None:
            held.set()
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_patient_is_told_with_id_issuer_and_date_of_birth() -> None:
    told = row(name={"Alphabetic": "Doe^Jane"}, id=" 0815 ", issuer="HOSPITAL", birth="19500203")
    with answering([row("1.2.4", name={"Alphabetic": "Other^One"}), told]) as naming:
        found = naming.patient(STUDY)
    assert found == NamedPatient("Doe, Jane", "0815", "HOSPITAL", date(1950, 2, 3))
    assert found.to_dict() == {"name": "Doe, Jane", "patient_id": "0815", "birth_date": "1950-02-03"}
    assert not any(part in repr(found) for part in ("Doe", "Jane", "0815", "1950"))


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ({"Alphabetic": "Doe^Jane^Ann^Dr.^MD"}, "Doe, Dr. Jane Ann MD"),
        ({"Alphabetic": "Yamada^Tarou", "Ideographic": "山田^太郎"}, "Yamada, Tarou (山田, 太郎)"),
        ({"Ideographic": "山田^太郎"}, "山田, 太郎"),
        ({"Alphabetic": "Doe"}, "Doe"),
        ({"Alphabetic": "^Jane"}, "Jane"),
        ({"Alphabetic": "Doe\u202e^Ja\nne\x00"}, "Doe, Jane"),
        ({"Alphabetic": "D" * 500}, "D" * 64),
        ("Doe^Jane", "Doe, Jane"),
        ({"Alphabetic": 7}, ""),
        (7, ""),
    ],
)
def test_a_name_is_read_as_people_write_it(name: object, read: str) -> None:
    with answering([row(name=name)]) as naming:
        found = naming.patient(STUDY)
    assert found is not None
    assert (found.name, found.patient_id, found.birth_date) == (read, "", None)


@pytest.mark.parametrize(("body", "status"), [([], 200), (b"", 204), (b"", 404), ([row("1.2.4")], 200)])
def test_a_study_that_the_pacs_does_not_list_has_no_patient(body: object, status: int) -> None:
    with answering(body, status) as naming:
        assert naming.patient(STUDY) is None


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"<html>", 200), ([], 500), ([], 503), ([], 401), ({}, 200), (b" " * (300 << 10), 200)],
)
def test_what_is_no_answer_is_an_error_without_the_study(body: object, status: int) -> None:
    with answering(body, status) as naming, pytest.raises(PacsError, match="PACS main") as caught:
        naming.patient(STUDY)
    assert STUDY not in str(caught.value)


def test_a_pacs_that_stalls_is_asked_once_and_left_alone_after_some_failures() -> None:
    with answering([row()], held=threading.Event()) as naming:
        for _ in range(5):
            with pytest.raises(PacsError, match=r"longer than 0\.2 s"):
                naming.patient(STUDY)
        with pytest.raises(PacsError, match="left alone"):
            naming.patient(STUDY)


def test_a_pacs_that_tells_of_all_its_studies_is_said_to_and_no_file_is_too_large() -> None:
    many = [row(f"1.2.{number}", name={"Alphabetic": "Doe^Jane"}) for number in range(4000)]
    with answering(many) as naming, pytest.raises(PacsError, match="more than the one study"):
        naming.patient(STUDY)
