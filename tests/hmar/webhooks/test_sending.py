"""Deliveries to a real receiver that fails, hangs, redirects and answers garbage: nothing is lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_network
from pathlib import Path

import pytest

from hmar.adapters.memory.storage import memory_storage
from hmar.adapters.memory.webhooks import MemoryWebhookStore
from hmar.adapters.sql.database import Database
from hmar.adapters.sql.storage import sql_storage
from hmar.adapters.sql.webhooks import SqlWebhookStore
from hmar.adapters.webhook_receivers import HttpReceivers
from hmar.config import Settings
from hmar.errors import ParameterError, UnavailableError
from hmar.ports import Catalogue, Storage, WebhookStore
from hmar.values.audit import Accessed
from hmar.values.deletion import Selector
from hmar.values.entries import Origin
from hmar.values.models import ModelName
from hmar.values.webhooks import LONGEST_PAUSE_S
from hmar.webhooks import sending
from hmar.webhooks.sending import FIRST_PAUSE_S, GIVEN_UP_S, LEASE_S, WebhookSender
from hmar.webhooks.signing import secret_of
from hmar.webhooks.subscribing import Subscriptions
from hmar.wiring import build_engine
from tests.contract.examples import MODEL, OTHER_MODEL, Clock, encoded
from tests.hmar.webhooks.receiver import Behaviour, Receiver, closes, fails, garbage, redirects, trickles

LOOPBACK = (ip_network("127.0.0.0/8"),)
KEY = bytes(32)


@dataclass
class Site:
    """An archive with subscriptions, on a clock of its own."""

    storage: Storage
    store: WebhookStore
    clock: Clock
    receivers: HttpReceivers
    accesses: list[Accessed] = field(default_factory=list)
    number: int = 0

    @property
    def catalogue(self) -> Catalogue:
        return self.storage.catalogue

    @property
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(self.store, self.catalogue, self.receivers, lambda one: secret_of(KEY, one))

    def sender(self) -> WebhookSender:
        """A sender as a new process has it: all that lasts is in the storage."""
        return WebhookSender(
            self.store,
            self.catalogue,
            self.receivers,
            lambda one: secret_of(KEY, one),
            self.accesses.extend,
            self.clock,
            lambda: 1.0,
        )

    def index(self, count: int, collection: str = "a") -> None:
        for _ in range(count):
            self.number += 1
            frame = encoded(f"1.2.{self.number}", study_uid="1.9", series_uid="1.8")
            self.catalogue.append(collection, [frame], Origin("memory", str(self.number)))

    def subscribe(self, receiver: Receiver, **how: object) -> None:
        _, receiver.secret = self.subscriptions.add("ris", receiver.url, **how)  # type: ignore[arg-type]

    def send_all(self, most: int = 50) -> None:
        """Send until nothing is left, a day being as short as a test likes."""
        sender = self.sender()
        for _ in range(most):
            if self.store.listed()[0].after == self.catalogue.last_seq():
                return
            sender.send_due()
            self.clock.now += LONGEST_PAUSE_S
        raise AssertionError("not all was sent")


@pytest.fixture(params=["memory", "sqlite"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    clock = Clock()
    receivers = HttpReceivers(LOOPBACK, deadline_s=0.5)
    if request.param == "memory":
        yield Site(memory_storage(), MemoryWebhookStore(clock), clock, receivers)
        return
    storage, database = sql_storage(tmp_path / "catalogue.db"), Database(tmp_path / "catalogue.db")
    yield Site(storage, SqlWebhookStore(database, clock), clock, receivers)
    database.close()
    storage.close()


def test_changes_come_in_order_and_signed_and_as_the_api_tells_them(site: Site) -> None:
    with Receiver() as receiver:
        site.index(2)
        site.subscribe(receiver)
        site.index(3)
        site.catalogue.delete(Selector("instance", "1.2.3"))
        assert site.sender().send_due()
        assert receiver.seqs == [3, 4, 5, 6]
        assert receiver.forged == 0
        [body] = receiver.bodies
        changes = site.catalogue.changes(2, 10)
        assert body == {"changes": [one.to_dict() for one in changes.changes], "next_after": 6}
        assert not site.sender().send_due()
        assert receiver.paths == ["/hook?token=t"]
        assert receiver.headers[0]["X-HMAR-Webhook"] == "ris"
        assert receiver.headers[0]["X-HMAR-Timestamp"] == str(int(site.clock.now))
    [told] = site.subscriptions.listed()
    assert (told.after, told.lag, told.deliveries, told.reason) == (6, 0, 1, None)
    [access] = site.accesses
    assert (access.actor, access.status, access.operation) == ("webhook ris", 204, "deliverChanges")
    assert ("study", "1.9") in access.touched


def test_batches_are_bounded_and_a_receiver_may_begin_where_it_likes(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "BATCH", 3)
    with Receiver() as receiver:
        site.index(8)
        site.subscribe(receiver, after=1)
        site.send_all()
        assert receiver.seqs == list(range(2, 9))
        assert [len(body["changes"]) for body in receiver.bodies] == [3, 3, 1]


def test_only_changes_of_the_collections_are_sent_and_the_others_are_passed_over(site: Site) -> None:
    with Receiver() as receiver:
        site.subscribe(receiver, collections=frozenset({"a"}), after=0)
        for _ in range(3):
            site.index(1, "a")
            site.index(2, "hidden")
        site.send_all()
        assert receiver.seqs == [1, 4, 7]
        assert "hidden" not in str(receiver.bodies)
        assert site.store.listed()[0].after == 9


def test_a_move_to_another_model_is_told_by_rows_that_leave_the_frame_in_the_archive(site: Site) -> None:
    """Who counts a frame as there while any add of it is not undone is right at each step."""
    models, old, new = site.storage.models, ModelName(MODEL, "old"), ModelName(OTHER_MODEL, "new")
    with Receiver() as receiver:
        site.subscribe(receiver)
        site.index(1)
        models.begin(old, new)
        models.carry({1: encoded("1.2.1", model=OTHER_MODEL)})
        models.use(new)
        models.forget(MODEL, 10)
        site.send_all()
        told = [one for body in receiver.bodies for one in body["changes"]]
    assert [(one["seq"], one["kind"], one["added_seq"]) for one in told] == [
        (1, "add", 1),
        (2, "add", 2),
        (3, "delete", 1),
    ]
    assert (told[1]["sop_instance_uid"], told[1]["model_fingerprint"]) == ("1.2.1", OTHER_MODEL)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_receiver_does_each_change_comes_at_least_once_and_in_order(
    site: Site, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new sender for each delivery, as if the process were killed after each."""
    monkeypatch.setattr(sending, "BATCH", 2)
    drawn = random.Random(seed)
    bad: list[Behaviour] = [fails, redirects, garbage, closes, trickles]
    script = drawn.sample(bad, k=len(bad))
    with Receiver(*script) as receiver:
        site.subscribe(receiver)
        site.index(5)
        for _ in range(len(bad) + 3):
            site.sender().send_due()
            site.clock.now += LONGEST_PAUSE_S
        assert receiver.seqs == [1, 2, 3, 4, 5]
        assert "/elsewhere" not in receiver.paths
    [told] = site.subscriptions.listed()
    assert (told.attempts_failed, told.failures, told.failing_since) == (len(bad), 0, None)


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        (fails, "answered 500"),
        (redirects, "307. Redirections are not followed"),
        (garbage, "no HTTP"),
        (closes, "connection failed"),
        (trickles, "within 0.5 s"),
    ],
)
def test_it_is_told_why_a_delivery_failed(site: Site, behaviour: Behaviour, said: str) -> None:
    with Receiver(behaviour) as receiver:
        site.subscribe(receiver)
        site.index(1)
        assert not site.sender().send_due()
    [told] = site.subscriptions.listed()
    assert told.reason is not None
    assert said in told.reason
    assert "token" not in told.reason
    assert told.failing_since is not None


def test_a_killed_sender_leaves_its_delivery_to_the_next_once_its_lease_is_over(site: Site) -> None:
    with Receiver() as receiver:
        site.subscribe(receiver)
        site.index(2)
        [webhook] = site.store.listed()
        held = site.store.claim(webhook.webhook_id, LEASE_S)
        assert held is not None
        assert not site.sender().send_due()
        assert receiver.seqs == []
        site.clock.now += LEASE_S + 1
        assert site.sender().send_due()
        assert receiver.seqs == [1, 2]
        assert not site.store.delivered(held, 0), "who comes back late moves nothing back"
        assert site.store.listed()[0].after == 2


def test_what_was_taken_but_not_noted_comes_again(site: Site) -> None:
    def unwritable(_: object) -> None:
        raise UnavailableError("The database does not answer.", "Look after it.")

    with Receiver() as receiver:
        site.subscribe(receiver)
        site.index(2)
        killed = WebhookSender(
            site.store,
            site.catalogue,
            site.receivers,
            lambda one: secret_of(KEY, one),
            unwritable,
            site.clock,
        )
        with pytest.raises(UnavailableError):
            killed.send_due()
        site.clock.now += LEASE_S + 1
        site.sender().send_due()
        assert receiver.seqs == [1, 2, 1, 2]


def failing(site: Site, times: int) -> list[float]:
    """Return the pauses after each of some failures."""
    pauses = []
    for _ in range(times):
        site.sender().send_due()
        [webhook] = site.store.listed()
        pauses.append(webhook.next_at - site.clock.now)
        site.clock.now = webhook.next_at
    return pauses


def test_pauses_grow_up_to_an_hour_and_nothing_is_sent_in_them(site: Site) -> None:
    with Receiver(*[fails] * 14) as receiver:
        site.subscribe(receiver)
        site.index(1)
        pauses = failing(site, 13)
        assert pauses == pytest.approx([min(FIRST_PAUSE_S * 2**n, LONGEST_PAUSE_S) for n in range(13)])
        site.sender().send_due()
        site.clock.now += LONGEST_PAUSE_S / 2
        before = len(receiver.paths)
        assert not site.sender().send_due()
        assert len(receiver.paths) == before


def test_one_that_takes_nothing_for_three_days_is_disabled_until_somebody_enables_it(site: Site) -> None:
    with Receiver(fails, fails) as receiver:
        site.subscribe(receiver)
        site.index(2)
        site.sender().send_due()
        site.clock.now += GIVEN_UP_S
        site.sender().send_due()
        [told] = site.subscriptions.listed()
        assert told.disabled
        assert told.reason is not None
        assert "72 hours" in told.reason
        assert "500" in told.reason
        site.clock.now += LONGEST_PAUSE_S
        assert not site.sender().send_due()
        assert len(receiver.paths) == 2
        site.subscriptions.enable("ris")
        assert site.sender().send_due()
        assert receiver.seqs == [1, 2]


def test_an_address_is_judged_again_before_each_delivery(site: Site) -> None:
    """A name that led to a receiver leads to the metadata of a cloud later on."""
    led = ["192.0.2.1"]
    site.receivers = HttpReceivers((), resolve=lambda _host, _port: led)
    site.subscriptions.add("ris", "https://ris.example/")
    site.index(1)
    for address in ("169.254.169.254", "127.0.0.1", "::ffff:127.0.0.1"):
        led[:] = ["192.0.2.1", address]
        site.sender().send_due()
        reason = site.store.listed()[0].reason
        assert reason is not None
        assert reason.startswith("Nothing was sent")
        assert address in reason
        site.clock.now += LONGEST_PAUSE_S


@pytest.mark.parametrize(
    ("url", "led"),
    [
        ("https://ris.example/", ["127.0.0.1"]),
        ("https://ris.example/", []),
        ("https://169.254.169.254/", ["169.254.169.254"]),
        ("http://127.0.0.1/", ["127.0.0.1"]),
        ("https://u:secret@ris.example/", ["192.0.2.1"]),
    ],
)
def test_a_receiver_that_nothing_can_be_sent_to_is_refused_at_once(
    site: Site, url: str, led: list[str]
) -> None:
    site.receivers = HttpReceivers((), resolve=lambda _host, _port: led)
    with pytest.raises(ParameterError) as refused:
        site.subscriptions.add("ris", url)
    assert "secret" not in str(refused.value)
    assert site.store.listed() == []


@pytest.mark.parametrize(
    "how", [{"after": -1}, {"after": 9}, {"collections": frozenset()}, {"collections": frozenset({"a b"})}]
)
def test_a_subscription_to_what_cannot_be_is_refused(site: Site, how: dict[str, object]) -> None:
    with Receiver() as receiver, pytest.raises(ParameterError):
        site.subscribe(receiver, **how)


def test_a_receiver_that_is_not_there_is_said_to_refuse(site: Site) -> None:
    with Receiver() as receiver:
        url = receiver.url
    assert site.receivers.post(url, {}, b"").fault == "The receiver refuses connections."
    assert site.receivers.post("https://[::1]/", {}, b"").fault is not None


def test_a_sender_that_is_to_stop_begins_nothing(site: Site) -> None:
    with Receiver() as receiver:
        site.subscribe(receiver)
        site.index(1)
        stopped: Callable[[], bool] = lambda: True  # noqa: E731
        assert not site.sender().send_due(stopped)
        assert receiver.paths == []


@pytest.mark.slow
def test_several_senders_at_once_send_each_change_once_and_in_order(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "BATCH", 1)
    site.receivers = HttpReceivers(LOOPBACK)
    with Receiver() as receiver:
        site.subscribe(receiver)
        site.index(12)
        end = time.monotonic() + 60

        def send() -> None:
            while site.store.listed()[0].after < 12 and time.monotonic() < end:
                site.sender().send_due()

        with ThreadPoolExecutor(4) as pool:
            for sent in [pool.submit(send) for _ in range(4)]:
                sent.result()
        assert receiver.seqs == list(range(1, 13))


@pytest.mark.slow
def test_a_process_that_is_killed_in_a_delivery_loses_nothing(tmp_path: Path) -> None:
    asked, let_go = threading.Event(), threading.Event()

    def hangs(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        let_go.wait(60)

    settings = Settings(home=tmp_path, webhook_networks="127.0.0.0/8", model_dir="thumbnail").checked()
    engine = build_engine(settings)
    with Receiver(hangs) as receiver:
        _, receiver.secret = engine.subscriptions.add("ris", receiver.url)
        engine.catalogue.append("a", [encoded("1.2.1"), encoded("1.2.2")], Origin("memory", ""))
        code = "import os; from hmar.config import Settings; from hmar.wiring import build_engine; " + (
            "build_engine(Settings.from_environment(os.environ)).webhook_sender.send_due()"
        )
        variables = {"HMAR_HOME": str(tmp_path), "HMAR_WEBHOOK_NETWORKS": "127.0.0.0/8"}
        child = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **variables})
        try:
            assert asked.wait(60)
        finally:
            child.kill()
            child.wait()
        assert not engine.webhook_sender.send_due()
        later = Clock()
        later.now = time.time() + LEASE_S + 1
        database = Database(settings.database_file)
        sender = WebhookSender(
            SqlWebhookStore(database, later),
            engine.catalogue,
            engine.receivers,
            lambda one: secret_of(engine.secrets.webhooks, one),
            engine.audit_log.append,
            later,
        )
        assert sender.send_due()
        let_go.set()
        assert (receiver.seqs, receiver.forged) == ([1, 2], 0)
        database.close()
    engine.close()
