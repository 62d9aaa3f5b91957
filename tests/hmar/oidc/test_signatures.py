"""Which published keys are used, and for which algorithms."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from hmar.identity_provider import ALGORITHMS
from hmar.oidc.signatures import usable_keys
from tests.provider import FIRST, ec_key, jwk

RIGHT = jwk(FIRST, "a")


def verifying(**published: Any) -> set[str]:
    [key] = usable_keys([RIGHT | published]).values()
    return {algorithm for algorithm in ALGORITHMS if key.verifies(algorithm)}


def test_an_rsa_key_is_for_its_algorithm_or_for_all_of_rsa() -> None:
    assert verifying() == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert verifying(alg="PS256") == {"PS256"}
    assert verifying(alg="ES256") == set()
    assert verifying(alg="HS256") == set()


@pytest.mark.parametrize(
    ("curve", "algorithms"),
    [
        (ec.SECP256R1(), {"ES256"}),
        (ec.SECP384R1(), {"ES384"}),
        (ec.SECP521R1(), {"ES512"}),
        (ec.SECP256K1(), set()),
    ],
)
def test_a_curve_is_for_its_algorithm_alone(curve: ec.EllipticCurve, algorithms: set[str]) -> None:
    [key] = usable_keys([jwk(ec.generate_private_key(curve), "a")]).values()
    assert {algorithm for algorithm in ALGORITHMS if key.verifies(algorithm)} == algorithms


@pytest.mark.parametrize(
    "published",
    [
        RIGHT | {"use": "enc"},
        RIGHT | {"key_ops": ["encrypt"]},
        RIGHT | {"key_ops": "verify"},
        RIGHT | {"kid": None},
        RIGHT | {"kid": 7},
        RIGHT | {"alg": ["RS256"]},
        RIGHT | {"kty": "oct", "k": "c2VjcmV0"},
        RIGHT | {"kty": "OKP"},
        RIGHT | {"kty": ["RSA"]},
        RIGHT | {"n": "!"},
        RIGHT | {"n": 7},
        RIGHT | {"e": ""},
        {name: value for name, value in RIGHT.items() if name != "n"},
        jwk(ec_key(), "a") | {"x": "AAAA"},
        jwk(ec_key(), "a") | {"crv": "P-512"},
        RSAAlgorithm.to_jwk(FIRST, as_dict=True) | {"kid": "a", "key_ops": ["verify"]},
        ECAlgorithm.to_jwk(ec_key(), as_dict=True) | {"kid": "a", "key_ops": ["verify"]},
        None,
        "a",
        [],
    ],
)
def test_what_is_no_key_for_signatures_is_left_out(published: Any) -> None:
    other = jwk(ec_key(), "other")
    assert set(usable_keys([published, other])) == {"other"}


def test_of_two_keys_with_one_name_the_first_counts() -> None:
    [key] = usable_keys([RIGHT, jwk(ec_key(), "a")]).values()
    assert key.key == FIRST.public_key()
