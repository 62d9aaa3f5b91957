"""Two keys in one request: whose it is would depend on who reads it."""

from __future__ import annotations

import pytest

from tests.service.conftest import Archive

SERIES = "/api/v1/series"


@pytest.mark.parametrize("twice", ["X-API-Key", "Authorization"])
def test_a_key_header_that_comes_twice_is_refused(archive: Archive, twice: str) -> None:
    value = archive.key if twice == "X-API-Key" else f"Bearer {archive.key}"
    answer = archive.stranger.get(SERIES, headers=[(twice, value), (twice, value)])
    assert (answer.status_code, answer.get_json(force=True)["type"]) == (400, "/problems/malformed-request")
    assert twice in answer.get_json(force=True)["detail"]
    assert archive.key not in answer.text


def test_two_keys_that_differ_are_refused_and_the_same_in_both_headers_is_not(archive: Archive) -> None:
    both = {"Authorization": f"Bearer {archive.key}", "X-API-Key": archive.key}
    assert archive.stranger.get(SERIES, headers=both).status_code == 200
    for header, other in (("X-API-Key", "hmar_other"), ("Authorization", "Bearer hmar_other")):
        answer = archive.stranger.get(SERIES, headers=both | {header: other})
        assert answer.status_code == 400
        assert "hmar_" not in answer.get_json(force=True)["detail"]


@pytest.mark.parametrize("other", ["Basic aGk6aGk=", 'Digest username="a", realm="b"'])
def test_a_header_meant_for_a_proxy_is_no_second_key(archive: Archive, other: str) -> None:
    headers = {"Authorization": other, "X-API-Key": archive.key}
    assert archive.stranger.get(SERIES, headers=headers).status_code == 200
