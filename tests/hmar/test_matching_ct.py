"""A real CT beside a turned, smaller and noisy copy of a part of it, by the codes of the shipped model."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.uid import UID

from hmar import Archive
from hmar.config import Settings
from hmar.matching import match_series
from tests.downloads import lidc_slices

pytestmark = pytest.mark.slow

SLICE_MM = 2.5


def number_of(sop_instance_uid: str) -> int:
    return int(sop_instance_uid.rpartition(".")[2])


def altered(pixels: np.ndarray) -> np.ndarray:
    """Turn, move, shrink, and add noise."""
    air, (rows, columns) = float(pixels.min()), pixels.shape
    turned = Image.fromarray(pixels.astype(np.float32)).rotate(
        6, Image.Resampling.BILINEAR, translate=(15, -12), fillcolor=air
    )
    smaller = Image.new("F", (columns, rows), air)
    smaller.paste(turned.resize((460, 460), Image.Resampling.BILINEAR), (26, 26))
    noise = np.random.default_rng(0).normal(0, 60, pixels.shape)
    return np.asarray(smaller) + noise


def as_series(data: bytes, number: int, series: int) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(data))
    pixels = dataset.pixel_array
    if series == 2:
        pixels = altered(pixels).clip(-2000, 4000)
    dataset.PixelData = np.rint(pixels).astype("<i2").tobytes()
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = f"1.2.{series}", f"1.2.{series}.1"
    uid = UID(f"1.2.{series}.1.{number}")
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = uid
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def test_frames_beside_one_another_show_the_same_place_of_a_body(tmp_path: Path) -> None:
    numbers = {1: range(1, 91, 3), 2: range(46, 134, 3)}
    (tmp_path / "ct").mkdir()
    for series, ones in numbers.items():
        for number, data in zip(ones, lidc_slices(ones), strict=True):
            (tmp_path / "ct" / f"{series}-{number}.dcm").write_bytes(as_series(data, number, series))
    with Archive(settings=Settings(home=tmp_path / "home", redis_url="inline").checked()) as archive:
        archive.add(tmp_path / "ct")
        engine = archive.engine
        engine.searcher.refresh()
        found = match_series(engine.catalogue, engine.index, engine.encoder.fingerprint, "1.2.1.1", "1.2.2.1")
    pairs = [
        (number_of(one.frame.info.sop_instance_uid), number_of(one.beside.info.sop_instance_uid))
        for one in found.frames
    ]
    off = np.array([abs(own - beside) * SLICE_MM for own, beside in pairs if own >= 46])
    assert found.order == "forward"
    assert len(off) == 15
    assert off.mean() < 5
    assert off.max() <= 15
