"""Small folders of people with lesions."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

from tests.phantoms import SIDE, ct_file

CHOOSE, REPORT = ("a", "b", "c"), ("e", "f", "g")
"""Names of people of either half."""
NODULE = (120.0, 90.0)


def lesion_mask(nodule: tuple[float, float] = NODULE, radius: float = 7.0) -> np.ndarray:
    y, x = np.mgrid[0:SIDE, 0:SIDE] + 0.5
    return (x - nodule[0]) ** 2 + (y - nodule[1]) ** 2 < radius**2


def write_mask(path: Path, mask: np.ndarray) -> None:
    Image.fromarray(mask.astype(np.uint8) * 255).save(path)


def with_modality(data: bytes, modality: str) -> bytes:
    file = pydicom.dcmread(io.BytesIO(data))
    file.Modality = modality
    buffer = io.BytesIO()
    file.save_as(buffer)
    return buffer.getvalue()


def write_person(
    root: Path, name: str, series: int, slices: int = 4, modality: str = "CT", first: int = 0
) -> None:
    """Write a person's slices from head to feet, each with a lesion outlined but for the last."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(slices):
        data = ct_file(series, number + 1, NODULE)
        path = folder / f"{first + number:03d}.dcm"
        path.write_bytes(data if modality == "CT" else with_modality(data, modality))
        if number < slices - 1:
            write_mask(folder / f"mask_{first + number:03d}.png", lesion_mask())


def write_people(root: Path, names: tuple[str, ...] = CHOOSE + REPORT, slices: int = 4) -> Path:
    for series, name in enumerate(names, start=1):
        write_person(root, name, series, slices)
    return root


def write_boxes(
    root: Path, rows: list[tuple[object, ...]], header: str = "file,x,y,width,height,label"
) -> None:
    with (root / "boxes.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header.split(","), *rows])
