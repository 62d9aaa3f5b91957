"""Moving to another model through the API, while it answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hmar.config import INLINE, Settings
from hmar.encoder import shipped_bundle
from hmar.errors import ModelError, OperatorError, UnavailableError
from hmar.search import Searcher
from hmar.thumbnail import ThumbnailEncoder
from hmar.values.entries import Origin
from hmar.values.identity import Identity, administrator
from hmar.values.models import ModelName
from hmar.wiring import build_engine
from service.app import create_app
from service.following_model import ModelFollower
from service.refresh import Refresher
from tests.phantoms import ct_file, sop_uid
from tests.service.asking import client_of, limited
from tests.service.conftest import Archive

SLICES = 3
OLD = ThumbnailEncoder().fingerprint
QUERY = {"sop_instance_uid": sop_uid(1, 1), "k": 10, "mode": "global"}


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[Archive]:
    """An archive that records nothing yet, whose settings name the baseline."""
    settings = Settings(home=tmp_path, model_dir="thumbnail", redis_url=INLINE).checked()
    engine = build_engine(settings)
    folder = settings.import_root / "chest"
    folder.mkdir(parents=True)
    for number in range(1, SLICES + 1):
        (folder / f"{number}.dcm").write_bytes(ct_file(1, number))
    engine.indexer.submit("default", Origin("import", "chest"), label="chest")
    yield Archive(engine, create_app(engine), engine.keys.create(administrator("tests")))
    engine.close()


def installed(archive: Archive) -> str:
    return archive.engine.known_models.install(shipped_bundle()).fingerprint


def ask(archive: Archive, path: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = archive.client.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == status, answer.get_json()
    told: dict[str, Any] = answer.get_json()
    return told


def collection(archive: Archive) -> dict[str, Any]:
    [one] = archive.client.get("/api/v1/collections").get_json()["collections"]
    told: dict[str, Any] = one
    return told


def roles(archive: Archive) -> dict[str, tuple[str, int]]:
    listed = archive.client.get("/api/v1/models").get_json()["models"]
    return {one["fingerprint"]: (one["role"], one["frames"]) for one in listed}


@pytest.mark.slow
def test_an_archive_moves_and_goes_back_through_the_api(moving: Archive) -> None:
    new = installed(moving)
    before = collection(moving)
    assert (before["model"]["fingerprint"], before["model"]["missing_frames"]) == (OLD, 0)
    assert before["next_model"] is None
    ask(moving, f"models/{new}/use", {}, status=409)
    begun = ask(moving, f"models/{new}/reindex", {}, status=202)
    assert (begun["missing_frames"], len(begun["jobs"])) == (SLICES, 1)
    job = moving.client.get(f"/api/v1/index-jobs/{begun['jobs'][0]}").get_json()
    assert (job["kind"], job["model_fingerprint"], job["counts"]["indexed"]) == ("reindex", new, SLICES)
    assert roles(moving) == {OLD: ("used", SLICES), new: ("next", SLICES)}
    assert collection(moving)["next_model"] == {
        "fingerprint": new,
        "name": "hmar-ct-128",
        "frames": SLICES,
        "missing_frames": 0,
    }
    page = ask(moving, "search/image", QUERY | {"limit": 1})
    assert (page["model"], page["unindexed_frames"]) == ("thumbnail-32", 0)
    ask(moving, f"models/{new}/use", {})
    assert moving.client.get("/readyz").get_json().get("checks", {}).get("model", "loading") == "loading"
    assert ask(moving, "search/image", QUERY)["model"] == "thumbnail-32", (
        "it answers until the new one is there"
    )
    assert moving.engine.follow() is not None
    assert moving.engine.follow() is None
    assert moving.engine.check_model()
    found = ask(moving, "search/image", QUERY)
    assert {found["model"], *(hit["model"] for hit in found["hits"])} == {"hmar-ct-128"}
    assert [hit["label"] for hit in found["hits"]] == ["chest"] * (SLICES - 1)
    ended = ask(moving, "search/image", QUERY | {"limit": 1, "cursor": page["next"]}, status=400)
    assert (ended["type"], "another model" in ended["detail"]) == ("/problems/cursor-not-usable", True)
    assert collection(moving)["model"]["fingerprint"] == new
    ask(moving, f"models/{OLD}/use", {})
    moving.engine.follow()
    assert ask(moving, "search/image", QUERY)["model"] == "thumbnail-32"


@pytest.mark.slow
def test_what_is_missing_under_the_model_in_use_is_told_with_each_answer(moving: Archive) -> None:
    new = installed(moving)
    ask(moving, f"models/{new}/reindex", {"collections": []}, status=202)
    (moving.engine.settings.import_root / "4.dcm").write_bytes(ct_file(2, 4))
    moving.engine.indexer.submit("default", Origin("import", "4.dcm"))
    ask(moving, f"models/{new}/use", {"accept_missing": SLICES - 1}, status=409)
    ask(moving, f"models/{new}/use", {"accept_missing": SLICES})
    moving.engine.follow()
    answer = ask(moving, "search/image", QUERY | {"sop_instance_uid": sop_uid(2, 4)})
    assert (answer["unindexed_frames"], answer["searched_frames"]) == (SLICES, 0)
    told = collection(moving)
    assert (told["frames"], told["model"]["missing_frames"]) == (1, SLICES)


@pytest.mark.slow
def test_a_model_that_nothing_is_indexed_under_finds_nothing_and_says_why(moving: Archive) -> None:
    new = installed(moving)
    ask(moving, f"models/{new}/use", {"accept_missing": SLICES})
    moving.engine.follow()
    for path, body in {
        "search/image": QUERY,
        "search/series": {"series_uid": "1.2"},
    }.items():
        problem = ask(moving, path, body, status=409)
        assert problem["type"] == "/problems/not-indexed-under-model"
        assert f"Of {SLICES} frames none" in problem["detail"]
    assert collection(moving)["frames"] == 0


def test_only_installed_models_can_be_named(moving: Archive) -> None:
    for name in ("nothing", "..", "0" * 32):
        for verb in ("use", "reindex"):
            answer = moving.client.post(f"/api/v1/models/{name}/{verb}", json={})
            assert answer.status_code == 404, name
    assert ask(moving, f"models/{OLD}/reindex", {"collections": ["nowhere"]}, status=404)


def test_a_key_for_some_collections_may_not_move_the_archive(moving: Archive) -> None:
    limited = client_of(moving, Identity("limited", frozenset({"admin"}), frozenset({"default"})))
    assert limited.get("/api/v1/models").status_code == 403
    for verb in ("use", "reindex"):
        assert limited.post(f"/api/v1/models/{OLD}/{verb}", json={}).status_code == 403
    [one] = limited.get("/api/v1/collections").get_json()["collections"]
    assert one["model"]["frames"] == SLICES
    other = client_of(moving, Identity("elsewhere", frozenset({"admin"}), frozenset({"other"})))
    assert other.get("/api/v1/collections").get_json() == {"collections": []}


@pytest.mark.slow
def test_a_request_keeps_the_model_that_it_began_with(
    moving: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = installed(moving)
    ask(moving, f"models/{new}/reindex", {}, status=202)
    engine = moving.engine
    switched = threading.Event()
    queries = ThumbnailEncoder.queries

    def switching(self: ThumbnailEncoder, *asked: Any) -> Any:
        """The archive moves while a request is encoded."""
        if not switched.is_set():
            switched.set()
            engine.reindexing.use(engine.known_models.named(new))
            assert engine.follow() is not None
        return queries(self, *asked)

    monkeypatch.setattr(ThumbnailEncoder, "queries", switching)
    answer = ask(moving, "search/image", QUERY)
    assert switched.is_set()
    assert {answer["model"], *(hit["model"] for hit in answer["hits"])} == {"thumbnail-32"}
    assert len(answer["hits"]) == SLICES - 1
    assert ask(moving, "search/image", QUERY)["model"] == "hmar-ct-128"


@pytest.mark.slow
def test_a_web_server_follows_and_leaves_no_snapshot_of_the_model_before(moving: Archive) -> None:
    engine = moving.engine
    new, now = installed(moving), [0.0]
    follower = ModelFollower(
        engine,
        lambda serving: Refresher(serving.searcher.refresh, serving.index, interval_s=0.01),
        lambda: now[0],
    )
    follower.start()
    follower.look()
    engine.searcher.refresh()
    engine.index.snapshot()
    ask(moving, f"models/{new}/reindex", {}, status=202)
    ask(moving, f"models/{new}/use", {})
    shelf, engine.known_models = engine.known_models, EmptyShelf()  # type: ignore[assignment]
    engine.encoders._load = engine.known_models.encoder  # type: ignore[assignment]
    engine.encoders._loaded.clear()
    follower.look()
    with pytest.raises(ModelError):
        engine.check_model()
    assert ask(moving, "search/image", QUERY)["model"] == "thumbnail-32"
    engine.known_models = shelf
    engine.encoders._load = lambda fingerprint: shelf.encoder(fingerprint, 1)
    follower.look()
    assert engine.behind, "it waits before it tries again"
    now[0] += 60
    follower.look()
    assert engine.check_model()
    assert ask(moving, "search/image", QUERY)["model"] == "hmar-ct-128"
    follower.stop()
    folders = [path for path in engine.settings.index_root.iterdir() if path.is_dir()]
    assert len(folders) == 1


def test_a_model_that_has_no_room_is_told_and_not_tried_again_at_once(moving: Archive) -> None:
    """The index of the next one stands beside that of the one in use: memory may not do."""
    engine, now, tries = moving.engine, [0.0], list[str]()
    assert engine.encoder.fingerprint == OLD
    engine.reindexing.use(ModelName("f" * 32, "large"), SLICES)

    def load(fingerprint: str) -> None:
        tries.append(fingerprint)
        raise MemoryError("patient")

    engine.encoders._load = load  # type: ignore[assignment]
    follower = ModelFollower(
        engine, lambda serving: Refresher(serving.searcher.refresh, serving.index), lambda: now[0]
    )
    for _ in range(3):
        follower.look()
    assert len(tries) == 1
    with pytest.raises(OperatorError, match="MemoryError") as told:
        engine.check_model()
    assert "patient" not in str(told.value)
    now[0] += 60
    follower.look()
    assert len(tries) == 2


@pytest.mark.slow
def test_a_model_whose_index_has_no_room_is_told_and_the_one_before_answers(
    moving: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(_searcher: Searcher) -> int:
        raise MemoryError

    engine, new = moving.engine, installed(moving)
    ask(moving, f"models/{new}/use", {"accept_missing": SLICES})
    with monkeypatch.context() as patch:
        patch.setattr(Searcher, "refresh", no_room)
        for told in (engine.follow, engine.check_model):
            with pytest.raises(UnavailableError, match="cannot be taken up"):
                told()
    assert ask(moving, "search/image", QUERY)["model"] == "thumbnail-32"
    assert engine.follow() is not None
    assert engine.check_model()


class EmptyShelf:
    """A machine on which no model is installed."""

    def encoder(self, fingerprint: str, *_: object) -> None:
        raise ModelError(f"There is no {fingerprint}.", "Install it.")


def test_the_card_of_a_model_is_told_to_whoever_is_let_in(archive: Archive) -> None:
    client = client_of(archive, limited("card-reader", "search"))
    shipped = next(one for one in archive.engine.known_models.listed() if one.name == "hmar-ct-128")
    card = client.get(f"/api/v1/models/{shipped.fingerprint}/card")
    assert (card.mimetype, "## Intended use" in card.text) == ("text/markdown", True)
    baseline = client.get(f"/api/v1/models/{archive.engine.encoder.fingerprint}/card").text
    assert "baseline without learning" in baseline
    assert client.get(f"/api/v1/models/{'0' * 32}/card").status_code == 404
