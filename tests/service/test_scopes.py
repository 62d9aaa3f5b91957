"""Every operation is refused to whom lacks the scope that the description says, and to nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Response

from hmar.values.identity import EVERYDAY, PAGE_LOGIN, SCOPES, Identity, Scope
from service.app import LAST_USES
from service.auth import OPEN_ENDPOINTS, check_declared
from service.operations.operation import Content, operation, operation_of
from tests.phantoms import ROOT, ct_file, series_uid, sop_uid
from tests.service.asking import (
    ASKS_PACS,
    KEY,
    REQUESTS,
    WEBHOOK,
    Target,
    client_of,
    limited,
    needed_scope,
    operations,
)
from tests.service.conftest import Archive, build_archive
from tests.service.contract import described_app
from tests.service.test_deletions import upload

PAGE = {"X-HMAR-Page": "1", "Sec-Fetch-Site": "same-origin"}
EACH = sorted(REQUESTS)
DENIED = [
    (operation_id, scope)
    for operation_id in EACH
    for scope in SCOPES
    if needed_scope(operation_id) not in ("any", scope) and scope != "admin"
]


def filled(home: Path) -> tuple[Archive, Target]:
    """Return an archive of one frame, and what is asked of it."""
    archive = build_archive(home)
    job_id = upload(archive, ct_file(1, 1))
    archive.engine.subscriptions.add(WEBHOOK, "https://192.0.2.1/")
    archive.engine.keys.create(limited(KEY, "search"))
    return archive, Target(f"{ROOT}.91", series_uid(1), sop_uid(1, 1), job_id, "default")


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, Target]:
    """An archive that is only asked for what it refuses."""
    return filled(tmp_path_factory.mktemp("scopes"))


def test_every_operation_that_needs_a_key_is_asked_here() -> None:
    keyed = {name for name in operations() if needed_scope(name) is not None}
    assert set(REQUESTS) == keyed


@pytest.mark.parametrize("operation_id", EACH)
def test_an_operation_declares_the_scope_that_the_description_says(operation_id: str) -> None:
    views = described_app().view_functions
    declared = {operation_of(view).operation_id: operation_of(view).scope for view in views.values()}
    assert needed_scope(operation_id) == declared[operation_id]


@pytest.mark.parametrize(("operation_id", "scope"), DENIED)
def test_a_key_without_the_scope_is_refused_and_told_which_one(
    asked: tuple[Archive, Target], operation_id: str, scope: Scope
) -> None:
    archive, target = asked
    needed = needed_scope(operation_id)
    client = client_of(archive, limited(f"{operation_id}-{scope}", scope))
    answer = REQUESTS[operation_id].ask(client, operation_id, target)
    body = answer.get_json(force=True)
    assert (answer.status_code, body["type"]) == (403, "/problems/forbidden")
    assert f"'{needed}'" in body["detail"]
    assert f"--scope {needed}" in body["remedy"]
    assert archive.rows() == 1


@pytest.mark.slow
@pytest.mark.parametrize("operation_id", EACH)
def test_a_key_with_the_scope_alone_is_answered_and_so_is_one_with_all(
    tmp_path: Path, operation_id: str
) -> None:
    needed = needed_scope(operation_id)
    for scope in SCOPES:
        if needed in ("any", scope) or scope == "admin":
            archive, target = filled(tmp_path / scope)
            client = client_of(archive, limited("who", scope))
            with REQUESTS[operation_id].ask(client, operation_id, target) as answer:
                answered = (404,) if operation_id in ASKS_PACS else (200, 201, 202, 204)
                assert answer.status_code in answered, (scope, answer.text)


@pytest.mark.parametrize("operation_id", EACH)
def test_nobody_is_answered_without_a_key(asked: tuple[Archive, Target], operation_id: str) -> None:
    archive, target = asked
    assert REQUESTS[operation_id].ask(archive.stranger, operation_id, target).status_code == 401


@pytest.mark.parametrize("operation_id", EACH)
def test_an_expired_key_is_no_key(asked: tuple[Archive, Target], operation_id: str) -> None:
    archive, target = asked
    client = archive.stranger
    key = archive.engine.keys.create(limited(f"expired-{operation_id}", "admin"), 0.0)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    assert REQUESTS[operation_id].ask(client, operation_id, target).status_code == 401


@pytest.mark.parametrize(
    ("identity", "status"),
    [
        (Identity(PAGE_LOGIN, EVERYDAY), 403),
        (Identity(PAGE_LOGIN, frozenset({"delete"})), 404),
        (Identity(PAGE_LOGIN, frozenset({"admin"})), 404),
    ],
)
def test_a_login_may_do_what_its_link_says(
    asked: tuple[Archive, Target], identity: Identity, status: int
) -> None:
    archive, _ = asked
    client = archive.stranger
    client.post("/login", data={"token": archive.engine.keys.create_login(identity, 60)})
    answer = client.post("/api/v1/deletions", json={"level": "series", "uid": "1.2.9"}, headers=PAGE)
    assert answer.status_code == status
    if status == 403:
        assert "hmar keys login --scope delete" in answer.get_json(force=True)["remedy"]


def test_an_application_with_a_route_that_declares_no_scope_does_not_start() -> None:
    app = described_app()
    check_declared(app)
    app.view_functions["forgotten"] = operation("forgotten", "", tag="page", gives=Content(""))(Response)
    with pytest.raises(RuntimeError, match="forgotten"):
        check_declared(app)


def test_an_open_route_that_declares_a_scope_does_not_start_either() -> None:
    app, endpoint = described_app(), min(OPEN_ENDPOINTS)
    app.view_functions[endpoint] = operation("open", "", tag="page", gives=Content(""), scope="search")(
        Response
    )
    with pytest.raises(RuntimeError, match=endpoint):
        check_declared(app)


def test_a_route_that_is_added_later_without_a_scope_is_closed(tmp_path: Path) -> None:
    archive = build_archive(tmp_path)
    view = operation("forgotten", "", tag="page", gives=Content(""))(lambda: Response("told"))
    archive.app.add_url_rule("/forgotten", "forgotten", view)
    with (
        archive.app.test_request_context("/forgotten", headers={"Authorization": f"Bearer {archive.key}"}),
        pytest.raises(RuntimeError, match="forgotten"),
    ):
        archive.app.preprocess_request()


def test_the_use_of_a_key_is_written_when_it_is_time_and_not_in_the_request(tmp_path: Path) -> None:
    archive = build_archive(tmp_path)
    uses = archive.app.extensions[LAST_USES]
    assert archive.client.get("/api/v1/series").status_code == 200
    assert [info.last_used_at for info in archive.engine.keys.listed()] == [None]
    uses.write()
    [info] = archive.engine.keys.listed()
    assert info.last_used_at is not None
    uses.write()
    assert archive.engine.keys.listed() == [info]
