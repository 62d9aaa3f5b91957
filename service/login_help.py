"""How to get a login link: the command, as it works from any folder and in any shell of the server."""

from __future__ import annotations

import ipaddress
import shlex
import sys
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, request


def install(app: Flask, home: Path) -> None:
    """Let templates ask for the command.

    Parameters
    ----------
    app : Flask
    home : Path
        The data directory. Its path, and the program's, are told to a browser on this machine alone.
    """
    here = f"HMAR_HOME={shlex.quote(str(home))} {shlex.quote(_program())}"

    def login_command() -> str:
        return f"{here if _is_here() else 'hmar'} keys login"

    app.jinja_env.globals["login_command"] = login_command


def _program() -> str:
    """Return the ``hmar`` of this server, which other shells may not find by its name."""
    program = Path(sys.executable).with_name("hmar")
    return str(program) if program.exists() else program.name


def _is_here() -> bool:
    """Return whether the browser runs on this machine: by its address, and by the one that it has typed.

    What comes through a proxy on this machine has its address, and any ``Host`` that a stranger likes.
    """
    if "X-Forwarded-For" in request.headers or "Forwarded" in request.headers:
        return False
    host = urlsplit(f"//{request.host}").hostname or ""
    return _is_loopback(request.remote_addr or "") and (host == "localhost" or _is_loopback(host))


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
