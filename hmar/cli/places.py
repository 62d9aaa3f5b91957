"""Where commands work: on the archive of this machine, or on a server that is named.

A server is named by ``hmar --server URL COMMAND``, else by HMAR_SERVER. Its key comes from the environment or
from a file, never from the command line, which other users of a machine can see.
"""

from __future__ import annotations

import os

import click

from hmar.cli.settings import settings_from_environment
from hmar.client.client import Client
from hmar.client.server import SERVER
from hmar.library.archive import Archive


def server_named() -> str | None:
    """Return the address of the server that the command is to ask; None for the archive of this machine."""
    option: str | None = click.get_current_context().find_root().params.get("server")
    return option or os.environ.get(SERVER, "").strip() or None


def client() -> Client | None:
    """Return a client of the server that was named, which ends with the command; None where none was."""
    url = server_named()
    if url is None:
        return None
    opened = Client(url)
    click.get_current_context().call_on_close(opened.close)
    return opened


def place() -> Archive | Client:
    """Return the server that was named, else the archive of this machine; both end with the command."""
    asked = client()
    if asked is not None:
        return asked
    archive = Archive(settings=settings_from_environment())
    click.get_current_context().call_on_close(archive.close)
    return archive
