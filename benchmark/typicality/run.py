"""``hmar bench typicality``: people and images that show nobody to rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmark.lesions.people import HALVES
from benchmark.types import Progress
from benchmark.typicality.gathered import Direction, gather_odd, gather_people
from benchmark.typicality.images import odd_images
from benchmark.typicality.people import Split, people_digest, read_people
from benchmark.typicality.rows import Row, direction_rows
from hmar.encoder import shipped_bundle
from hmar.errors import ConfigError, ParameterError
from hmar.known_models import THUMBNAIL
from hmar.model.serving.model import load_served
from hmar.values.plain import finite_json

_SEED = 7
_FEWEST = 2
"""Fewest people of a half."""


def run_typicality(
    folders: Sequence[Path],
    photographs: Path | None,
    each: int,
    split: Split,
    progress: Progress,
    threads: int = 1,
    model_dir: str = "",
) -> list[Row]:
    """Measure what is marked as unlike the training data.

    Parameters
    ----------
    folders : sequence of Path
        Of PERSON/NNN.dcm.
    photographs : Path or None
        Folder of further photographs.
    each : int
        Images of each kind of noise and text, and crops of each photograph; at least 1.
    split : str
        What the halves of the people follow from: "names" or "folders".
    progress : Progress
    threads : int
        Of the backbone's runtime.
    model_dir : str
        Folder of the model that is measured; empty stands for the shipped one.

    Returns
    -------
    list of dict
        Ready for JSON. A row is a rule (``name``) for frames or for regions (``scope``) on what is ``shown``,
        arriving in one way (``direction``).

    Raises
    ------
    ConfigError
        If the model has no reference.
    ParameterError
        If a half has fewer than two people who have a frame of some direction.
    ModelError, NotFoundError, DecodeError
        If the model, folders or files are missing, or cannot be read.
    """
    if model_dir == THUMBNAIL:
        raise ConfigError("HMAR_MODEL_DIR is 'thumbnail', which cannot tell what is typical.", "Unset it.")
    folder = Path(model_dir) if model_dir else shipped_bundle()
    model = load_served(folder, threads)
    data = people_digest(folders)
    images = list(odd_images(each, photographs, _SEED))
    directions, middle = gather_people(model, read_people(folders, split, progress))
    _check(directions)
    gather_odd(model, directions, images, middle, progress)
    same: Mapping[str, object] = {
        "split": split,
        "model": model.info.name,
        "model_fingerprint": model.info.fingerprint,
        "data": data,
    }
    return [
        {key: finite_json(value) for key, value in {"protocol": "typicality", **row, **same}.items()}
        for direction in directions.values()
        for row in direction_rows(direction, model.references.known.get(direction.kind))
    ]


def _check(directions: Mapping[str, Direction]) -> None:
    for name, direction in directions.items():
        for half in HALVES:
            count = len({one.person for one in direction.people if one.half == half})
            if count < _FEWEST:
                raise ParameterError(
                    f'{count} people in the half "{half}" have {name}.',
                    "Give folders of more people: a person's half follows from the folder's name, or with "
                    "--split folders from the folder of people.",
                )
