"""Webhooks over HTTP, from the subscription to deliveries of the running server's thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hmar.adapters.memory import InlineQueue
from hmar.errors import UnavailableError
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.identity import administrator
from hmar.wiring import build_engine
from service.app import create_app
from service.sending import Sending
from tests.hmar.client.conftest import Served
from tests.hmar.client.conftest import serve as serve_archive
from tests.hmar.webhooks.receiver import Receiver
from tests.phantoms import ct_file
from tests.service.asking import REQUESTS, Target, client_of, limited
from tests.service.conftest import Archive, build_archive
from tests.service.test_deletions import upload

WEBHOOKS = "/api/v1/webhooks"


@pytest.fixture
def open_archive(tmp_path: Path) -> Archive:
    """An archive that may send to this machine."""
    queue = InlineQueue()
    settings = replace(build_archive(tmp_path).engine.settings, webhook_networks="127.0.0.0/8")
    engine = build_engine(settings, ThumbnailEncoder(), queue)
    queue.handler = engine.indexer.handle
    return Archive(engine, create_app(engine), engine.keys.create(administrator("opened")))


@pytest.fixture
def served(open_archive: Archive) -> Iterator[Served]:
    yield from serve_archive(open_archive)


def test_a_webhook_is_added_listed_enabled_and_removed(empty_archive: Archive) -> None:
    client = empty_archive.client
    url = "https://192.0.2.1/hook"
    added = client.post(WEBHOOKS, json={"name": "ris", "url": url, "collections": ["b", "a"]})
    assert added.status_code == 201
    told = dict(added.get_json())
    secret = told.pop("secret")
    assert (told["name"], told["url"], told["collections"], told["lag"]) == ("ris", url, ["a", "b"], 0)
    listed = client.get(WEBHOOKS)
    assert listed.get_json() == {"webhooks": [told]}
    assert secret not in listed.text
    assert client.post(f"{WEBHOOKS}/ris/enable").get_json() == told
    assert client.delete(f"{WEBHOOKS}/ris").get_json() == {"webhooks": []}
    for answer in (client.delete(f"{WEBHOOKS}/ris"), client.post(f"{WEBHOOKS}/ris/enable")):
        assert (answer.status_code, "ris" in answer.get_json(force=True)["detail"]) == (404, True)


@pytest.mark.parametrize(
    "bad",
    [
        {"url": "http://192.0.2.1/"},
        {"url": "https://127.0.0.1/"},
        {"url": "https://169.254.169.254/latest/meta-data"},
        {"url": "https://[::ffff:127.0.0.1]/"},
        {"url": "https://u:secret@192.0.2.1/"},
        {"url": "https://ris..example/"},
        {"url": f"https://{64 * 'a'}.example/"},
        {"url": ""},
        {"url": 5},
        {"name": "a b"},
        {"name": ""},
        {"collections": []},
        {"collections": ["a b"]},
        {"after": 5},
        {"after": -1},
        {"after": None},
        {"unknown": 1},
    ],
)
def test_a_webhook_that_cannot_be_is_refused(empty_archive: Archive, bad: dict[str, object]) -> None:
    answer = empty_archive.client.post(WEBHOOKS, json={"name": "ris", "url": "https://192.0.2.1/", **bad})
    assert answer.status_code == 422
    assert "secret" not in answer.text
    assert empty_archive.client.get(WEBHOOKS).get_json() == {"webhooks": []}


def test_a_key_that_is_limited_to_collections_is_refused(empty_archive: Archive) -> None:
    client = client_of(empty_archive, limited("lung-admin", "admin", "lung"))
    target = Target("1.2", "1.2", "1.2", "x", "lung")
    for operation_id in ("listWebhooks", "addWebhook", "removeWebhook", "enableWebhook"):
        answer = REQUESTS[operation_id].ask(client, operation_id, target)
        assert (answer.status_code, "limited" in answer.text) == (403, True), operation_id


@pytest.mark.slow
def test_the_thread_of_a_server_sends_what_is_indexed_and_figures_tell_it(served: Served) -> None:
    engine, client = served.archive.engine, served.client()
    with Receiver() as receiver:
        info, receiver.secret = client.add_webhook("ris", receiver.url)
        assert [info] == client.webhooks()
        upload(served.archive, ct_file(1, 1), ct_file(1, 2))
        [waiting] = client.webhooks()
        assert waiting.lag == 2
        sent = threading.Event()

        def send(stopped: object) -> bool:
            taken = engine.webhook_sender.send_due(stopped)  # type: ignore[arg-type]
            sent.set()
            return taken

        sending = Sending(send)
        sending.start()
        assert sent.wait(30)
        sending.stop()
        assert (receiver.seqs, receiver.forged) == ([1, 2], 0)
        [done] = client.webhooks()
        assert (done.lag, done.deliveries, done.after) == (0, 1, 2)
        assert client.enable_webhook("ris").after == 2
    figures = served.archive.client.get("/metrics").text
    assert "hmar_webhook_deliveries_total 1.0" in figures
    assert "hmar_webhook_failures_total 0.0" in figures
    assert "hmar_webhook_lag_rows 0.0" in figures
    assert "hmar_webhooks_disabled 0.0" in figures
    assert "ris" not in figures
    rows = [row.record for row in engine.audit_log.rows()]
    assert [row.actor for row in rows if row.operation == "deliverChanges"] == ["webhook ris"]
    client.remove_webhook("ris")
    assert client.webhooks() == []


def test_a_sender_that_fails_is_asked_again_and_tells_no_texts_of_libraries(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.sending.LOOK_S", 0.001)
    faults: list[Exception] = [ValueError("secret"), UnavailableError("The database is gone.", "Look.")]
    over = threading.Event()

    def send(_: object) -> bool:
        if faults:
            raise faults.pop(0)
        over.set()
        return False

    sending = Sending(send)
    sending.start()
    assert over.wait(30)
    sending.stop()
    assert "ValueError" in caplog.text
    assert "The database is gone." in caplog.text
    assert "secret" not in caplog.text
