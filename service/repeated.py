"""The same request again: what it is known by."""

from __future__ import annotations

import hashlib
import json

from hmar.values.jobs import JobRequest
from service.models.jobs import FilesJob, FolderJob


def job_request(key: str | None, who: str, asked: FolderJob | FilesJob) -> JobRequest | None:
    """Return what a request for a job is known by, None where it has no key.

    Parameters
    ----------
    key : str or None
        The Idempotency-Key. The keys of one client mean nothing for another.
    who : str
        Name of the API key or login.
    asked : FolderJob or FilesJob
        What is asked for. A form differs in its bytes each time that it is sent.
    """
    if key is None:
        return None
    what: object
    if isinstance(asked, FolderJob):
        what = asked.folder if asked.pacs is None else asked.origin
    else:
        what = [
            [hashlib.sha256(file.content).hexdigest(), file.name if asked.keep_names else ""]
            for file in asked.file
        ]
    return JobRequest(_digest([who, key]), _digest([asked.collection, asked.label, what]))


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()
