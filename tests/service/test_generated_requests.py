"""Requests made of the description, for every operation: each answer is one that the description promises."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmark.trust.related import related_body
from service.readers.related import RelatedParts
from tests.phantoms import ct_file
from tests.service.conftest import Archive, build_archive
from tests.service.contract import SPEC

pytestmark = pytest.mark.slow

EXAMPLES = 8
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def asked_for() -> Iterator[tuple[str, str, GenerationMode]]:
    """Go through all operations, with right requests, and with wrong ones where there is something to say."""
    for path, methods in SPEC["paths"].items():
        for method, operation in methods.items():
            yield path, method, GenerationMode.POSITIVE
            if "requestBody" in operation or "query" in [
                one["in"] for one in operation.get("parameters", ())
            ]:
                yield path, method, GenerationMode.NEGATIVE


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """An archive that the requests may change."""
    archive = build_archive(tmp_path_factory.mktemp("generated"))
    folder = archive.engine.settings.import_root / "chest"
    folder.mkdir(parents=True)
    (folder / "1.dcm").write_bytes(ct_file(1, 1))
    return archive


def test_generated_bodies_of_parts_are_ones_that_are_read() -> None:
    parts = RelatedParts(io.BytesIO(related_body(None, b"DICM")), b"part")
    assert [b"".join(part) for part in parts] == [b"DICM"]


@pytest.mark.parametrize(("path", "method", "mode"), list(asked_for()))
def test_every_answer_is_promised(asked: Archive, path: str, method: str, mode: GenerationMode) -> None:
    schema: Any = schemathesis.openapi.from_dict(SPEC)
    schema.app = asked.app
    headers = {"Authorization": f"Bearer {asked.key}"}

    @given(case=schema[path][method].as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    ask()
