"""``hmar listen``."""

from __future__ import annotations

import logging
import os
from dataclasses import replace

import click

from hmar.config import Settings
from hmar.listener.run import run
from hmar.logs import log_to_stderr

DEFAULT_PORT = 11112


@click.command()
@click.option("--host", show_default="HMAR_LISTEN_HOST, or 127.0.0.1", help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    show_default=f"HMAR_LISTEN_PORT, or {DEFAULT_PORT}",
    help="Port to listen on.",
)
@click.option("--ae-title", show_default="HMAR_LISTEN_AE, or HMAR", help="Our AE title.")
def listen(host: str | None, port: int | None, ae_title: str | None) -> None:
    """Listen for DICOM objects: C-ECHO and C-STORE.

    What is received goes to the spool in HMAR_HOME, and is indexed by a worker of the running product.
    'hmar serve' starts a listener by itself where HMAR_LISTEN_PORT is set. Who may send is said by
    HMAR_LISTEN_PEERS and HMAR_LISTEN_CALLING.

    \b
    Examples:
      hmar listen --port 11112
      HMAR_LISTEN_PEERS=10.0.0.5 HMAR_LISTEN_CALLING=PACS hmar listen --host 0.0.0.0
    """
    log_to_stderr(logging.WARNING, "%(levelname)s %(name)s: %(message)s", os.environ)
    logging.getLogger("hmar").setLevel(logging.INFO)
    settings = Settings.from_environment(os.environ)
    settings = replace(
        settings,
        listen_host=host or settings.listen_host,
        listen_port=port or settings.listen_port or DEFAULT_PORT,
        listen_ae=ae_title or settings.listen_ae,
    )
    run(settings.checked())
