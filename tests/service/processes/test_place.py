"""What a process is told by its parent."""

from __future__ import annotations

from pathlib import Path

import pytest

from hmar.config import Settings
from service.edge.listening import BACKLOG, listen
from service.processes.place import Place
from service.serving import with_its_share


def test_a_place_is_read_from_the_command_line_that_tells_it() -> None:
    place = Place(1, 3, Path("/a folder/hmar-web-1"), (5, 7))
    assert Place.of(place.arguments) == place


def test_a_socket_stays_as_it_was_and_no_further_process_inherits_it() -> None:
    [listening] = listen("127.0.0.1", 0)
    with listening:
        [inherited] = Place(0, 2, Path(), (listening.fileno(),)).sockets()
        assert inherited.getsockname() == listening.getsockname()
        assert not inherited.get_inheritable()
        inherited.listen(1)
        inherited.detach()
    assert BACKLOG > 1


@pytest.mark.parametrize(
    ("processes", "cores", "scan", "encoder"),
    [(2, 2, 1, 1), (2, 8, 4, 2), (3, 8, 2, 2), (8, 2, 1, 1)],
)
def test_processes_share_the_cores_and_each_has_one_thread_at_least(
    processes: int, cores: int, scan: int, encoder: int
) -> None:
    settings = Settings(web_processes=processes, scan_threads=4, encoder_threads=2)
    shared = with_its_share(settings, cores)
    assert (shared.scan_threads, shared.encoder_threads) == (scan, encoder)
    assert processes * shared.scan_threads <= max(cores, processes)
