"""One request to a PACS, with what a network does to it: waits, other attempts, expired tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from hmar.adapters.dicomweb.breaker import Breaker
from hmar.adapters.dicomweb.credentials import Credentials
from hmar.adapters.dicomweb.sites import Site
from hmar.adapters.dicomweb.transport import Answer, SlowError, Transport
from hmar.errors import PacsError
from hmar.pauses import Pauses

BUSY = frozenset({429, 502, 503, 504})
"""No room, or a part behind the server that does not answer."""
_DENIED = frozenset({401, 403})


class Request(NamedTuple):
    """What is asked, without what proves who asks."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class Asking:
    """Asks one PACS.

    What fails for want of room or of a connection is tried again. Credentials that are refused are renewed
    once. What is denied after that, and what redirects, is an error for whoever runs the product.

    Parameters
    ----------
    site : Site
    transport : Transport
    credentials : Credentials
    breaker : Breaker
    pauses : Pauses
        Between attempts, of which there are as many as it says.
    """

    def __init__(
        self,
        site: Site,
        transport: Transport,
        credentials: Credentials,
        breaker: Breaker,
        pauses: Pauses,
    ) -> None:
        self._site, self._transport, self._credentials = site, transport, credentials
        self._breaker, self._pauses = breaker, pauses

    def get(self, url: str, accept: str, max_bytes: int, patient: bool = True) -> Answer:
        """Return the answer to a GET, whatever its status but those that are no answer.

        Parameters
        ----------
        url : str
        accept : str
            Media types.
        max_bytes : int
            Of the answer.
        patient : bool
            Whether what was slow is asked for again; False raises SlowError at once.

        Raises
        ------
        LimitError
            If the answer is larger.
        PacsError
            If there is none, or it says that we may not ask.
        """
        return self._answered(Request("GET", url, {"Accept": accept}), max_bytes, patient)

    def post(self, url: str, accept: str, body: bytes, media_type: str, max_bytes: int) -> Answer:
        """Return the answer to a POST of what may be sent twice; otherwise as :meth:`get`.

        Parameters
        ----------
        url, accept : str
        body : bytes
        media_type : str
            Of the body.
        max_bytes : int
            Of the answer.
        """
        headers = {"Accept": accept, "Content-Type": media_type}
        return self._answered(Request("POST", url, headers, body), max_bytes, True)

    def _answered(self, request: Request, max_bytes: int, patient: bool) -> Answer:
        attempt = 0
        while True:
            attempt += 1
            self._breaker.check()
            try:
                answer = self._authorised(request, max_bytes)
            except PacsError as error:
                self._breaker.failed()
                if isinstance(error, SlowError) and not patient:
                    raise
                if not self._pauses.wait(attempt, None):
                    raise
                continue
            if answer.status not in BUSY:
                self._breaker.worked()
                return self._checked(answer)
            self._breaker.failed()
            if not self._pauses.wait(attempt, answer.headers.get("Retry-After")):
                raise PacsError(
                    f"The PACS {self._site.name} goes on answering {answer.status}.",
                    "Ask for less at a time, or later.",
                )

    def _authorised(self, request: Request, max_bytes: int) -> Answer:
        answer = self._sent(request, max_bytes)
        if answer.status == 401 and self._credentials.renew():
            answer = self._sent(request, max_bytes)
        return answer

    def _sent(self, request: Request, max_bytes: int) -> Answer:
        headers = {**request.headers, **self._credentials.headers()}
        return self._transport.send(request.method, request.url, headers, max_bytes, request.body)

    def _checked(self, answer: Answer) -> Answer:
        name = self._site.name
        if answer.status in _DENIED:
            raise PacsError(
                f"The PACS {name} does not let us ask: it answered {answer.status}.",
                f"Check [{name}.auth], and what that user may do there.",
            )
        if 300 <= answer.status < 400:
            raise PacsError(
                f"The PACS {name} redirects (status {answer.status}).",
                f"Give the address that it redirects to in [{name}].",
            )
        return answer
