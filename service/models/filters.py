"""What a hit must be, made of the table of properties, and what of the query's own is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, PlainValidator, ValidationInfo, WithJsonSchema, create_model

from hmar.errors import ParameterError, shown
from hmar.properties.declaration import Property
from hmar.properties.kinds.kind import Condition
from hmar.properties.table import TABLE
from hmar.values.selection import MAX_EXCLUDED, Exclusion, Same
from service.errors import MalformedRequestError
from service.models.asked import Asked
from service.models.left_out import LeftOut
from service.models.names import UID_PATTERN
from service.models.remedy import Remedy
from service.readers.json_text import json_value


def _condition(item: Property) -> Any:
    """Return the field of a filter on a property: its kind reads it, and describes it."""

    def read(value: object) -> Condition:
        condition: Condition = item.kind.from_json(item.name, value)
        return condition

    schema = {"description": f"Only {item.finds}.", **item.kind.condition_schema()}
    return Annotated[Any, PlainValidator(read), WithJsonSchema(schema)], None


if TYPE_CHECKING:
    _Conditions = Asked
else:
    _Conditions = create_model(
        "Conditions", __base__=Asked, **{name: _condition(item) for name, item in TABLE.items()}
    )


class Filters(_Conditions):
    """What a frame must have to be found, all of it; applied before the k nearest are taken.

    A frame of which a value is unknown is not found by a filter on it. Upper and lower case are the same but
    in a label. In a form: JSON text.
    """

    def conditions(self) -> Mapping[str, Condition]:
        """Return the conditions that were asked for, by the names of properties."""
        return {name: getattr(self, name) for name in TABLE if name in self.model_fields_set}


_Uids = Annotated[
    list[Annotated[str, Field(strict=True, pattern=UID_PATTERN)]],
    Field(min_length=1, max_length=MAX_EXCLUDED),
    Remedy(f"Give a list of 1 to {MAX_EXCLUDED} UIDs."),
]


class Exclude(Asked):
    """Leaves out what belongs to the query's own instance, series, study or patient, and what is named.

    "patient" leaves out the study too. A query image without patient id is of the patient that the archive
    has for its SOP Instance UID; where it has none, or several, "patient" is refused. A UID that is not
    indexed leaves out nothing. In a form: JSON text.
    """

    same: LeftOut[Same] = None
    series_uids: LeftOut[_Uids] = None
    study_uids: LeftOut[_Uids] = None
    sop_instance_uids: LeftOut[_Uids] = None

    def exclusion(self) -> Exclusion:
        """Return what is left out."""
        return Exclusion(
            self.same, self.series_uids or (), self.study_uids or (), self.sop_instance_uids or ()
        )


class Only(Asked):
    """Finds only what belongs to what is named; a UID that is not indexed finds nothing.

    In a form: JSON text.
    """

    series_uids: _Uids


def _from_text(value: object, info: ValidationInfo) -> object:
    """Return an object that may come as JSON text, as a form has it."""
    if not isinstance(value, str):
        return value
    try:
        return json_value(value)
    except MalformedRequestError as error:
        raise ParameterError(
            f"{info.field_name} is {shown(value)}. {error.detail}", f"Give a JSON object. {error.remedy}"
        ) from error


FiltersField = Annotated[LeftOut[Filters], BeforeValidator(_from_text), Remedy("Give a JSON object.")]
OnlyField = Annotated[LeftOut[Only], BeforeValidator(_from_text), Remedy("Give a JSON object.")]
ExcludeField = Annotated[LeftOut[Exclude], BeforeValidator(_from_text), Remedy("Give a JSON object.")]
