"""HTTP to a PACS through urllib3, the only file here that knows it: bounded answers, its errors as ours."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import urllib3
from urllib3 import exceptions

from hmar.adapters.dicomweb.sites import Site
from hmar.contents import Collected, Content
from hmar.disk import writing
from hmar.errors import ConfigError, LimitError, PacsError

_CHUNK = 1 << 18


class SlowError(PacsError):
    """A PACS that did not answer in time: less may be asked for at once."""


class Answer(NamedTuple):
    """What a PACS answered. The names of headers have no case."""

    status: int
    headers: Mapping[str, str]
    data: Content


class Transport:
    """Requests to the servers of one PACS, each sent once. Thread-safe.

    Certificates are verified. A redirection is not followed: what proves who asks would go with it.

    Parameters
    ----------
    site : Site
    spool : Path or None
        Folder for answers that are not held in memory; None takes the system's for temporary files.
    clock : callable
        Returns seconds that only grow.

    Raises
    ------
    ConfigError
        If a certificate cannot be read.
    """

    def __init__(
        self, site: Site, spool: Path | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._site, self._spool, self._clock = site, spool, clock
        self._pool = urllib3.PoolManager(
            retries=False,
            timeout=urllib3.Timeout(connect=site.connect_s, read=site.read_s),
            ssl_context=_trusting(site),
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        max_bytes: int,
        body: bytes | None = None,
    ) -> Answer:
        """Send a request and return the whole answer.

        Parameters
        ----------
        method, url : str
        headers : mapping of str to str
        max_bytes : int
            Of the answer.
        body : bytes, optional
            Whose media type is in the headers.

        Raises
        ------
        LimitError
            If the answer is larger.
        SlowError
            If connecting, a silence or the whole takes too long.
        PacsError
            If the server cannot be reached, cannot prove who it is, or breaks off.
        """
        try:
            response = self._pool.request(
                method,
                url,
                headers=dict(headers),
                body=body,
                redirect=False,
                preload_content=False,
            )
            try:
                return Answer(response.status, response.headers, self._read(response, max_bytes))
            except BaseException:
                response.close()
                raise
            finally:
                response.release_conn()
        except exceptions.HTTPError as error:
            raise self._translated(error) from None  # its text holds the whole address, UIDs too

    def _read(self, response: urllib3.BaseHTTPResponse, max_bytes: int) -> Content:
        with closing(Collected(self._spool)) as collected:
            self._collect(response, max_bytes, collected)
            with writing("An answer of a PACS"):
                return collected.content()

    def _collect(self, response: urllib3.BaseHTTPResponse, max_bytes: int, collected: Collected) -> None:
        end = self._clock() + self._site.total_s
        # As it comes: whoever waits for a whole chunk looks at the clock only once there is one.
        while chunk := response.read1(_CHUNK, decode_content=True):
            with writing("An answer of a PACS"):
                collected.add(chunk)
            if collected.size > max_bytes:
                raise LimitError(
                    f"An answer of the PACS {self._site.name} is larger than {max_bytes} bytes.",
                    "Raise HMAR_MAX_FILE_BYTES if it is an image.",
                )
            if self._clock() > end:
                raise self._slow(f"{self._site.total_s:g} s for one answer")

    def _slow(self, what: str) -> SlowError:
        return SlowError(
            f"The PACS {self._site.name} takes longer than {what}.",
            f"Give more connect_s, read_s or total_s, or a smaller page, in [{self._site.name}].",
        )

    def _translated(self, error: exceptions.HTTPError) -> PacsError:
        name = self._site.name
        if isinstance(error, exceptions.SSLError):
            return PacsError(
                f"The certificate of the PACS {name} cannot be verified, or ours is refused.",
                f"Give those that your site trusts as ca_file in [{name}], and our own as client_cert.",
            )
        if isinstance(error, exceptions.ConnectTimeoutError) and not isinstance(
            error, exceptions.NewConnectionError
        ):
            return self._slow(f"{self._site.connect_s:g} s to connect")
        if isinstance(error, exceptions.NewConnectionError):
            return PacsError(f"The PACS {name} cannot be reached.", "Check its address, and whether it runs.")
        if isinstance(error, exceptions.TimeoutError):
            return self._slow(f"{self._site.read_s:g} s to go on")
        return PacsError(f"The connection to the PACS {name} broke ({type(error).__name__}).", "Try again.")


def _trusting(site: Site) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=site.ca_file)
        if site.client_cert is not None:
            context.load_cert_chain(site.client_cert, site.client_key, password=lambda: b"")
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The certificates of the PACS {site.name} cannot be read.",
            f"Give files in PEM, the key without a password, in [{site.name}].",
        ) from error
    return context
