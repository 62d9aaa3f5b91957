"""What the settings may say of an identity provider."""

from __future__ import annotations

from typing import Any

import pytest

from hmar.config import Settings
from hmar.errors import ConfigError
from hmar.identity_provider import is_safe_url

RIGHT = {
    "HMAR_OIDC_ISSUER": "https://sso.example/realms/site",
    "HMAR_OIDC_AUDIENCE": "hmar",
    "HMAR_OIDC_ROLES_FILE": "roles.toml",
}


def test_without_settings_there_is_none() -> None:
    assert Settings.from_environment({}).identity_provider is None


def test_three_settings_are_enough() -> None:
    provider = Settings.from_environment(RIGHT).identity_provider
    assert provider is not None
    assert provider.issuer == RIGHT["HMAR_OIDC_ISSUER"]
    assert provider.roles_file.is_absolute()
    assert provider.algorithms == ("RS256", "ES256")
    assert (provider.clients, provider.leeway_s) == ((), 30.0)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"HMAR_OIDC_ISSUER": ""}, "HMAR_OIDC_ISSUER is empty"),
        ({"HMAR_OIDC_AUDIENCE": ""}, "HMAR_OIDC_AUDIENCE is empty"),
        ({"HMAR_OIDC_ROLES_FILE": ""}, "HMAR_OIDC_ROLES_FILE is empty"),
        ({"HMAR_OIDC_ISSUER": "http://sso.example"}, "'http://sso.example'"),
        ({"HMAR_OIDC_ISSUER": "https://sso.example?a=b"}, r"sso.example\?a=b"),
        ({"HMAR_OIDC_ISSUER": "sso.example"}, "'sso.example'"),
        ({"HMAR_OIDC_ALGORITHMS": "RS256,none"}, "'none'"),
        ({"HMAR_OIDC_ALGORITHMS": "HS256"}, "'HS256'"),
        ({"HMAR_OIDC_ALGORITHMS": ","}, "HMAR_OIDC_ALGORITHMS is empty"),
        ({"HMAR_OIDC_LEEWAY_SECONDS": "301"}, "HMAR_OIDC_LEEWAY_SECONDS is 301"),
        ({"HMAR_OIDC_LEEWAY_SECONDS": "-1"}, "HMAR_OIDC_LEEWAY_SECONDS is -1"),
        ({"HMAR_OIDC_LEEWAY_SECONDS": "nan"}, "HMAR_OIDC_LEEWAY_SECONDS is nan"),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_name(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Settings.from_environment(RIGHT | changed)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://sso.example", True),
        ("https://sso.example:8443/realms/a", True),
        ("http://127.0.0.1:8080", True),
        ("http://localhost", True),
        ("http://[::1]:80/a", True),
        ("http://127.0.0.1.evil.example", False),
        ("http://sso.example", False),
        ("https://", False),
        ("https://a:b@sso.example", False),
        ("https://sso.example/#a", False),
        ("https://sso.example:99999999/", False),
        ("https://[/", False),
        ("https://sso.example/\u00e4", False),
        ("https://sso.example/a b", False),
        ("ftp://localhost", False),
        ("", False),
    ],
)
def test_only_https_and_this_machine_are_asked(url: str, safe: bool) -> None:
    assert is_safe_url(url) is safe
