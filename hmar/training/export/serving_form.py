"""From a model's weights to the files that serve it: the backbone's graph, the reference, the golden file."""

from __future__ import annotations

from pathlib import Path

from hmar.encoder import HmarEncoder
from hmar.model.bundle import BACKBONE, GOLDEN, TYPICALITY
from hmar.model.serving.model import read_served
from hmar.model.serving.typicality import write_reference
from hmar.model.weights import load_weights
from hmar.training.data.volumes import Volume
from hmar.training.export.golden import golden_frame, write_golden
from hmar.training.export.onnx_graph import export_backbone
from hmar.training.export.parity import check_parity
from hmar.training.export.reference import reference_of
from hmar.training.reports import Progress


def write_serving_form(folder: Path, volumes: list[Volume], progress: Progress) -> None:
    """Write the files that serve a model beside its weights: all but the card and the checksums.

    Parameters
    ----------
    folder : Path
        The model's, with its configuration and weights.
    volumes : list of Volume
        What it was trained on.
    progress : callable

    Raises
    ------
    ModelError
        If the codes of the serving form differ from the network's.
    """
    bundle = load_weights(folder)
    progress("exporting the backbone", 0, 0)
    export_backbone(folder / BACKBONE, bundle.network.backbone)
    model = read_served(folder)
    check_parity(model, bundle, golden_frame())
    reference = reference_of(
        model, volumes, lambda done, total: progress("describing training frames", done, total)
    )
    write_reference(folder / TYPICALITY, reference)
    write_golden(folder / GOLDEN, HmarEncoder(model))
