"""The specification is valid, complete, and true of real answers."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from hmar.errors import ParameterError
from hmar.properties.conditions import conditions_of_json
from hmar.properties.declaration import Property
from hmar.properties.table import TABLE
from service.problems import EDGE_PROBLEMS, HTTP_PROBLEMS, INTERNAL, PROBLEMS
from service.specification import specification
from tests.phantoms import ct_file, series_uid, sop_uid
from tests.samples import samples
from tests.service.conftest import Archive

SPEC: dict[str, Any] = yaml.safe_load(specification())
SLUGS = {problem.slug for problem in PROBLEMS.values()}
SLUGS |= {problem.slug for problem, _ in HTTP_PROBLEMS.values()} | {INTERNAL.slug}
SLUGS |= {problem.slug for problem in EDGE_PROBLEMS.values()}


def check(value: object, schema: str) -> None:
    root = {"$ref": f"#/components/schemas/{schema}", "components": SPEC["components"]}
    Draft202012Validator(root).validate(value)


@pytest.mark.slow
def test_the_specification_is_valid() -> None:
    validate(SPEC)


def test_routes_and_specification_name_the_same_operations(archive: Archive) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in archive.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(("/api", "/healthz", "/readyz"))
    }
    written = {
        (path, method)
        for path, operations in SPEC["paths"].items()
        for method in operations
        if method in ("get", "post", "put", "delete")
    }
    assert served == written


def test_every_problem_is_listed_and_explained_and_no_other() -> None:
    kind = SPEC["components"]["schemas"]["Problem"]["properties"]["type"]
    assert {name.removeprefix("/problems/") for name in kind["enum"]} == SLUGS
    assert set(re.findall(r"^- ([a-z-]+) \(", kind["description"], re.MULTILINE)) == SLUGS


def test_filters_and_hits_have_every_property_of_the_table() -> None:
    schemas = SPEC["components"]["schemas"]
    shown = [name for name, item in TABLE.items() if item.shown]
    assert list(schemas["Filters"]["properties"]) == list(TABLE)
    assert [name for name in schemas["Hit"]["properties"] if name in TABLE] == shown
    assert set(schemas["Hit"]["required"]) == set(schemas["Hit"]["properties"])
    assert "# properties:" not in specification()


@pytest.mark.parametrize("item", TABLE.values(), ids=lambda item: item.name)
def test_the_schema_of_a_filter_or_value_takes_what_the_program_takes_and_gives(item: Property) -> None:
    def taken(schema: Any, value: object) -> bool:
        root = {**schema, "components": SPEC["components"]}
        return Draft202012Validator(root).is_valid(value)

    filters = SPEC["components"]["schemas"]["Filters"]["properties"][item.name]
    for asked in (["CT"], "F", True, {"min": 1}, {"from": "2020-01-01"}, {"max": 2.5}, {}, None, 1, [7], []):
        try:
            conditions_of_json({item.name: asked})
        except ParameterError:
            refused = True
        else:
            refused = False
        assert taken(filters, asked) is not refused, asked
    value = SPEC["components"]["schemas"]["Hit"]["properties"][item.name]
    assert all(taken(value, item.to_json(sample)) for sample in samples(item))
    assert taken(value, None) == (item.unknown is None)
    assert not taken(value, [])


def test_the_server_hands_the_specification_out(archive: Archive) -> None:
    assert yaml.safe_load(archive.client.get("/api/v1/openapi.yaml").text) == SPEC


@pytest.mark.parametrize("mode", ["global", "local", "auto"])
def test_search_answers_are_as_specified(archive: Archive, mode: str) -> None:
    body = {"sop_instance_uid": sop_uid(1, 1), "mode": mode, "k": 1000}
    check(archive.client.post("/api/v1/search/image", json=body).get_json(), "Answer")
    body["region"] = [50, 70, 20, 20]
    check(archive.client.post("/api/v1/search/region", json=body).get_json(), "Answer")
    check(archive.client.post("/api/v1/search/image", json=body).get_json(force=True), "Problem")


@pytest.mark.slow
def test_lists_and_jobs_are_as_specified(archive: Archive, empty_archive: Archive) -> None:
    for series in archive.client.get("/api/v1/series").get_json()["series"]:
        check(series, "Series")
    for frame in archive.client.get(f"/api/v1/series/{series_uid(1)}/frames").get_json()["frames"]:
        check(frame, "Frame")
    files = [(io.BytesIO(ct_file(1, 1)), "a"), (io.BytesIO(b"text"), "b")]
    job = empty_archive.client.post("/api/v1/index-jobs", data={"file": files})
    check(job.get_json(), "Job")
    for item in empty_archive.client.get(f"{job.headers['Location']}/items").get_json()["items"]:
        check(item, "Item")


def test_the_request_schemas_take_what_the_server_takes_and_refuse_a_bad_k() -> None:
    root = {"$ref": "#/components/schemas/RegionQuery", "components": SPEC["components"]}
    validator = Draft202012Validator(root)
    good = {"sop_instance_uid": "1.2", "region": [1, 2, 3.5, 4], "k": 3, "mode": "auto", "bits": 64}
    assert validator.is_valid(good)
    assert not validator.is_valid(good | {"k": 0})
