"""Writing the fast form of a model: a sealed folder with a card that says what it loses."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from hmar.model.bundle import CARD, ModelInfo, check_new_folder, read_info, verify
from hmar.model.fast import check_fast_form, write_fast_weights
from hmar.training.export.again import Exported, export_model
from hmar.training.reports import Progress
from hmar.training.typicality.card import without_typicality
from hmar.training.typicality.places import Place

_SECTION = """\
## Fast form
Weights of {base} ({fingerprint}), written by `hmar export-model --fast`.
Grid pixels are 1.0 mm wide in place of 0.75, cells 16 mm, windows squares of 32, 64 and 96 mm. Encoding takes
about three fifths of the time, and a frame has about three fifths of the windows. Codes cannot be compared
with those of {base}.

What it loses was measured on the shipped model 8d8f0809, on 39 people, with queries and archive encoded
alike. Tumours of other people are found less often: a share of .29 in place of .31 on CT and of .36 in place
of .40 on MR with 64 bits; with 128 of .32 in place of .33, which is not certain, and of .40 in place of .44.
The box of a hit is less exact: on the nodule of `hmar demo` its centre is 2.5 mm off in place of 1.6. Own
tumours were found alike.

The rest of this card is of {base}: cells, windows and figures in it are of its own grid.
"""


def check_fast(folder: Path, out: Path) -> None:
    """Raise what :func:`export_fast` raises for a model or a folder that it cannot use."""
    check_new_folder(out)
    verify(folder)
    check_fast_form(read_info(folder))


def export_fast(folder: Path, out: Path, places: Sequence[Place] | None, progress: Progress) -> Exported:
    """Write the fast form of a model.

    Weights are the model's. The golden file is made anew on the fast grid, and so is what typicality is
    measured from.

    Parameters
    ----------
    folder : Path
        The model's folder, which stays as it is.
    out : Path
        Folder to write; its name is the fast model's. It must not exist, or be empty.
    places : sequence of Place or None
        Frames that typicality is measured from; with None it is not told.
    progress : callable

    Raises
    ------
    ConfigError
        If ``out`` holds something.
    ModelError
        If the model is missing or altered, has thresholds, or is on another grid than the default.
    NotFoundError
        If the frames are too few to measure anything from.
    """
    check_fast(folder, out)
    try:
        write_fast_weights(folder, out)
        (out / CARD).write_text(_card((folder / CARD).read_text(), out.name, read_info(folder)))
        return export_model(out, places, progress)
    except BaseException:
        shutil.rmtree(out, ignore_errors=True)  # it was new, or empty: the same command can be given again
        raise


def _card(card: str, name: str, base: ModelInfo) -> str:
    """Return the card of the fast form: its own section before the base model's."""
    section = _SECTION.format(base=base.name, fingerprint=base.fingerprint)
    body = without_typicality(re.sub(r"\A# .*\n*", "", card))
    return f"# {name}\n\n{section}\n{body}"
