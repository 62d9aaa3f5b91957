"""/api/v1/labels: what the site says of its labels, and other labels for what is indexed."""

from __future__ import annotations

from flask import Blueprint

from hmar.label_notes import read_label_notes
from hmar.relabelling import labels_of_table, relabel
from hmar.wiring import Engine
from service.models.labels import LabelNote, LabelNotes, Relabelled, TableOfLabels, UidLabels
from service.operations.operation import operation


def blueprint(engine: Engine) -> Blueprint:
    """Return the routes of labels."""
    routes = Blueprint("labels", __name__, url_prefix="/api/v1/labels")

    @routes.get("")
    @operation(
        "listLabelNotes",
        "What the site says of its labels",
        tag="archive",
        gives="Names, differentials and notes of labels.",
        scope="search",
        description="They are of the site's file, for all who may search, and tell nothing of a patient.",
    )
    def notes() -> LabelNotes:
        listed = read_label_notes(engine.settings.label_notes_path)
        return LabelNotes(labels=[LabelNote.of(note.to_dict()) for note in listed])

    @routes.patch("")
    @operation(
        "changeLabels",
        "Give indexed images other labels",
        tag="archive",
        gives="How much was changed.",
        scope="label",
        description=(
            "By UIDs, or by a table in CSV. Each frame with a new label is a new entry: a delete and an add "
            "in the list of changes. Searches find the new labels when the answer comes."
        ),
        examples={
            UidLabels.media_type: {
                "level": "series",
                "uids": ["1.3.6.1.4.1.14519.5.2.1.1"],
                "label": "proven nodules",
            }
        },
    )
    def change(body: UidLabels | TableOfLabels) -> Relabelled:
        labels = body.labels() if isinstance(body, UidLabels) else labels_of_table(body.file)
        return Relabelled.of(relabel(engine.catalogue, labels, body.collection).to_dict())

    return routes
