"""Names that a site shows from its PACS: asked for on demand, compared, told, and kept nowhere."""

from __future__ import annotations

from collections.abc import Callable, Collection

from hmar.dicom.deidentify import PatientHasher
from hmar.errors import ConflictError, NotFoundError, shown
from hmar.ports import PacsImages
from hmar.values.named_patients import NamedPatient


class PatientNames:
    """Tells who the patient of an indexed study is.

    Only the patient whose id is that of the images is told: a study that was de-identified, or whose UID is
    that of another patient's in the PACS, gets no name.

    Parameters
    ----------
    site : str
        The PACS that is asked; empty where the site shows no names.
    pacs : callable
        Returns the PACS of the site.
    hasher : PatientHasher
        Makes the keys of the archive.
    """

    def __init__(self, site: str, pacs: Callable[[], PacsImages], hasher: PatientHasher) -> None:
        self._site, self._pacs, self._hasher = site, pacs, hasher

    def of(self, study_uid: str, patient_keys: Collection[str]) -> NamedPatient:
        """Return the patient of a study.

        Parameters
        ----------
        study_uid : str
        patient_keys : collection of str
            The keys of the patients that its images are of.

        Raises
        ------
        NotFoundError
            If the site shows no names, or the PACS does not have the study.
        ConflictError
            If the PACS has another patient than the images, or the images are not of one known patient.
        PacsError
            If the PACS does not answer.
        """
        if not self._site:
            raise NotFoundError(
                "This site shows no names of patients.", "HMAR_SHOW_NAMES names a PACS that has them."
            )
        found = self._pacs().patient(self._site, study_uid)
        if found is None:
            raise NotFoundError(
                f"The PACS {self._site} does not have study {shown(study_uid)}.",
                "Look for its patient where the images came from.",
            )
        if set(patient_keys) != {self._hasher.key(found.patient_id, found.issuer)}:
            raise ConflictError(
                f"The images of study {shown(study_uid)} do not have the patient id that the PACS "
                f"{self._site} has of it.",
                "They were de-identified, or the PACS has corrected the id: no name is told of them.",
            )
        return found
