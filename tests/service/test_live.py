"""What a worker commits, every web server finds, and what is deleted, none; both search meanwhile."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.adapters.sql.catalogue import SqlCatalogue
from hmar.adapters.sql.database import Database
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.deletion import Selector
from hmar.values.selection import Selection
from service.refresh import Refresher
from tests.contract.examples import ORIGIN, encoded, query

ENCODER = ThumbnailEncoder()
PATIENCE_S = 20.0


class Server:
    """The index of one web server, followed by its refresher and searched without a pause."""

    def __init__(self, home: Path, stack: ExitStack) -> None:
        database = Database(f"sqlite:///{home / 'catalogue.db'}")
        stack.callback(database.close)
        database.migrate()
        self.catalogue = SqlCatalogue(database)
        self.index = EmbeddedIndex(home / "index", ENCODER.fingerprint, checked=False)
        refresher = Refresher(Searcher(self.catalogue, self.index, ENCODER).refresh, self.index)
        refresher.start()
        stack.callback(refresher.stop)
        self.found: list[int] = []
        self._ended = threading.Event()
        searching = threading.Thread(target=self._search)
        searching.start()
        stack.callback(searching.join)
        stack.callback(self._ended.set)

    def _search(self) -> None:
        while not self._ended.is_set():
            hits = self.index.search_windows(query(2), 99, 64, Selection())
            self.found = sorted(hit.entry_id for hit in hits)


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[list[Server]]:
    with ExitStack() as stack:
        yield [Server(tmp_path, stack) for _ in range(2)]


def eventually(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_S
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()


@pytest.mark.slow
def test_frames_appear_and_disappear_in_every_server_while_searches_go_on(servers: list[Server]) -> None:
    one, _ = servers
    frames = [encoded(f"1.{number}", windows=2, model=ENCODER.fingerprint) for number in range(5)]
    one.catalogue.append("default", frames, ORIGIN)
    assert eventually(lambda: all(server.found == [1, 2, 3, 4, 5] for server in servers))
    one.index.snapshot()
    assert eventually(lambda: all(server.index.stats().snapshot_seq == 5 for server in servers))
    one.catalogue.delete(Selector("series", "1.2.9"))
    one.catalogue.append("default", [encoded("2.1", windows=1, model=ENCODER.fingerprint)], ORIGIN)
    assert eventually(lambda: all(server.found == [11] for server in servers))
