"""The backbone as an ONNX graph, which the product serves without torch."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path

import onnx
import torch
from torch.export import Dim

from hmar.model.backbones.base import STRIDE, Backbone
from hmar.model.serving.runtime import INPUT, OUTPUT

_EXAMPLE_CELLS = (6, 8)
"""Rows and columns, in cells, of the image that the graph is traced with; it accepts any others."""


def export_backbone(path: Path, backbone: Backbone) -> None:
    """Write a backbone as one ONNX file with its weights inside.

    Parameters
    ----------
    path : Path
    backbone : Backbone
        For serving: its batch norms folded.
    """
    rows, columns = (cells * STRIDE for cells in _EXAMPLE_CELLS)
    with _quiet():
        torch.onnx.export(
            backbone,
            (torch.zeros(1, 3, rows, columns),),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({2: Dim.DYNAMIC, 3: Dim.DYNAMIC},),
            external_data=False,
            dynamo=True,
            verbose=False,
        )
    _forget_origin(path)


def _forget_origin(path: Path) -> None:
    """Remove the exporter's notes on the source files of each node, which hold paths of this machine."""
    model = onnx.load(path)
    for annotated in (model, model.graph, *model.graph.node, *model.graph.value_info):
        annotated.ClearField("metadata_props")
        annotated.ClearField("doc_string")
    onnx.save(model, path)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's warnings, which are about other networks and its own deprecations."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
