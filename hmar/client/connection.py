"""HTTP through urllib3, the only file that knows it: requests out, answers in, its errors as ours."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import urllib3
from urllib3 import exceptions
from urllib3.fields import RequestField
from urllib3.filepost import encode_multipart_formdata

from hmar.errors import ConfigError, UnavailableError

CONNECT_S = 5.0
POOLED = 8
"""Connections that are kept for threads that ask at a time."""
FILE_NAME = "image"
"""What every file is sent as, unless the caller wants names: the name of a file may be that of a patient."""
_ANY = "application/octet-stream"


class Body(NamedTuple):
    """What a request carries, and what it says that this is."""

    data: bytes
    media_type: str


class Answer(NamedTuple):
    """What a server answered. The names of headers have no case."""

    status: int
    headers: Mapping[str, str]
    data: bytes


def form(fields: Mapping[str, str], files: Sequence[bytes], names: Sequence[str] | None = None) -> Body:
    """Return fields and files as multipart/form-data; every file is a part named ``file``.

    Without ``names``, one for each file, all of them are called the same.
    """
    parts = [RequestField.from_tuples(name, text) for name, text in fields.items()]
    called = [FILE_NAME] * len(files) if names is None else names
    parts += [
        RequestField.from_tuples("file", (name, data, _ANY)) for name, data in zip(called, files, strict=True)
    ]
    return Body(*encode_multipart_formdata(parts))


class Connection:
    """Connections to one server, used again and by any number of threads.

    Certificates are verified, against those that the system trusts unless others are named. A redirection is
    not followed: the key would go with it.

    Parameters
    ----------
    url : str
        Of the server, without a slash at the end.
    read_s : float
        Longest silence of the server, in seconds.
    ca_file : Path or None
        Certificates in PEM to trust in place of the system's.

    Raises
    ------
    ConfigError
        If the certificates cannot be read.
    """

    def __init__(self, url: str, read_s: float, ca_file: Path | None = None) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(
            maxsize=POOLED,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_S, read=read_s),
            ssl_context=_trusting(ca_file),
        )

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()

    def send(
        self, method: str, path: str, headers: Mapping[str, str], body: Body | None, again: bool
    ) -> Answer:
        """Send a request and return the answer.

        Parameters
        ----------
        method, path : str
        headers : mapping of str to str
        body : Body or None
        again : bool
            Whether it may be sent twice: once more, if the connection ends before the answer, as one that was
            kept for long may.

        Raises
        ------
        UnavailableError
            If the server cannot be reached, cannot prove who it is, or does not answer.
        """
        sent = {**headers, **({} if body is None else {"Content-Type": body.media_type})}
        data = None if body is None else body.data
        try:
            try:
                return self._once(method, path, sent, data)
            except exceptions.ProtocolError:
                if not again:
                    raise
                return self._once(method, path, sent, data)
        except exceptions.HTTPError as error:
            raise self._translated(error) from None  # its text holds the whole address, UIDs too

    @contextmanager
    def open(self, path: str, headers: Mapping[str, str]) -> Iterator[tuple[Answer, Iterator[bytes]]]:
        """Ask for an answer that goes on; give it without its data, and the lines of that as they come.

        Of an answer without success, the data is whole and there are no lines. On leaving the context, the
        connection is closed. Raises UnavailableError as :meth:`send` does, also while lines are read.
        """
        try:
            answer = self._pool.request(
                "GET", self._url + path, headers=headers, redirect=False, preload_content=False
            )
            try:
                if answer.status == 200:
                    yield Answer(answer.status, answer.headers, b""), iter(answer)
                else:
                    yield Answer(answer.status, answer.headers, answer.read()), iter(())
            finally:
                answer.close()
        except exceptions.HTTPError as error:
            raise self._translated(error) from None

    def _once(self, method: str, path: str, headers: Mapping[str, str], data: bytes | None) -> Answer:
        answer = self._pool.request(method, self._url + path, body=data, headers=headers, redirect=False)
        return Answer(answer.status, answer.headers, answer.data)

    def _translated(self, error: exceptions.HTTPError) -> UnavailableError:
        if isinstance(error, exceptions.SSLError):
            return UnavailableError(
                f"The certificate of {self._url} cannot be verified.",
                "Give the file of the certificates that your site trusts as ca_file.",
            )
        if isinstance(error, exceptions.NewConnectionError | exceptions.ConnectTimeoutError):
            return UnavailableError(
                f"{self._url} cannot be reached.", "Check the address, and whether the server runs."
            )
        if isinstance(error, exceptions.TimeoutError):
            return UnavailableError(
                f"{self._url} did not answer in time.", "Try again, or give more seconds as timeout_s."
            )
        return UnavailableError(
            f"The connection to {self._url} broke ({type(error).__name__}).", "Try again."
        )


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The certificates in {str(ca_file)!r} cannot be read.", "Give a file in PEM as ca_file."
        ) from error
