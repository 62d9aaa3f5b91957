"""What a client does besides searching: health, lists, pictures, deletions, and what it keeps to itself."""

from __future__ import annotations

import io
import logging
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

import hmar
from hmar.errors import (
    AuthError,
    ConfigError,
    ForbiddenError,
    NotFoundError,
    ParameterError,
    RegionError,
    UnavailableError,
)
from hmar.values.deletion import Extent
from hmar.values.identity import Identity
from tests.hmar.client.conftest import Served
from tests.phantoms import PATIENT_ID, SIDE, series_uid, sop_uid

FRAME = hmar.IndexedFrame(sop_uid(1, 2))
NOWHERE = "http://127.0.0.1:9"


@pytest.mark.slow
def test_series_and_frames_are_listed_as_the_archive_lists_them(served: Served) -> None:
    client = served.client()
    with hmar.Archive(served.archive.engine.settings.home, "thumbnail") as mine:
        assert client.series() == mine.series()
        assert client.series("default") == mine.series()
        assert client.series("elsewhere") == []
        listed = client.frames(series_uid(1))
        assert [one.to_dict() for one in listed] == [one.to_dict() for one in mine.frames(series_uid(1))]
    assert {(one.collection, one.info.series_uid) for one in listed} == {("default", series_uid(1))}
    with pytest.raises(NotFoundError):
        client.frames("1.2.3", "default")


@pytest.mark.slow
def test_a_picture_of_a_hit_is_a_png_of_its_size(served: Served) -> None:
    client = served.client()
    [hit] = client.search(FRAME, k=1)
    plain, narrow = client.picture(hit), client.picture(hit, window=(-600, 10))
    assert Image.open(io.BytesIO(plain)).size == (SIDE, SIDE)
    assert plain != narrow
    asked = urllib.request.Request(
        client.picture_url(hit), headers={"Authorization": f"Bearer {served.archive.key}"}
    )
    with urllib.request.urlopen(asked, timeout=30) as answer:
        assert answer.read() == plain
    with pytest.raises(NotFoundError):
        client.picture(hmar.IndexedFrame("1.2.3"))


@pytest.mark.slow
def test_pixels_and_pictures_are_those_of_an_archive_in_python(served: Served) -> None:
    client, engine = served.client(), served.archive.engine
    [hit] = client.search(FRAME, k=1)
    [entry] = engine.catalogue.find(hit.entry.info.sop_instance_uid, engine.encoder.fingerprint)
    here, there = engine.stored(entry), client.pixels(hit)
    assert (there.type, there.meaning) == (here.type, here.meaning)
    assert np.array_equal(there.values, here.values)
    for name in ("sop_instance_uid", "frame_number", "rows", "columns", "spacing", "position"):
        assert getattr(there.info, name) == getattr(here.info, name)
    small = Image.open(io.BytesIO(client.picture(hit, size=64, boxes=[hit.box, (1, 2, 3, 4)])))
    assert (small.size, small.mode) == ((64, 64), "RGB")
    with pytest.raises(RegionError):
        client.picture(hit, boxes=(0, 0, SIDE + 1, 1))
    with pytest.raises(ParameterError):
        client.picture(hit, size=65)
    with pytest.raises(NotFoundError):
        client.pixels(hmar.IndexedFrame("1.2.3"))


@pytest.mark.slow
def test_what_is_deleted_is_gone(own: Served) -> None:
    client = own.client()
    assert client.delete(instance_uid=sop_uid(1, 1)) == Extent(1, 1, 1, 1)
    assert client.delete(instance_uid=sop_uid(1, 1)) == Extent(0, 0, 0, 0)
    assert client.delete(series_uid=series_uid(1), collection="elsewhere") == Extent(0, 0, 0, 0)
    assert client.delete(series_uid=series_uid(1)) == Extent(3, 3, 1, 1)
    assert client.delete(patient_id=PATIENT_ID) == Extent(8, 8, 2, 2)
    assert client.series() == []


@pytest.mark.parametrize(
    "what", [{}, {"series_uid": "1.2", "patient_id": "x"}, {"study_uid": "1", "instance_uid": "2"}]
)
def test_exactly_one_thing_is_deleted(what: dict[str, str]) -> None:
    with pytest.raises(ParameterError, match="Give one of"):
        hmar.Client(NOWHERE, "hmar_x").delete(**what)  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_key_may_do_what_its_scopes_say(own: Served) -> None:
    key = own.archive.engine.keys.create(Identity("reader", frozenset({"search"}), None))
    reader = own.client(key)
    assert len(reader.search(FRAME, k=2)) == 2
    with pytest.raises(ForbiddenError, match="'delete'"):
        reader.delete(series_uid=series_uid(1))
    with pytest.raises(AuthError, match="not known") as refused:
        own.client("hmar_another").series()
    assert "hmar_another" not in str(refused.value)


@pytest.mark.slow
def test_health_needs_no_valid_key_and_is_false_where_nobody_answers(served: Served) -> None:
    assert served.client("hmar_another").ready() is True
    assert hmar.Client(NOWHERE, "hmar_x").ready() is False


@pytest.mark.slow
def test_threads_share_a_client(served: Served) -> None:
    with served.client() as client, ThreadPoolExecutor(4) as pool:
        found = list(
            pool.map(lambda number: client.search(hmar.IndexedFrame(sop_uid(1, number))), (1, 2, 3, 4))
        )
    assert [results.searched_frames for results in found] == [11] * 4


def test_server_and_key_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HMAR_SERVER", raising=False)
    monkeypatch.delenv("HMAR_API_KEY", raising=False)
    with pytest.raises(ConfigError, match="HMAR_API_KEY"):
        hmar.Client()
    monkeypatch.setenv("HMAR_API_KEY", "hmar_secret\n")
    assert repr(hmar.Client()) == "hmar.Client('http://127.0.0.1:8080')"
    monkeypatch.setenv("HMAR_SERVER", "https://pacs.example/hmar/")
    assert repr(hmar.Client()) == "hmar.Client('https://pacs.example/hmar')"
    assert repr(hmar.Client(NOWHERE)) == f"hmar.Client({NOWHERE!r})"


@pytest.mark.slow
def test_no_error_and_no_line_of_a_log_shows_the_key(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    texts = []
    for url, key in ((NOWHERE, "hmar_secret"), (served.url, "hmar_secret"), (served.url, "hmar_secret\nb")):
        with pytest.raises((UnavailableError, AuthError, ConfigError)) as raised:
            hmar.Client(url, key).search(FRAME)
        error: BaseException | None = raised.value
        while error is not None:
            texts.append(f"{error!r} {error}")
            error = error.__cause__
    client = hmar.Client(served.url, "hmar_secret")
    texts += [repr(client), repr(vars(client)), caplog.text]
    assert not any("hmar_secret" in text for text in texts)


@pytest.mark.parametrize(
    "url",
    [
        "pacs.example",
        "ftp://pacs.example",
        "http://",
        "http://pacs.example:port",
        "http://a:b@pacs.example",
        "http://pacs.example?a=b",
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        hmar.Client(url, "hmar_x")
    assert "a:b" not in str(refused.value)
