"""Processes as the system lists them (proc(5))."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

_FORK_SERVER = "hmar.decoding.fork_server"


class Decoders(NamedTuple):
    """The processes that decode for another one."""

    servers: list[int]
    children: list[int]


def decoders_of(pid: int) -> Decoders:
    """Return the fork servers of a process, and the decoders that they forked."""
    servers = [child for child in children_of(pid) if _FORK_SERVER in command_line(child)]
    return Decoders(servers, [child for server in servers for child in children_of(server)])


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if int(fields[1]) == pid and fields[0] != "Z":
            found.append(int(folder.name))
    return sorted(found)


def command_line(pid: int) -> str:
    """Return a process's command line, empty for one that is gone."""
    try:
        return Path("/proc", str(pid), "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
    except OSError:
        return ""
