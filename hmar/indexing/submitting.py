"""Jobs are created and sent to the workers, and sent again where that was in vain."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from hmar.errors import UnavailableError
from hmar.ports import JobQueue, JobStore
from hmar.properties.kinds.labels import label_value
from hmar.values.entries import Origin
from hmar.values.jobs import JobRequest, Message
from hmar.values.names import checked_name
from hmar.values.patients import is_patient_key

QUEUED_FOR_S = 3600.0
"""Age at which a queued row's message counts as lost although other messages still wait."""
_log = logging.getLogger(__name__)


def submit(
    jobs: JobStore,
    queue: JobQueue,
    collection: str,
    origin: Origin,
    references: Sequence[str] | None = None,
    label: str | None = None,
    patients: Mapping[str, str] | None = None,
    request: JobRequest | None = None,
) -> str:
    """Create a job and send its first message; return the job's id.

    A broker that is down does not matter: the row is there, and a sweep sends the message later.

    Parameters
    ----------
    jobs, queue, collection, origin, references
        What is indexed, where to, and through what. With ``references`` the job keeps of ``origin`` only the
        source: no run over a folder takes it for its own.
    label : str, optional
        Given to the frames that the job adds.
    patients : mapping of str to str, optional
        Keys of patients (:class:`hmar.dicom.deidentify.PatientHasher`), by reference: given to the frames of
        files that name no patient themselves.
    request : JobRequest, optional
        Where the same one has created a job before, that job is returned.

    Raises
    ------
    ConflictError
        If another request of the same key has created a job.
    ParameterError
        If the collection's name or the label cannot be used.
    ValueError
        If a patient is not given by a key: an id must not be kept.
    """
    if not all(map(is_patient_key, (patients or {}).values())):
        raise ValueError("patients are given by their keys, not by their ids")
    checked_name("collection", collection)
    kept_label = None if label is None else label_value(label)
    kept_origin = origin if references is None else Origin(origin.source, "")
    job_id = jobs.create(collection, kept_origin, references, kept_label, patients, request=request)
    send(queue, [Message("expand", job_id)])
    return job_id


def sweep(jobs: JobStore, queue: JobQueue, queued_for_s: float) -> int:
    """Send a message again for each job and item that has stalled; return how many.

    While messages wait in the broker, a queued row most likely has its message among them: then only rows
    whose worker is gone, and very old ones, are sent again. Else a long job would be sent over and over.

    Parameters
    ----------
    queued_for_s : float
        Age at which a queued row counts as forgotten once no messages wait.
    """
    age = queued_for_s if queue.backlog() == 0 else max(queued_for_s, QUEUED_FOR_S)
    messages = jobs.overdue(age)
    queue.enqueue(messages)
    return len(messages)


def send(queue: JobQueue, messages: Sequence[Message]) -> None:
    """Send messages; where the broker does not take them, a sweep sends them later."""
    try:
        queue.enqueue(messages)
    except UnavailableError as error:
        _log.warning("%d messages wait for the next sweep: %s", len(messages), error.detail)
