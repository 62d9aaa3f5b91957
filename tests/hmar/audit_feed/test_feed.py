"""A feed to real receivers: what arrives, what waits, what is dropped, and that nobody waits for it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hmar.audit_feed import feed as feeds
from hmar.audit_feed.feed import AuditFeed, FeedFigures
from hmar.audit_feed.senders import Sender, sender_to
from hmar.syslog_receiver import SyslogReceiver, Transport
from hmar.values.audit import AuditRow
from tests.hmar.audit_feed.test_messages import RECORD, details
from tests.syslog_receiver import PATIENCE_S, Receiver, certificate, datagrams, stream


def rows(first: int, last: int) -> list[AuditRow]:
    return [AuditRow(seq, RECORD, "digest") for seq in range(first, last + 1)]


def feed_to(transport: Transport, port: int) -> AuditFeed:
    receiver = SyslogReceiver(transport, "127.0.0.1", port)
    return AuditFeed(receiver, sender_to(receiver))


def numbers(receiver: Receiver, count: int) -> list[int]:
    return [int(details(receiver.next().message)["row"]) for _ in range(count)]


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


class Held:
    """A sender that sends when it may, and fails when it should."""

    def __init__(self) -> None:
        self.may = threading.Event()
        self.fails = False
        self.sent: list[bytes] = []

    def send(self, message: bytes) -> None:
        assert self.may.wait(PATIENCE_S)
        if self.fails:
            raise ConnectionRefusedError
        self.sent.append(message)

    def close(self) -> None:
        return


def held_feed(sender: Sender, most: int = 10) -> AuditFeed:
    return AuditFeed(SyslogReceiver("tcp", "logs.example", 601), sender, most=most)


def test_rows_arrive_as_datagrams() -> None:
    with datagrams() as receiver, closing(feed_to("udp", receiver.port)) as feed:
        feed.offer(rows(1, 3))
        first = receiver.next()
        assert (first.priority, first.application, first.kind) == (85, "hmar", "DICOM+RFC3881")
        assert first.time == "2026-05-28T20:26:40.125Z"
        assert numbers(receiver, 2) == [2, 3]


def test_rows_arrive_on_a_stream_in_their_order() -> None:
    with stream() as receiver, closing(feed_to("tcp", receiver.port)) as feed:
        for first in range(1, 301, 100):
            feed.offer(rows(first, first + 99))
        assert numbers(receiver, 300) == list(range(1, 301))
        assert eventually(lambda: feed.figures() == FeedFigures(300, 0, 0))


def test_rows_arrive_within_tls_at_a_receiver_that_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, trusted = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    with stream(context) as receiver, closing(feed_to("tls", receiver.port)) as feed:
        feed.offer(rows(1, 2))
        assert numbers(receiver, 2) == [1, 2]
        feed.offer(rows(3, 3))
        assert numbers(receiver, 1) == [3]


def test_a_receiver_that_is_not_trusted_gets_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    context, _ = certificate(tmp_path)
    with stream(context) as receiver:
        feed = feed_to("tls", receiver.port)
        feed.offer(rows(1, 1))
        assert eventually(lambda: "SSLCertVerificationError" in caplog.text)
        feed.close()
        assert feed.figures() == FeedFigures(0, 1, 0)


def test_a_receiver_that_hung_up_gets_the_next_row_on_a_new_connection() -> None:
    with stream() as receiver, closing(feed_to("tcp", receiver.port)) as feed:
        feed.offer(rows(1, 1))
        assert numbers(receiver, 1) == [1]
        receiver.hang_up()
        feed.offer(rows(2, 2))
        assert numbers(receiver, 1) == [2]


def test_rows_wait_for_a_receiver_that_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(feeds, "AGAIN_S", 0.01)
    with stream() as receiver:
        port = receiver.port
    with closing(feed_to("tcp", port)) as feed:
        feed.offer(rows(1, 5))
        assert eventually(lambda: "ConnectionRefusedError" in caplog.text)
        assert feed.figures() == FeedFigures(0, 0, 5)
        with stream(port=port) as receiver:
            assert numbers(receiver, 5) == [1, 2, 3, 4, 5]
            assert eventually(lambda: "takes the audit log again" in caplog.text)
    assert caplog.text.count("does not take the audit log") == 1, "an outage is one line"


def test_what_has_no_room_is_dropped_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    sender = Held()
    feed = held_feed(sender)
    feed.offer(rows(1, 8))
    feed.offer(rows(9, 15))
    assert feed.figures() == FeedFigures(0, 5, 10)
    assert "5 rows of the audit log were not sent to logs.example:601 (tcp): 10 wait already" in caplog.text
    for first in range(16, 26):
        feed.offer(rows(first, first))
    assert caplog.text.count("were not sent") == 1, "not a line a row"
    sender.may.set()
    feed.close()
    assert feed.figures() == FeedFigures(10, 15, 0)
    assert "10 rows of the audit log were not sent" in caplog.text


def test_the_end_sends_what_waits() -> None:
    sender = Held()
    sender.may.set()
    feed = held_feed(sender, most=1000)
    feed.offer(rows(1, 500))
    feed.close()
    assert len(sender.sent) == 500
    assert feed.figures() == FeedFigures(500, 0, 0)


def test_the_end_does_not_wait_for_a_receiver_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    sender = Held()
    sender.fails = True
    sender.may.set()
    feed = held_feed(sender)
    feed.offer(rows(1, 3))
    feed.close()
    assert feed.figures() == FeedFigures(0, 3, 0)
    assert "3 rows of the audit log were not sent" in caplog.text


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_row_that_is_on_its_way_at_the_end_may_still_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "LAST_S", 0.05)
    sender = Held()
    feed = held_feed(sender)
    feed.offer(rows(1, 2))
    feed.close()
    assert feed.figures() == FeedFigures(0, 2, 0)
    sender.may.set()
    for thread in threading.enumerate():
        if thread.name == "audit feed":
            thread.join(PATIENCE_S)
    assert len(sender.sent) == 1


def test_what_is_offered_after_the_end_is_counted_as_dropped() -> None:
    sender = Held()
    sender.may.set()
    feed = held_feed(sender)
    feed.offer(rows(1, 1))
    feed.close()
    feed.offer(rows(2, 3))
    assert feed.figures() == FeedFigures(1, 2, 0)


def test_a_row_that_makes_no_message_keeps_no_other_back(caplog: pytest.LogCaptureFixture) -> None:
    sender = Held()
    sender.may.set()
    feed = held_feed(sender)
    with caplog.at_level(logging.ERROR):
        feed.offer([AuditRow(1, RECORD._replace(touched='["secret:x"]'), ""), *rows(2, 2)])
        feed.close()
    assert len(sender.sent) == 1
    assert feed.figures() == FeedFigures(1, 1, 0)
    assert "row 1 of the audit log makes no message: KeyError" in caplog.text
    assert "secret" not in caplog.text


def test_a_feed_without_rows_opens_nothing() -> None:
    feed = held_feed(Held())
    feed.close()
    assert feed.figures() == FeedFigures(0, 0, 0)
