"""RadImageNet's spellings of a pathology, and the 16 CT patterns of the published comparisons.

The patterns are those of ACIR (arXiv 2503.09370), taken over by HMAR (arXiv 2603.16679).
"""

from __future__ import annotations

import re

_ABDOMEN: dict[str, tuple[str, ...]] = {
    "abd_normal": ("normal", "abd_normal"),
    "bladder_pathology": ("bladder_pathology",),
    "bowel_abnormality": ("bowel_abnormality", "bowel_abnormalities"),
    "liver_lesion": ("liver_lesion", "liver_lesions"),
    "osseous_neoplasm": ("osseous_neoplasm", "osseous_neoplasms"),
    "ovarian_pathology": ("ovarian_pathology",),
    "pancreatic_lesion": ("pancreatic_lesion", "pancreatic_lesions"),
    "prostate_lesion": ("prostate_lesion", "prostate_lesions"),
    "renal_lesion": ("renal_lesion", "renal_lesions"),
    "splenic_lesion": ("splenic_lesion", "splenic_lesions", "splenic_leison"),
    "uterine_pathology": ("uterine_pathology",),
}
_LUNG: dict[str, tuple[str, ...]] = {
    "lung_normal": ("normal", "lung_normal"),
    "airspace_opacity": ("airspace_opacity", "airspace_opacities"),
    "bronchiectasis": ("bronchiectasis",),
    "interstitial_lung_disease": ("interstitial_lung_disease",),
    "nodule": ("nodule", "nodules", "lung_nodule"),
}

CT_PATTERNS = (*_ABDOMEN, *_LUNG)
"""The 16 classes, under the names of the published comparisons in lower case."""

_REGIONS = {"abd": _ABDOMEN, "abdomen": _ABDOMEN, "lung": _LUNG, "chest": _LUNG}
_PATTERN_OF = {
    (region, alias): pattern
    for region, patterns in _REGIONS.items()
    for pattern, aliases in patterns.items()
    for alias in aliases
}


def plain_pathology(folder: str, region: str, modality: str) -> str:
    """Return a pathology's folder name in its plain form.

    Lower case; without the region or "abd" and a hyphen before it, the modality after it, and stray
    underscores: "abd-Liver_Lesion_CT_" and "liver_lesion" are the same.

    Parameters
    ----------
    folder : str
        As it stands in the path.
    region, modality : str
        The folders above it.
    """
    name = re.sub(r"[\s_]+", "_", folder.lower()).strip("_")
    name = name.removesuffix(f"_{modality.lower()}").strip("_")
    for prefix in ("abd-", f"{region.lower()}-"):
        name = name.removeprefix(prefix)
    return name.replace("-", "_").strip("_")


def ct_pattern(region: str, pathology: str) -> str | None:
    """Return which of :data:`CT_PATTERNS` a plain region and pathology of CT are, or None."""
    return _PATTERN_OF.get((region, pathology))
