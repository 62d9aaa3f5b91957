from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hmar.config import Settings
from hmar.oidc.roles import Roles
from hmar.oidc.tokens import Tokens
from tests.provider import AUDIENCE, ROLES, Provider, provided

Reading = Callable[..., Tokens]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with provided() as provider:
        yield provider


@pytest.fixture
def reading(provider: Provider, tmp_path: Path) -> Reading:
    """Make what reads tokens of the provider, with settings of its own."""

    def make(**settings: Any) -> Tokens:
        roles = tmp_path / "roles.toml"
        roles.write_text(ROLES)
        asked = {"oidc_issuer": provider.issuer, "oidc_audience": AUDIENCE, "oidc_roles_file": str(roles)}
        named = Settings(**(asked | settings)).checked().identity_provider
        assert named is not None
        return Tokens(named, Roles.read(named.roles_file))

    return make
