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
from service.auth import OPEN_ENDPOINTS
from service.openapi.document import template
from service.problem_table import all_problems
from tests.phantoms import ct_file, series_uid, sop_uid
from tests.samples import samples
from tests.service.conftest import Archive
from tests.service.contract import SPEC, check

OPERATIONS = [
    (path, method, operation)
    for path, methods in SPEC["paths"].items()
    for method, operation in methods.items()
]
each_operation = pytest.mark.parametrize(
    "operation", [one for _, _, one in OPERATIONS], ids=lambda one: str(one["operationId"])
)


@pytest.mark.slow
def test_the_specification_is_valid() -> None:
    validate(SPEC)


def test_every_rule_of_the_application_is_described_and_no_other(archive: Archive) -> None:
    served = {
        (template(rule.rule), method.lower())
        for rule in archive.app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(path, method) for path, method, _ in OPERATIONS}


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names)


@each_operation
def test_an_operation_has_a_summary_a_known_tag_and_all_its_problems(operation: dict[str, Any]) -> None:
    assert operation["summary"]
    assert {tag["name"] for tag in SPEC["tags"]} >= set(operation["tags"])
    statuses = set(operation["responses"])
    assert statuses >= {"400", "408", "422", "429", "500", "503"}
    assert ("401" in statuses) or operation.get("security") == []
    assert ("413" in statuses) or ("requestBody" not in operation)


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_the_path_of_an_operation_names_its_parameters(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    named = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "path"]
    assert named == re.findall(r"{(\w+)}", path), method


def test_what_needs_no_key_is_what_the_program_leaves_open(archive: Archive) -> None:
    rules = archive.app.url_map.iter_rules()
    is_open = {(template(rule.rule), method) for rule in rules if rule.endpoint in OPEN_ENDPOINTS
               for method in rule.methods or ()}  # fmt: skip
    for path, method, operation in OPERATIONS:
        assert (operation.get("security") == []) == ((path, method.upper()) in is_open), path


@each_operation
def test_an_example_of_a_body_is_one(operation: dict[str, Any]) -> None:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "example" in content:
            root = {**content["schema"], "components": SPEC["components"]}
            Draft202012Validator(root).validate(content["example"])


def test_every_body_of_json_has_an_example() -> None:
    bodies = [operation.get("requestBody", {}).get("content", {}) for _, _, operation in OPERATIONS]
    kinds = [content for body in bodies for kind, content in body.items() if kind == "application/json"]
    assert len(kinds) == 16
    assert all("example" in content for content in kinds)


def test_every_object_of_a_request_or_an_answer_has_known_fields_alone() -> None:
    for name, schema in SPEC["components"]["schemas"].items():
        if schema.get("type") == "object":
            assert schema["additionalProperties"] is False, name
            for field, described in schema["properties"].items():
                assert "title" not in described, (name, field)
                assert described.get("default", ...) is not None, (name, field)


def test_every_problem_is_listed_and_explained_and_no_other() -> None:
    kind = SPEC["components"]["schemas"]["Problem"]["properties"]["type"]
    slugs = [problem.slug for problem in all_problems()]
    assert kind["enum"] == [f"/problems/{slug}" for slug in slugs]
    assert re.findall(r"^- ([a-z-]+) \(", kind["description"], re.MULTILINE) == slugs


def test_filters_and_hits_have_every_property_of_the_table() -> None:
    schemas = SPEC["components"]["schemas"]
    shown = [name for name, item in TABLE.items() if item.shown]
    assert list(schemas["Filters"]["properties"]) == list(TABLE)
    assert [name for name in schemas["Hit"]["properties"] if name in TABLE] == shown
    assert set(schemas["Hit"]["required"]) == set(schemas["Hit"]["properties"])


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


@pytest.mark.parametrize(
    ("path", "media_type"),
    [("/openapi.json", "application/json"), ("/api/v1/openapi.yaml", "application/yaml")],
)
def test_the_server_hands_the_description_out_to_whom_has_a_key(
    archive: Archive, path: str, media_type: str
) -> None:
    answer = archive.client.get(path)
    assert (answer.mimetype, yaml.safe_load(answer.text)) == (media_type, SPEC)
    assert archive.stranger.get(path).status_code == 401


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
