"""Progress of long work: a bar in a terminal, a line at every tenth in a log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

Show = Callable[[str, int, int], None]


@contextmanager
def progress_of(console: Console) -> Iterator[Show]:
    """Yield what shows (what, done, total): a bar, or a line at every tenth in a log, with the time left.

    The part of ``what`` before the first comma names the work; the rest may change as it goes on.
    """
    if not console.is_terminal:
        yield _log_tenths(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        tasks: dict[str, TaskID] = {}
        seen: dict[str, int] = {}

        def show(what: str, done: int, total: int) -> None:
            key = _work(what)
            if key not in tasks:
                tasks[key] = bar.add_task(what)
            if done < seen.get(key, 0):  # begun anew
                bar.reset(tasks[key])
            seen[key] = done
            bar.update(tasks[key], description=what, completed=done, total=total or None)

        yield show


def _log_tenths(console: Console) -> Show:
    begun: dict[str, tuple[float, int]] = {}
    shown: dict[str, int] = {}
    seen: dict[str, int] = {}

    def show(what: str, done: int, total: int) -> None:
        if total == 0:
            console.print(what, highlight=False)
            return
        work, tenth = _work(what), 10 * done // total
        if done < seen.get(work, 0):  # begun anew
            begun.pop(work)
            shown.pop(work, None)
        seen[work] = done
        since, first = begun.setdefault(work, (time.monotonic(), done))
        if tenth <= shown.get(work, 0):
            return
        shown[work] = tenth
        left = _time_left(time.monotonic() - since, done - first, total - done)
        console.print(f"{what}: {done} of {total}{left}", highlight=False)

    return show


def _time_left(seconds: float, done: int, ahead: int) -> str:
    """Return the estimated time left; nothing at the end, or before there is an estimate."""
    if done == 0 or ahead == 0:
        return ""
    return f", {timedelta(seconds=round(seconds / done * ahead))} left"


def _work(what: str) -> str:
    return what.split(",")[0]
