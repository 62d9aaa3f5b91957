"""The structures that can be carried from one person to another, by name."""

from __future__ import annotations

from enum import Enum


class Tissue(Enum):
    """What a structure is made of, and so which HU are plausible in another person."""

    SOFT = "soft"
    """Takes up contrast agent, more or less, by the phase of the scan."""
    LUNG = "lung"
    BONE = "bone"


_SOFT = (
    *("liver", "spleen", "heart", "aorta", "inferior_vena_cava", "superior_vena_cava"),
    *("spinal_cord", "urinary_bladder", "prostate", "brain"),
)
_SOFT_PAIRED = (
    *("kidney", "autochthon", "iliopsoas", "gluteus_maximus", "gluteus_medius", "gluteus_minimus"),
)
_LUNG = ("trachea", "lung_middle_lobe_right", "lung_right", "lung_left")
_LUNG_PAIRED = ("lung_upper_lobe", "lung_lower_lobe")
_BONE = ("sternum", "sacrum", "costal_cartilages", "skull")
_BONE_PAIRED = ("hip", "scapula", "clavicula", "humerus", "femur")


def _table() -> dict[str, Tissue]:
    single = {Tissue.SOFT: _SOFT, Tissue.LUNG: _LUNG, Tissue.BONE: _BONE}
    paired = {Tissue.SOFT: _SOFT_PAIRED, Tissue.LUNG: _LUNG_PAIRED, Tissue.BONE: _BONE_PAIRED}
    table = {name: tissue for tissue, names in single.items() for name in names}
    return table | {
        f"{name}_{side}": tissue
        for tissue, names in paired.items()
        for name in names
        for side in ("left", "right")
    }


CARRIED = _table()
"""Structures that lie about alike in everybody, by their names in a training's vocabulary.

Left out are ribs and vertebrae, which are easily taken for their neighbours; stomach and bowel, which lie
elsewhere in everybody; what is too small for a map with control points 36 mm apart; and what not everybody
has, above all lesions.
"""
