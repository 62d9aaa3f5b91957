"""Tokens that are right let their holders in; every other one is refused, and says why."""

from __future__ import annotations

import base64
import json
import time
import warnings
from contextlib import suppress
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from hmar.errors import AuthError, ForbiddenError, IdentityProviderError
from hmar.identity_provider import IdentityProvider
from hmar.oidc.roles import Roles
from hmar.oidc.tokens import MOST_BYTES, Tokens
from hmar.values.identity import Identity
from tests.hmar.oidc.conftest import Reading
from tests.provider import Provider, ec_key, jwk, rsa_key

NOW = int(time.time())


def unsigned(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def refusal(tokens: Tokens, token: str) -> str:
    with pytest.raises(AuthError) as refused:
        tokens.holder(token)
    assert token not in str(refused.value)
    return refused.value.detail


def test_a_token_says_who_asks_and_with_which_roles(provider: Provider, reading: Reading) -> None:
    tokens = reading()
    holder = tokens.holder(provider.token(roles=["hmar-reader", "hmar-trainee", "of another program", 7]))
    assert holder.name == "oidc anna"
    assert tokens.identity(holder) == Identity(
        "oidc anna", frozenset({"search"}), frozenset({"default", "teaching"})
    )


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "ES256"])
def test_all_algorithms_that_are_allowed_verify(provider: Provider, reading: Reading, algorithm: str) -> None:
    if algorithm == "ES256":
        provider.rotate(ec_key(), "curve")
    tokens = reading(oidc_algorithms=algorithm)
    assert tokens.holder(provider.token(algorithm=algorithm)).name == "oidc anna"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"exp": NOW - 3600, "iat": NOW - 3700}, "expired (exp)"),
        ({"nbf": NOW + 3600}, "not valid yet"),
        ({"iat": NOW + 3600}, "not valid yet"),
        ({"iat": "yesterday"}, "not valid yet"),
        ({"exp": None}, "no claim exp"),
        ({"exp": "never"}, "usable claims"),
        ({"exp": 1e999}, "usable claims"),
        ({"iat": None}, "no claim iat"),
        ({"exp": NOW + 90_000}, "longer than 24 hours"),
        ({"aud": "another"}, "not for hmar (aud)"),
        ({"aud": ["a", "b"]}, "not for hmar (aud)"),
        ({"aud": None}, "no claim aud"),
        ({"iss": "https://elsewhere.example"}, "not issued by"),
        ({"iss": None}, "no claim iss"),
        ({"typ": "Refresh"}, "not an access token"),
        ({"typ": "ID"}, "not an access token"),
        ({"cnf": {"jkt": "x"}}, "bound to a key"),
        ({"preferred_username": None}, "claim preferred_username"),
        ({"preferred_username": ""}, "claim preferred_username"),
        ({"preferred_username": "a" * 129}, "claim preferred_username"),
        ({"preferred_username": "anna\nroot"}, "claim preferred_username"),
        ({"preferred_username": "anna "}, "claim preferred_username"),
        ({"preferred_username": ["anna"]}, "claim preferred_username"),
    ],
)
def test_a_claim_that_is_wrong_is_named(
    provider: Provider, reading: Reading, changed: dict[str, Any], said: str
) -> None:
    assert said in refusal(reading(), provider.token(**changed))


def test_clocks_may_differ_by_the_leeway_and_no_more(provider: Provider, reading: Reading) -> None:
    now = int(time.time())
    late = provider.token(exp=now - 60, iat=now - 120, nbf=now - 120)
    assert reading(oidc_leeway_seconds=200.0).holder(late).name == "oidc anna"
    assert "expired" in refusal(reading(oidc_leeway_seconds=0.0), late)


def test_an_audience_may_be_one_of_several(provider: Provider, reading: Reading) -> None:
    assert reading().holder(provider.token(aud=["account", "hmar"])).name == "oidc anna"


@pytest.mark.parametrize("kind", ["JWT", "at+jwt", "application/at+jwt", "AT+JWT"])
def test_access_tokens_are_taken_by_their_type(provider: Provider, reading: Reading, kind: str) -> None:
    assert reading().holder(provider.token({"typ": kind}))


@pytest.mark.parametrize("kind", ["logout+jwt", "secevent+jwt", "dpop+jwt"])
def test_tokens_of_other_types_are_refused(provider: Provider, reading: Reading, kind: str) -> None:
    assert "not an access token" in refusal(reading(), provider.token({"typ": kind}))


def test_only_programs_that_are_named_get_tokens_that_count(provider: Provider, reading: Reading) -> None:
    tokens = reading(oidc_clients="viewer, portal")
    assert tokens.holder(provider.token(azp="viewer"))
    assert tokens.holder(provider.token(client_id="portal"))
    assert "azp" in refusal(tokens, provider.token(azp="another", client_id="portal"))
    assert "azp" in refusal(tokens, provider.token())
    assert "azp" in refusal(tokens, provider.token(azp=["viewer"]))


def test_the_name_is_the_claim_that_the_settings_name(provider: Provider, reading: Reading) -> None:
    assert reading(oidc_name_claim="sub").holder(provider.token()).name == "oidc 0-1"


@pytest.mark.parametrize(
    ("claim", "claims", "roles"),
    [
        ("realm_access.roles", {"realm_access": {"roles": ["hmar-reader"]}}, ("hmar-reader",)),
        ("resource_access.hmar.x.roles", {"resource_access": {"hmar.x": {"roles": ["a"]}}}, ("a",)),
        ("https://site.example/roles", {"https://site.example/roles": ["a", "b"]}, ("a", "b")),
        ("roles", {"roles": "hmar-reader"}, ("hmar-reader",)),
        ("roles", {"roles": {"hmar-reader": True}}, ()),
        ("roles", {"roles": None}, ()),
        ("roles.deeper", {"roles": ["a"]}, ()),
    ],
)
def test_roles_are_where_the_settings_say(
    provider: Provider, reading: Reading, claim: str, claims: dict[str, Any], roles: tuple[str, ...]
) -> None:
    assert reading(oidc_roles_claim=claim).holder(provider.token(**claims)).roles == roles


def test_a_holder_without_a_role_that_is_known_may_do_nothing(provider: Provider, reading: Reading) -> None:
    tokens = reading()
    with pytest.raises(ForbiddenError) as refused:
        tokens.identity(tokens.holder(provider.token(roles=["nurse"])))
    assert "claim roles" in refused.value.detail
    assert "Domain Admins, hmar-indexer, hmar-reader" in refused.value.remedy


def test_no_token_without_a_signature_counts(provider: Provider, reading: Reading) -> None:
    tokens, claims = reading(), provider.claims()
    for algorithm in ("none", "None", "NONE", ""):
        head = unsigned({"alg": algorithm, "kid": "first", "typ": "JWT"})
        assert "alg" in refusal(tokens, f"{head}.{unsigned(claims)}.")
    head, body, signature = provider.token().split(".")
    assert "signature" in refusal(tokens, f"{head}.{body}.")
    assert "signature" in refusal(
        tokens, f"{head}.{unsigned(claims | {'roles': ['Domain Admins']})}.{signature}"
    )


def test_the_public_key_is_no_shared_secret(provider: Provider, reading: Reading) -> None:
    public = provider.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head, body = unsigned({"alg": "HS256", "kid": "first", "typ": "JWT"}), unsigned(provider.claims())
    signed = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    mac = signed.sign(f"{head}.{body}".encode(), public)
    token = f"{head}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert jwt.decode(token, options={"verify_signature": False}), "it is a token in all else"
    assert "alg" in refusal(reading(), token)


def test_an_algorithm_that_is_not_the_keys_is_refused(provider: Provider, reading: Reading) -> None:
    provider.publish(jwk(provider.key, "first", alg="RS256"))
    tokens = reading(oidc_algorithms="RS256,PS256,ES256")
    assert "not that of its key" in refusal(tokens, provider.token(algorithm="PS256"))
    assert tokens.holder(provider.token(algorithm="RS256"))
    curve = jwt.encode(provider.claims(), ec_key(), "ES256", {"kid": "first"})
    assert "not that of its key" in refusal(tokens, curve)


def test_keys_in_a_token_count_for_nothing(provider: Provider, reading: Reading) -> None:
    forger = rsa_key()
    provider.answers["/forged"] = {"keys": [jwk(forger, "first")]}
    headers = {
        "kid": "first",
        "jwk": jwk(forger, "first"),
        "jku": f"{provider.issuer}/forged",
        "x5u": f"{provider.issuer}/forged",
    }
    tokens = reading()
    assert "signature" in refusal(tokens, jwt.encode(provider.claims(), forger, "RS256", headers))
    unknown = jwt.encode(provider.claims(), forger, "RS256", headers | {"kid": "forged"})
    assert "does not publish" in refusal(tokens, unknown)
    assert "/forged" not in provider.asked


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "RS256"},
        {"alg": "RS256", "kid": ""},
        {"alg": "RS256", "kid": 7},
        {"alg": ["RS256"], "kid": "first"},
        {"kid": "first"},
        {"alg": "RS256", "kid": "first", "crit": ["exp"], "exp": 1},
        {"alg": "RS256", "kid": "first", "b64": False, "crit": ["b64"]},
        ["RS256"],
        "RS256",
    ],
)
def test_a_header_that_cannot_be_used_is_refused(
    provider: Provider, reading: Reading, header: object
) -> None:
    _, body, signature = provider.token().split(".")
    assert refusal(reading(), f"{unsigned(header)}.{body}.{signature}")
    assert provider.asked == [], "nobody needs to be asked for its key"


def test_a_token_that_is_too_long_is_refused_unread(provider: Provider, reading: Reading) -> None:
    tokens = reading()
    assert str(MOST_BYTES) in refusal(tokens, provider.token(filling="x" * MOST_BYTES))
    assert str(MOST_BYTES) in refusal(tokens, "a." * (8 << 20) + "a")
    assert provider.asked == []
    assert tokens.holder(provider.token(filling="x" * (MOST_BYTES // 2)))


def test_json_that_is_too_deep_is_no_token(provider: Provider, reading: Reading) -> None:
    head = base64.urlsafe_b64encode(b"[" * 9000).rstrip(b"=").decode()
    assert "not a signed JWT" in refusal(reading(), f"{head}.e30.e30")


KNOWN = rsa.generate_private_key(65537, 2048)


def without_network(token: str) -> None:
    def fetch(url: str) -> dict[str, Any]:
        if url.endswith("/keys"):
            return {"keys": [jwk(KNOWN, "first")]}
        return {"issuer": "https://provider.example", "jwks_uri": "https://provider.example/keys"}

    provider = IdentityProvider("https://provider.example", "hmar", __file__)  # type: ignore[arg-type]
    Tokens(provider, Roles({}), fetch).holder(token)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.text() | st.from_regex(r"[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*\.[A-Za-z0-9_=-]*", fullmatch=True))
def test_whatever_comes_as_a_token_is_refused_as_one(text: str) -> None:
    with pytest.raises(AuthError):
        without_network(text)


CLAIMS = ("iss", "aud", "exp", "iat", "nbf", "typ", "azp", "preferred_username", "roles", "sub", "jti")


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(CLAIMS), JSON))
def test_whatever_claims_a_provider_signs_they_are_taken_or_refused(changed: dict[str, Any]) -> None:
    now = int(time.time())
    right = {"iss": "https://provider.example", "aud": "hmar", "iat": now, "exp": now + 60}
    body = json.dumps(right | {"preferred_username": "anna"} | changed).encode()
    token = jwt.api_jws.encode(body, KNOWN, "RS256", {"kid": "first"})
    with suppress(AuthError):  # and nothing else
        without_network(token)


def test_a_key_that_is_too_short_is_not_used(provider: Provider, reading: Reading) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        provider.rotate(rsa_key(1024), "short")
        token = provider.token()
    assert "does not publish" in refusal(reading(), token)


def test_a_provider_that_is_away_is_named(provider: Provider, reading: Reading) -> None:
    provider.status = 500
    with pytest.raises(IdentityProviderError, match="identity provider"):
        reading().holder(provider.token())
