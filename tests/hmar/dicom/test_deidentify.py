import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hmar.dicom.deidentify import PatientHasher

SECRET = bytes(range(32))


def test_the_key_is_the_first_half_of_hmac_sha256_over_issuer_and_id() -> None:
    expected = hmac.digest(SECRET, b"ISSUER\0P-17", hashlib.sha256).hex()[:32]
    assert PatientHasher(SECRET).key("P-17", "ISSUER") == expected


@pytest.mark.parametrize("patient_id", ["", "  "])
def test_no_id_gives_no_key(patient_id: str) -> None:
    assert PatientHasher(SECRET).key(patient_id, "ISSUER") is None


def test_spaces_around_id_and_issuer_do_not_count() -> None:
    hasher = PatientHasher(SECRET)
    assert hasher.key(" P-17 ", "ISSUER ") == hasher.key("P-17", "ISSUER")


def test_another_secret_gives_another_key() -> None:
    assert PatientHasher(SECRET).key("P-17") != PatientHasher(SECRET[::-1]).key("P-17")


_VALUES = st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Z", "C")), max_size=8)


@pytest.mark.slow
@given(st.tuples(_VALUES.filter(bool), _VALUES), st.tuples(_VALUES.filter(bool), _VALUES))
def test_two_patients_never_share_a_key(one: tuple[str, str], other: tuple[str, str]) -> None:
    hasher = PatientHasher(SECRET)
    assert (hasher.key(*one) == hasher.key(*other)) == (one == other)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="3 bytes"):
        PatientHasher(b"abc")


def test_the_secret_is_not_shown() -> None:
    assert "abcdefgh" not in repr(PatientHasher(b"abcdefgh" * 4))
