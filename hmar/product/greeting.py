"""What a person needs to begin: the address, a login link, an API key."""

from __future__ import annotations

from hmar.config import Settings
from hmar.errors import ParameterError
from hmar.secrets import replace_private
from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity, administrator
from hmar.values.references import printable
from hmar.wiring import Engine

LOGIN_TTL_S = 15 * 60
DEFAULT_KEY = "default"
READY = "HMAR search is ready."
"""First line of the greeting, which comes when the product answers."""


def service_url(settings: Settings) -> str:
    """Return the address to type on this machine; a wildcard address is reached through loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def login_link(engine: Engine, url: str, identity: Identity | None = None) -> str:
    """Make a link that logs one browser in, once; who is not named may do what the page does."""
    who = identity or Identity(PAGE_LOGIN, EVERYDAY)
    return f"{url}/login?token={engine.keys.create_login(who, LOGIN_TTL_S)}"


def default_key(engine: Engine) -> str | None:
    """Return the key made at the first start, or None if it was revoked or its file was lost.

    It may do everything: who can read its file can read the archive.
    """
    path = engine.settings.home / "secrets" / "api-key"
    if path.exists():
        key = path.read_text()
        return key if engine.keys.verify(key) is not None else None
    try:
        key = engine.keys.create(administrator(DEFAULT_KEY))
    except ParameterError:
        return None
    replace_private(path, key.encode())
    return key


def greeting(engine: Engine, *, to_person: bool) -> str:
    """Return the text that the product starts with.

    Parameters
    ----------
    engine : Engine
    to_person : bool
        Whether a person reads it, at a terminal. What goes to a file or a log holds no login link and no key.
    """
    url = service_url(engine.settings)
    return "\n".join(
        (
            READY,
            f"  Address  {url}",
            *_login(engine, url, to_person),
            f"  API key  {_key(engine, to_person)}",
            f"  Data     {printable(str(engine.settings.home))}",
            "  Stop     Ctrl-C",
        )
    )


def _login(engine: Engine, url: str, to_person: bool) -> tuple[str, ...]:
    if not to_person:
        return ("  Login    'hmar keys login' makes a link",)
    return (
        f"  Login    {login_link(engine, url)}",
        "           works once, within 15 minutes; 'hmar keys login' makes another",
    )


def _key(engine: Engine, to_person: bool) -> str:
    key = default_key(engine)
    if key is None:
        return "the first key is not valid any more; 'hmar keys new NAME' makes one"
    return key if to_person else "in the file secrets/api-key of the data folder"
