"""A PACS that speaks DICOMweb (PS3.18): what it has is listed by QIDO-RS and read by WADO-RS."""

from hmar.adapters.dicomweb.sites import Site, read_sites
from hmar.adapters.dicomweb.source import PacsSource

__all__ = ["PacsSource", "Site", "read_sites"]
