"""Small data sets on disk, of images that numpy draws."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pydicom
from PIL import Image

from tests.phantoms import ct_file

SIDES = ("train", "val", "test")
CT16 = {
    "CT/abd/abd-normal_ct": "abd_normal",
    "CT/abd/Bladder_Pathology_CT": "bladder_pathology",
    "CT/abd/bowel_abnormality_": "bowel_abnormality",
    "ct/ABD/liver_lesion_ct": "liver_lesion",
    "CT/abd/abd-Osseous_Neoplasm": "osseous_neoplasm",
    "CT/abd/ovarian_pathology__ct_": "ovarian_pathology",
    "CT/abd/PANCREATIC_LESION": "pancreatic_lesion",
    "CT/abd/prostate_lesion_ct": "prostate_lesion",
    "CT/abd/renal_lesion_ct": "renal_lesion",
    "CT/abd/splenic_leison_ct": "splenic_lesion",
    "CT/abd/uterine_pathology_ct": "uterine_pathology",
    "CT/lung/normal": "lung_normal",
    "CT/lung/Airspace_opacity": "airspace_opacity",
    "CT/lung/Bronchiectasis": "bronchiectasis",
    "CT/lung/interstitial_lung_disease": "interstitial_lung_disease",
    "CT/lung/Nodule": "nodule",
}
"""How folders of RadImageNet may spell the 16 CT patterns, and their names in the papers."""


def picture(path: Path, seed: int) -> None:
    """Write a small PNG or JPEG, by its suffix; every seed gives another."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(values).resize((40, 40), Image.Resampling.BICUBIC).save(path)


def write_list(path: Path, header: str, rows: Iterable[str]) -> None:
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")


def radimagenet_tree(root: Path, folders: Iterable[str], per_side: int = 1) -> dict[str, list[str]]:
    """Write a tree in RadImageNet's layout; return the file names of each side's list."""
    listed: dict[str, list[str]] = {}
    folders = list(folders)
    for side in SIDES:
        listed[side] = [
            f"radiology_ai/{folder}/{side}{number:06}.png" for folder in folders for number in range(per_side)
        ]
        for name in listed[side]:
            picture(root / name, seed=len(name) + hash_of(name))
        write_lists(root, side, listed[side])
    return listed


def write_lists(root: Path, side: str, names: Iterable[str]) -> None:
    write_list(root / f"RadiologyAI_{side}.csv", "filename,label", (f"{name},x" for name in names))


def hash_of(name: str) -> int:
    return sum(i * byte for i, byte in enumerate(name.encode()))


def dicom(path: Path, series: int, number: int, **elements: str | int | None) -> str:
    """Write a CT slice with other header elements, None to leave one out; return its SOPInstanceUID."""
    dataset = pydicom.dcmread(io.BytesIO(ct_file(series, number)))
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path)
    return str(dataset.SOPInstanceUID)
