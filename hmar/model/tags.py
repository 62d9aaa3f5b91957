"""DICOM tags as the router reads them: indices of modality and body region."""

from __future__ import annotations

MODALITIES = ("CT", "MR", "XR", "US", "OTHER")
REGIONS = ("HEAD", "NECK", "CHEST", "ABDOMEN", "PELVIS", "LIMB")

_MODALITY_ALIASES = {"CR": "XR", "DX": "XR", "RF": "XR", "MG": "XR", "PX": "XR", "XA": "XR"}
_REGION_WORDS = {
    "HEAD": ("HEAD", "BRAIN", "SKULL", "ORBIT", "SINUS", "FACE"),
    "NECK": ("NECK", "CSPINE", "THYROID", "LARYNX"),
    "CHEST": ("CHEST", "THORAX", "LUNG", "HEART", "BREAST", "TSPINE", "RIB"),
    "ABDOMEN": ("ABDOMEN", "LIVER", "KIDNEY", "PANCREAS", "SPLEEN", "LSPINE"),
    "PELVIS": ("PELVIS", "PROSTATE", "BLADDER", "UTERUS", "HIP", "SSPINE"),
    "LIMB": (
        "KNEE",
        "LEG",
        "FOOT",
        "ANKLE",
        "ARM",
        "HAND",
        "WRIST",
        "ELBOW",
        "SHOULDER",
        "FEMUR",
        "EXTREMITY",
    ),
}


def modality_index(modality: str) -> int | None:
    """Return the index of a DICOM Modality in MODALITIES; None for one without information (empty, "OT")."""
    name = _MODALITY_ALIASES.get(modality, modality)
    if name in MODALITIES:
        return MODALITIES.index(name)
    return None if name in ("", "OT") else MODALITIES.index("OTHER")


def region_index(body_part: str | None) -> int | None:
    """Return the index of a BodyPartExamined in REGIONS; None if it names none of them, or several."""
    text = (body_part or "").upper()
    found = {region for region, words in _REGION_WORDS.items() if any(word in text for word in words)}
    return REGIONS.index(found.pop()) if len(found) == 1 else None
