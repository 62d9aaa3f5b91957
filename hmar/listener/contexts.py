"""What is negotiated: every storage class, in every transfer syntax that is decoded."""

from __future__ import annotations

from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pynetdicom import AllStoragePresentationContexts, build_context
from pynetdicom.presentation import PresentationContext
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined] # made when it is imported

from hmar.dicom.syntaxes import SYNTAXES

UNCOMPRESSED = (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
)


def contexts() -> list[PresentationContext]:
    """Return the presentation contexts that are accepted."""
    syntaxes = [*UNCOMPRESSED, *SYNTAXES]
    storage = [build_context(str(one.abstract_syntax), syntaxes) for one in AllStoragePresentationContexts]
    return [build_context(Verification), *storage]
