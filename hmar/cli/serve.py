"""``hmar serve``."""

from __future__ import annotations

import os
import sys
from dataclasses import replace

import click

from hmar.config import MOST_WEB_PROCESSES, Settings
from hmar.product.supervisor import Supervisor


@click.command()
@click.option("--host", show_default="HMAR_HOST, or 127.0.0.1", help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    show_default="HMAR_PORT, or 8080",
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--web-processes",
    type=click.IntRange(1, MOST_WEB_PROCESSES),
    show_default="HMAR_WEB_PROCESSES, or 1",
    help="Web processes behind the one address.",
)
def serve(host: str | None, port: int | None, web_processes: int | None) -> None:
    """Run the product: broker, worker and web server under one supervisor.

    Ctrl-C stops all of them, a second Ctrl-C without waiting. A part that crashes is started again, after a
    pause that grows. It prints the address of the page and, at a terminal, a login link and an
    API key; a log has neither.

    A Redis server named in HMAR_REDIS_URL is used in place of the embedded broker. HMAR_SAMPLE=1 loads the
    sample study into an empty archive.

    \b
    Examples:
      hmar serve
      HMAR_HOME=/srv/hmar hmar serve --host 0.0.0.0 --port 80
      hmar serve --web-processes 2
    """
    settings = Settings.from_environment(os.environ)
    settings = replace(
        settings,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
        web_processes=settings.web_processes if web_processes is None else web_processes,
    )
    Supervisor(settings, sys.stdout).run()
