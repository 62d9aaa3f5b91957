"""From a model's weights to the files that serve it: the backbone's graph and the golden file."""

from __future__ import annotations

from pathlib import Path

from hmar.encoder import HmarEncoder
from hmar.model.bundle import BACKBONE, GOLDEN
from hmar.model.serving.model import read_served
from hmar.model.weights import load_weights
from hmar.training.export.golden import golden_frame, write_golden
from hmar.training.export.onnx_graph import export_backbone
from hmar.training.export.parity import check_parity
from hmar.training.reports import Progress


def write_serving_form(folder: Path, progress: Progress) -> HmarEncoder:
    """Write what serves a model and follows from its weights; return the encoder, which tells no typicality.

    Parameters
    ----------
    folder : Path
        The model's, with its configuration and weights.
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
    encoder = HmarEncoder(model)
    write_golden(folder / GOLDEN, encoder)
    return encoder
