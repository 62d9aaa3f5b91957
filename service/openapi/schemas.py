"""JSON Schema of the models: pydantic's, without titles that repeat names and defaults that say nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

PREFIX = "#/components/schemas/"
Schema = dict[str, Any]


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        return _untitled(super().model_schema(schema))

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        return _untitled(super().enum_schema(schema))

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """None stands for a field that was left out, and is no value that could be sent."""
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


class Schemas:
    """The schemas of models.

    Parameters
    ----------
    asked, given : collection of types
        Models of requests and of answers.
    """

    def __init__(self, asked: Collection[type[BaseModel]], given: Collection[type[BaseModel]]) -> None:
        inputs: list[tuple[type[BaseModel], JsonSchemaMode]] = [
            *((model, "validation") for model in dict.fromkeys(asked)),
            *((model, "serialization") for model in dict.fromkeys(given)),
        ]
        self._schemas, found = models_json_schema(
            inputs, ref_template=f"{PREFIX}{{model}}", schema_generator=_Generator
        )
        self._components: dict[str, Schema] = found["$defs"]

    def of(self, model: type[BaseModel], mode: Literal["validation", "serialization"]) -> Schema:
        """Return the schema of a model, most often a reference to a component."""
        return self._schemas[(model, mode)]

    def fields_of(self, model: type[BaseModel], mode: Literal["validation", "serialization"]) -> Schema:
        """Return the whole schema of a model that is none itself in the document, but by its fields."""
        name = self.of(model, mode)["$ref"].removeprefix(PREFIX)
        return self._components[name]

    def used_by(self, written: object) -> dict[str, Schema]:
        """Return the components that a part of the document refers to, at once or through others."""
        used: dict[str, Schema] = {}
        ahead = list(_references(written))
        while ahead:
            name = ahead.pop()
            if name not in used:
                used[name] = self._components[name]
                ahead += _references(used[name])
        return dict(sorted(used.items()))


def _references(node: object) -> Iterator[str]:
    """Go through the names of the components that a part of the document refers to."""
    if isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str) and target.startswith(PREFIX):
            yield target.removeprefix(PREFIX)
        node = list(node.values())
    if isinstance(node, list):
        for inner in node:
            yield from _references(inner)


def _untitled(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {name: value for name, value in schema.items() if name != "title"}
