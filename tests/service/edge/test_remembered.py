"""Pairs by name: in one process and in memory that several share, by the same rules."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from service.edge.in_hand import InHand
from service.edge.known import make_file, shared_memory
from service.edge.remembered import MOST, OwnMemory, Remembered
from service.edge.shared_memory import SETS, WAYS, SharedFile, make_shared_file

CHANGES = 3000
WRITER = """
import sys
from pathlib import Path
from service.edge.shared_memory import SharedFile
table = SharedFile(Path(sys.argv[1])).table(1)
for number in range(int(sys.argv[2])):
    table.change(f"name {number % 3}", lambda before: ((before or (0, 0))[0] + 1, float(number + 1)))
"""


def own(_folder: Path) -> Remembered:
    return OwnMemory()


def shared(folder: Path) -> Remembered:
    make_shared_file(folder / "tables", 2)
    return SharedFile(folder / "tables").table(1)


@pytest.mark.parametrize("make", [own, shared])
def test_a_pair_is_what_was_put_last_until_it_is_dropped(
    make: Callable[[Path], Remembered], tmp_path: Path
) -> None:
    """Compared with a dict."""
    table, expected = make(tmp_path), dict[str, tuple[float, float]]()
    chosen = random.Random(0)
    for step in range(1, 2000):
        name = f"name {chosen.randrange(40)}"
        assert table.get(name) == expected.get(name)
        if chosen.random() < 0.3:
            table.drop(name)
            expected.pop(name, None)
        else:
            pair = (chosen.random(), float(step))
            table.change(name, lambda before, name=name, pair=pair: _given(before, expected.get(name), pair))
            expected[name] = pair


def _given(
    before: tuple[float, float] | None, expected: tuple[float, float] | None, pair: tuple[float, float]
) -> tuple[float, float]:
    assert before == expected
    return pair


@pytest.mark.parametrize("make", [own, shared])
def test_of_too_many_names_those_set_last_stay(make: Callable[[Path], Remembered], tmp_path: Path) -> None:
    table = make(tmp_path)
    for number in range(3 * MOST):
        table.change(str(number), lambda _before, number=number: (1.0, number + 1.0))
    kept = [number for number in range(3 * MOST) if table.get(str(number)) is not None]
    assert len(kept) <= MOST
    assert set(range(3 * MOST - SETS // WAYS, 3 * MOST)) <= set(kept)


def test_tables_of_a_file_are_apart_and_the_file_holds_no_name(tmp_path: Path) -> None:
    make_shared_file(tmp_path / "tables", 2)
    file = SharedFile(tmp_path / "tables")
    file.table(0).change("203.0.113.7", lambda _before: (1.0, 2.0))
    assert file.table(1).get("203.0.113.7") is None
    file.table(1).clear()
    assert file.table(0).get("203.0.113.7") == (1.0, 2.0)
    assert b"203.0.113.7" not in (tmp_path / "tables").read_bytes()


@pytest.mark.slow
def test_no_change_of_one_process_is_lost_by_another(tmp_path: Path) -> None:
    table = shared(tmp_path)
    command = [sys.executable, "-c", WRITER, str(tmp_path / "tables"), str(CHANGES)]
    writers = [subprocess.Popen(command, cwd=Path(__file__).parents[3]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert [(table.get(f"name {number}") or (0, 0))[0] for number in range(3)] == [CHANGES] * 3


def test_requests_in_hand_are_those_of_all_processes_but_of_one_that_starts_again(tmp_path: Path) -> None:
    make_file(tmp_path / "limits", 3)
    one, two, three = (_in_hand(tmp_path, number) for number in range(3))
    for process in (one, one, two):
        process.begin("key")
    three.begin("another")
    assert [process.count("key") for process in (one, two, three)] == [3, 3, 3]
    one.end("key")
    assert [process.count("key") for process in (one, two, three)] == [2, 2, 2]
    again = _in_hand(tmp_path, 0)
    assert [process.count("key") for process in (again, two, three)] == [1, 1, 1]
    two.end("key")
    assert again.count("key") == 0


def _in_hand(folder: Path, number: int) -> InHand:
    return shared_memory(folder / "limits", number, 3).in_hand
