"""What a PACS is given: each instance is taken, or why it was not is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hmar.adapters.dicomweb.sites import read_sites
from hmar.adapters.dicomweb.source import PacsSource
from hmar.errors import ConfigError, NotFoundError, PacsError
from hmar.values.exports import Document
from tests.pacs import Habits, Pacs
from tests.phantoms import ROOT, ct_file, sop_uid

STUDY = f"{ROOT}.91"
TWO = [
    Document("sr", "1.2.840.10008.5.1.4.1.1.2", STUDY, f"{ROOT}.1", sop_uid(1, number), ct_file(1, number))
    for number in (1, 2)
]
ONE, OTHER = (document.sop_instance_uid for document in TWO)


def source_of(folder: Path, pacs: Pacs, more: str = "") -> PacsSource:
    (folder / "pacs.toml").write_text(f'[main]\nroot = "{pacs.url}/dicom-web"\n{more}')
    return PacsSource(read_sites(folder / "pacs.toml"), sleep=lambda _: None)


def test_all_are_stored_in_one_request(tmp_path: Path) -> None:
    with Pacs.serving([]) as pacs:
        source = source_of(tmp_path, pacs)
        assert source.store("main", STUDY, TWO) == {ONE: None, OTHER: None}
        assert [file.data for file in pacs.files] == [document.data for document in TWO]
        assert len(pacs.stored) == 1
        source.close()


def test_only_what_failed_for_want_of_room_is_sent_again(tmp_path: Path) -> None:
    with Pacs.serving([], Habits(refuses_to_store=[0xA700, 0x0110])) as pacs:
        source = source_of(tmp_path, pacs)
        assert source.store("main", STUDY, TWO) == {ONE: None, OTHER: None}
        assert pacs.stored == [[ONE, OTHER], [OTHER], [OTHER]]
        source.close()


def test_after_its_attempts_what_failed_keeps_its_reason(tmp_path: Path) -> None:
    with Pacs.serving([], Habits(refuses_to_store=[0xA701] * 9)) as pacs:
        source = source_of(tmp_path, pacs, "tries = 3")
        reasons = source.store("main", STUDY, TWO)
        assert reasons == {ONE: None, OTHER: "the PACS refused it with A701H: it is out of resources"}
        assert len(pacs.stored) == 3
        source.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0x0122, "0122H: it does not store this kind of object"),
        (0x0124, "0124H: we may not store there"),
        (0xA900, "A900H: it says that this is no such object"),
        (0xC001, "C001H: it cannot read it"),
        (0xC122, "C122H: it does not store this transfer syntax"),
        (0x0999, "0999H"),
    ],
)
def test_what_will_fail_again_is_not_sent_again_and_the_reason_is_kept(
    tmp_path: Path, code: int, said: str
) -> None:
    with Pacs.serving([], Habits(refuses_to_store=[code])) as pacs:
        source = source_of(tmp_path, pacs)
        assert source.store("main", STUDY, TWO) == {ONE: None, OTHER: f"the PACS refused it with {said}"}
        assert len(pacs.stored) == 1
        source.close()


def test_what_a_pacs_has_already_counts_as_stored(tmp_path: Path) -> None:
    with Pacs.serving([], Habits(refuses_to_store=[0x0111])) as pacs:
        source = source_of(tmp_path, pacs)
        assert source.store("main", STUDY, TWO) == {ONE: None, OTHER: None}
        source.close()


def answer_of(*taken: str) -> bytes:
    items = [{"00081155": {"vr": "UI", "Value": [uid]}} for uid in taken]
    return json.dumps({"00081199": {"vr": "SQ", "Value": items}}).encode()


def refusal_of(uid: str, reason: Any) -> bytes:
    item = {"00081155": {"vr": "UI", "Value": [uid]}, "00081197": {"vr": "US", "Value": [reason]}}
    return json.dumps({"00081198": {"vr": "SQ", "Value": [item]}}).encode()


@pytest.mark.parametrize(
    ("status", "body", "taken"),
    [
        (200, b"", {ONE, OTHER}),
        (200, b"<xml>fine</xml>", {ONE, OTHER}),
        (200, answer_of(ONE), {ONE}),
        (202, answer_of(ONE), {ONE}),
        (202, b"", set()),
        (409, b"", set()),
        (409, refusal_of(ONE, 0), set()),
        (409, refusal_of(ONE, "9" * 5000), set()),
        (409, refusal_of(ONE, ["none"]), set()),
    ],
)
def test_an_instance_that_an_answer_does_not_name_counts_as_stored_only_where_all_were(
    tmp_path: Path, status: int, body: bytes, taken: set[str]
) -> None:
    with Pacs.serving([], Habits(stored_as=(status, body))) as pacs:
        source = source_of(tmp_path, pacs)
        reasons = source.store("main", STUDY, TWO)
        assert {uid for uid, reason in reasons.items() if reason is None} == taken
        assert set(reasons.values()) <= {None, "the PACS does not say that it has it"}
        source.close()


def test_a_busy_pacs_is_asked_again_and_an_expired_token_renewed(tmp_path: Path) -> None:
    with Pacs.serving([], Habits(busy=2, token_life_s=60)) as pacs:
        (tmp_path / "secret").write_text("s")
        auth = (
            f'[main.auth]\nkind = "oauth2"\ntoken_url = "{pacs.url}/token"\n'
            'client_id = "hmar"\nclient_secret_file = "secret"'
        )
        source = source_of(tmp_path, pacs, auth)
        source.try_storing("main")
        pacs.tokens.clear()
        assert source.store("main", STUDY, TWO) == {ONE: None, OTHER: None}
        source.close()


@pytest.mark.parametrize("status", [404, 405, 500, 413])
def test_an_answer_that_is_none_of_storing_is_an_error(tmp_path: Path, status: int) -> None:
    with Pacs.serving([], Habits(stored_as=(status, b""))) as pacs:
        source = source_of(tmp_path, pacs)
        with pytest.raises(PacsError, match=f"status {status}"):
            source.store("main", STUDY, TWO)
        source.close()


def test_storing_is_tried_without_anything_to_store(tmp_path: Path) -> None:
    with Pacs.serving([]) as pacs:
        source = source_of(tmp_path, pacs)
        source.try_storing("main")
        assert (pacs.stored, pacs.files) == ([[]], [])
        pacs.habits.stored_as = (404, b"")
        with pytest.raises(PacsError, match="status 404"):
            source.try_storing("main")
        source.close()


def test_a_pacs_that_names_no_place_to_store_to_is_not_stored_to(tmp_path: Path) -> None:
    (tmp_path / "pacs.toml").write_text('[main]\nqido = "https://a.example"\nwado = "https://a.example"')
    source = PacsSource(read_sites(tmp_path / "pacs.toml"))
    with pytest.raises(ConfigError, match="names no place to store to"):
        source.store("main", STUDY, TWO)
    with pytest.raises(NotFoundError):
        source.store("other", STUDY, TWO)


def test_http_beyond_this_machine_is_for_those_who_say_so(tmp_path: Path) -> None:
    file = tmp_path / "pacs.toml"
    file.write_text('[main]\nroot = "http://orthanc:8042/dicom-web"')
    with pytest.raises(ConfigError, match="unencrypted"):
        read_sites(file)
    file.write_text('[main]\nroot = "http://orthanc:8042/dicom-web"\nplain_http = true')
    assert read_sites(file)["main"].stow == "http://orthanc:8042/dicom-web"
    file.write_text('[main]\nroot = "http://orthanc:8042/dicom-web"\nplain_http = "yes"')
    with pytest.raises(ConfigError, match="plain_http"):
        read_sites(file)
