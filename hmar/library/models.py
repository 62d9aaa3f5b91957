"""Models for Python: the shipped ones by name, and any other by its folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hmar.config import Settings
from hmar.errors import ModelError
from hmar.known_models import THUMBNAIL
from hmar.ports import FrameEncoder
from hmar.values.codes import EncodedFrame, Query, WindowIds
from hmar.values.frames import Frame, FrameInfo
from hmar.values.geometry import Box, BoxLike, region_of
from hmar.values.outline import Outline, Region, checked_outline
from hmar.wiring import load_encoder


@dataclass(frozen=True, slots=True)
class Model:
    """An encoder of frames; build one with :func:`load_model`. A :class:`hmar.ports.FrameEncoder`.

    Parameters
    ----------
    encoder : FrameEncoder
        What it passes every call to.
    """

    encoder: FrameEncoder

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.encoder.name

    @property
    def fingerprint(self) -> str:
        """Fingerprint of configuration and weights; codes of two fingerprints are never compared."""
        return self.encoder.fingerprint

    def encode(self, frame: Frame) -> EncodedFrame:
        """Encode a frame: the code of the whole, and one of every window that shows something."""
        return self.encoder.encode(frame)

    def image_query(self, frame: Frame) -> Query:
        """Encode a frame as a query for the whole image."""
        return self.encoder.image_query(frame)

    def region_query(self, frame: Frame, box: BoxLike | Outline) -> Query:
        """Encode a region of a frame as a query.

        Parameters
        ----------
        frame : Frame
        box : Box, tuple of float or Outline
            x, y, width, height, or the points of an outline, in pixels of the frame.

        Raises
        ------
        RegionError
            If the box is not four finite numbers, the outline not 3 to 256 finite points, or either lies
            outside the frame or has no area.
        """
        return self.encoder.region_query(frame, _region(box))

    def queries(self, frame: Frame, asked: Sequence[Sequence[BoxLike | Outline]]) -> list[Query]:
        """Encode a frame once as several queries.

        Parameters
        ----------
        frame : Frame
        asked : sequence of sequences of Box, tuple of float or Outline
            For each query its regions, which are searched for together; none for the whole image.

        Raises
        ------
        RegionError
            As :meth:`region_query`.
        """
        return self.encoder.queries(frame, [[*map(_region, regions)] for regions in asked])

    def spread(self, window_ids: WindowIds) -> WindowIds:
        """Return those of a frame's windows that stand for the whole frame in a search."""
        return self.encoder.spread(window_ids)

    def window_box(self, info: FrameInfo, window_id: int) -> Box:
        """Return the box of a window in source pixels, clipped to the frame."""
        return self.encoder.window_box(info, window_id)


def _region(given: BoxLike | Outline) -> Region:
    return checked_outline(given) if isinstance(given, Outline) else region_of(tuple(given))


def load_model(model: str | os.PathLike[str] | None = None, *, threads: int = 1) -> Model:
    """Load a model.

    Parameters
    ----------
    model : str or path, optional
        A shipped model's name, ``"thumbnail"`` for the baseline without learning, or the folder of a model
        that was trained. None is the shipped model that ``hmar serve`` uses by default.
    threads : int
        Threads for one frame, of the runtime, and from here on of numpy's linear algebra in this process.

    Raises
    ------
    ModelError
        If there is no such model, or its folder is incomplete or altered.
    """
    return Model(load_encoder(Settings(model_dir=_model_dir(model), encoder_threads=threads)))


def _model_dir(model: str | os.PathLike[str] | None) -> str:
    """Return a model as HMAR_MODEL_DIR names it."""
    if model is None:
        return ""
    name = os.fspath(model)
    if name == THUMBNAIL:
        return THUMBNAIL
    from hmar.encoder import shipped_models

    shipped = shipped_models()
    folder = shipped.get(name, Path(name))
    if not folder.is_dir():
        raise ModelError(
            f"There is no model {name!r}.",
            f"Give one of {', '.join([*shipped, THUMBNAIL])}, or a model's folder.",
        )
    return str(folder)
