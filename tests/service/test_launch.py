"""The page, opened at an image by another program: by UIDs, after the login, below a path of a proxy."""

from __future__ import annotations

import json
import random
import re
from urllib.parse import parse_qsl, urlsplit

import pytest

from hmar.values.identity import EVERYDAY, PAGE_LOGIN, Identity
from tests.service.conftest import Archive

INVOKED = "/IHEInvokeImageDisplay"
ONE = "requestType=STUDY&studyUID=1.2.3"


def onwards(text: str) -> str:
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', text)
    assert found is not None
    return found[1].replace("&amp;", "&")


def test_an_invocation_goes_on_to_the_page_without_a_login(archive: Archive) -> None:
    shown = "seriesUID=1.2.3.4&instanceUID=1.2.3.4.5&frame=2&region=1,20480.25,30,40&viewerType=BIR"
    answer = archive.stranger.get(f"{INVOKED}?{ONE}&{shown}")
    assert answer.status_code == 200
    assert onwards(answer.text) == (
        "/?study=1.2.3&series=1.2.3.4&instance=1.2.3.4.5&frame=2&region=1%2C20480.25%2C30%2C40"
    )
    assert "Location" not in answer.headers


def test_below_a_path_of_a_proxy_it_stays_below_it(archive: Archive) -> None:
    answer = archive.stranger.get(f"{INVOKED}?{ONE}", environ_overrides={"SCRIPT_NAME": "/hmar"})
    assert onwards(answer.text) == "/hmar/?study=1.2.3"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "requestType=STUDY",
        "requestType=PATIENT&patientID=GEHEIM",
        f"{ONE}&patientID=GEHEIM",
        f"{ONE}&patientName=GEHEIM",
        f"{ONE}&patientBirthDate=GEHEIM",
        f"{ONE}&accessionNumber=GEHEIM",
        "studyUID=1.2.3,%20GEHEIM%20GEHEIM",
        f"{ONE}&region=1,2,3",
        f"{ONE}&frame=0",
        f"{ONE}&other=1",
        f"{ONE}&studyUID=1.2.4",
    ],
)
def test_what_is_no_study_by_its_uid_is_refused_and_patients_are_not_repeated(
    archive: Archive, query: str
) -> None:
    answer = archive.stranger.get(f"{INVOKED}?{query}")
    assert answer.status_code in (400, 422)
    if "=GEHEIM" in query:
        assert "GEHEIM" not in answer.text


def test_what_a_stranger_wanted_comes_after_the_login(archive: Archive) -> None:
    browser, own = archive.stranger, {"Sec-Fetch-Site": "same-origin"}
    answer = browser.get("/?study=1.2.3&region=1,2,3,4", headers=own)
    assert answer.status_code == 401
    assert "You are not logged in" in answer.text
    token = archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    answer = browser.post("/login", data={"token": token}, headers=own)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/?study=1.2.3&region=1%2C2%2C3%2C4")
    # Once: another login goes to the page.
    token = archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    assert browser.post("/login", data={"token": token}, headers=own).headers["Location"] == "/"


def test_a_login_that_began_at_a_page_of_operations_leads_back_there(archive: Archive) -> None:
    own = {"Sec-Fetch-Site": "same-origin"}
    proxied = {"SCRIPT_NAME": "/hmar"}
    for environ, location in (({}, "/operations/jobs"), (proxied, "/hmar/operations/jobs")):
        browser = archive.stranger
        assert browser.get("/operations/jobs", headers=own, environ_overrides=environ).status_code == 401
        data = {"token": archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)}
        answer = browser.post("/login", data=data, headers=own, environ_overrides=environ)
        assert (answer.status_code, answer.headers["Location"]) == (303, location)
        assert browser.get("/operations/jobs", headers=own, environ_overrides=environ).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/operations/secrets",
        "/operations/..",
        "/operations/%2F%2Fother.example",
        "/operations//other.example",
        "/operations/%5C%5Cother.example",
        "/api/v1/series",
        "/logout",
    ],
)
def test_a_login_leads_to_no_other_place(archive: Archive, path: str) -> None:
    browser, own = archive.stranger, {"Sec-Fetch-Site": "same-origin"}
    assert "Set-Cookie" not in browser.get(path, headers=own).headers
    token = archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    answer = browser.post("/login", data={"token": token}, headers=own)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_a_login_link_cannot_say_where_it_leads(archive: Archive) -> None:
    token = archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    data = {"token": token, "next": "https://other.example/"}
    answer = archive.stranger.post("/login?next=https://other.example/", data=data)
    assert answer.headers.get("Location", "/") == "/"


SEARCH = '{"sop_instance_uid":"1.2","frame_number":1,"region":[1,2,3,4],"k":5,"mode":"local"}'
WHOLE = '{"sop_instance_uid":"1.2","group_by":"series","filters":{"modality":"CT"}}'


@pytest.mark.parametrize(("search", "window"), [(SEARCH, "-600,1500.5,HU"), (WHOLE, "1,99,percentiles")])
def test_what_the_page_shows_and_searches_for_is_wanted_after_the_login_too(
    archive: Archive, search: str, window: str
) -> None:
    asked = {
        "series": "1.2.3",
        "instance": "1.2.3.4",
        "frame": "2",
        "regions": "1,2,3,4;5,6.25,7,8",
        "collection": "default",
        "window": window,
        "search": search,
        "beside": "1.2.5",
        "beside_frame": "3",
        "view": "invert,flip,270",
        "query_collection": "teaching",
        "beside_collection": "lung.1",
    }
    assert archive.client.get("/", query_string=asked).status_code == 200
    browser, own = archive.stranger, {"Sec-Fetch-Site": "same-origin"}
    assert browser.get("/", query_string=asked, headers=own).status_code == 401
    token = archive.engine.keys.create_login(Identity(PAGE_LOGIN, EVERYDAY), 60)
    location = browser.post("/login", data={"token": token}, headers=own).headers["Location"]
    assert dict(parse_qsl(urlsplit(location).query)) == asked


def test_a_link_of_another_site_takes_no_login_away(archive: Archive) -> None:
    answer = archive.stranger.get("/?study=1.2.3", headers={"Sec-Fetch-Site": "cross-site"})
    assert onwards(answer.text) == "/?study=1.2.3"
    assert "Set-Cookie" not in answer.headers


def test_a_browser_that_does_not_say_where_a_link_is_from_keeps_its_login(archive: Archive) -> None:
    answer = archive.stranger.get("/?study=1.2.3")
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "query",
    [
        "study=1 2",
        "patient=4711",
        "region=1",
        "study=1&study=2",
        "regions=1,2,3",
        "window=1,2",
        "window=1,2,mm",
        "window=nan,2,HU",
        "window=1,99,percent",
        "collection=a b",
        "beside=1 2",
        "beside_frame=0",
        "beside_collection=a b",
        "view=",
        "view=flip,invert",
        "view=45",
        "query_collection=../x",
        "search={",
        "search=[]",
        'search={"k":3}',
        'search={"sop_instance_uid":"1.2","k":0}',
        'search={"sop_instance_uid":"1.2","region":[1,2]}',
        'search={"sop_instance_uid":"1.2","patient_id":"GEHEIM"}',
        'search={"sop_instance_uid":"1.2","mode":"' + "x" * 2000 + '"}',
    ],
)
def test_an_address_of_the_page_that_cannot_be_used_is_refused(archive: Archive, query: str) -> None:
    assert archive.client.get(f"/?{query}").status_code in (400, 422)
    strange = archive.stranger.get(f"/?{query}", headers={"Sec-Fetch-Site": "same-origin"})
    assert (strange.status_code, "Set-Cookie" in strange.headers) == (401, False)


@pytest.mark.parametrize(
    "search", ["{", "[" * 1400, '{"sop_instance_uid": "1.2", "mode": "' + "x" * 2000 + '"}']
)
def test_a_search_that_cannot_be_read_is_not_quoted_and_what_is_taken_is_told(
    archive: Archive, search: str
) -> None:
    told = archive.client.get("/", query_string={"search": search}).get_json()
    assert told["detail"] == "search is a text that cannot be used."
    assert told["remedy"] == "Give the JSON of a search by an indexed frame."


def test_no_cookie_grows_beyond_what_a_browser_keeps(archive: Archive) -> None:
    letters = random.Random(0).sample([chr(code) for code in range(0x4E00, 0x9FA5)], 1260)
    labels = ["".join(letters[start : start + 60]) for start in range(0, len(letters), 60)]
    client, kept = archive.stranger, {"Sec-Fetch-Site": "same-origin"}
    for some in (labels[:2], labels):
        search = json.dumps({"sop_instance_uid": "1.2", "filters": {"label": some}}, ensure_ascii=False)
        assert archive.client.get("/", query_string={"search": search}).status_code == 200
        client.get("/", query_string={"search": search}, headers=kept)
        cookie = client.get_cookie("hmar_session")
        assert (cookie is not None, len(some)) in ((True, 2), (False, 21))
        assert cookie is None or len(cookie.value) < 4000
