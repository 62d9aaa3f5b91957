"""Archives in which searches are fast: of so many frames as that takes, most of which are of no file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from hmar.adapters.embedded_index import EmbeddedIndex
from hmar.values.codes import EncodedFrame
from hmar.values.entries import Origin
from hmar.wiring import Engine

FRAMES = 2500
"""Enough for fast searches for up to 30 frames: 2,000 frames are compared whole at least."""


@contextmanager
def fast_at_any_size() -> Iterator[None]:
    """Have the indexes of new engines search fast among however few windows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hmar.wiring.EmbeddedIndex", partial(EmbeddedIndex, fast_from=0))
        yield


def crowd(like: EncodedFrame, frames: int = FRAMES) -> list[EncodedFrame]:
    """Return frames with random codes, and the windows of another frame; ten of each series."""
    rng = np.random.default_rng(0)
    return [
        replace(
            like,
            info=replace(like.info, sop_instance_uid=f"2.25.7.{number}", series_uid=f"2.25.8.{number // 10}"),
            global_code=rng.integers(0, 256, like.global_code.shape, np.uint8),
            window_codes=rng.integers(0, 256, like.window_codes.shape, np.uint8),
        )
        for number in range(frames)
    ]


def add_crowd(engine: Engine, image: bytes) -> None:
    """Index a crowd like an image."""
    frame = engine.decoder.open(image).frame(1)
    engine.catalogue.append("crowd", crowd(engine.encoder.encode(frame)), Origin("local", "no/file"))
