"""Index jobs: what is to be indexed, and how far it is."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from hmar.errors import ParameterError
from hmar.values.entries import Origin
from hmar.values.jobs import ItemState, JobState
from hmar.values.pulls import MODALITY, PACS, SITE, Pull
from hmar.values.uids import UID
from service.models.asked import Asked, FormBody, JsonBody
from service.models.files import NamedFile
from service.models.flags import Flag
from service.models.given import Given, Headers
from service.models.left_out import LeftOut
from service.models.names import DEFAULT_COLLECTION, Collection, CollectionName, Folder, Label
from service.models.numbers import Count
from service.models.times import StudyDate, Time
from service.models.whole_numbers import After, PageSize

FAILURES_SHOWN = 50
AnyUid = Annotated[str, Field(strict=True, pattern=f"^{UID}$")]
_STATES = (
    "indexed: with new frames. partial: some frames cannot be read, all others are indexed. unchanged: "
    "indexed before. skipped: no image. failed: not indexed. dead: given up after several attempts. "
    "cancelled: not tried."
)
_JOB_STATES = (
    "failed: the folder could not be listed. cancelled: files that were in hand may still be running."
)


class WantedOfPacs(Asked):
    """What is wanted of a PACS; all that is given must hold."""

    name: Annotated[
        str, Field(strict=True, pattern=f"^{SITE}$", description="Of the PACS, in the server's file of PACS.")
    ]
    modality: LeftOut[Annotated[str, Field(strict=True, pattern=f"^{MODALITY}$")]] = Field(
        default=None, description="Of series, such as CT."
    )
    since: LeftOut[StudyDate] = Field(default=None, description="First study date.")
    until: LeftOut[StudyDate] = Field(default=None, description="Last study date.")
    study_uid: LeftOut[AnyUid] = Field(default=None, description="One study.")
    series_uid: LeftOut[AnyUid] = Field(default=None, description="One series of this study.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        _ = self.pull
        return self

    @property
    def pull(self) -> Pull:
        """What is wanted."""
        return Pull(self.name, self.modality, self.since, self.until, self.study_uid, self.series_uid)


class FolderJob(JsonBody):
    """Index a folder of the server, or what is wanted of a PACS."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["folder"]}, {"required": ["pacs"]}]})

    folder: LeftOut[Folder] = None
    pacs: LeftOut[WantedOfPacs] = None
    collection: Collection = DEFAULT_COLLECTION
    label: LeftOut[Label] = None

    @model_validator(mode="after")
    def _check_one_of_both(self) -> Self:
        if (self.folder is None) == (self.pacs is None):
            raise ParameterError(
                "folder and pacs are both given." if self.folder else "There is neither folder nor pacs.",
                "Give a folder below HMAR_IMPORT_DIR, or what is wanted of a PACS.",
            )
        return self

    @property
    def origin(self) -> Origin:
        """Where the images are."""
        return Origin("import", self.folder or "") if self.pacs is None else Origin(PACS, str(self.pacs.pull))


class FilesJob(FormBody):
    """Index the files that are sent along."""

    file: list[NamedFile] = Field(min_length=1, repr=False)
    collection: Collection = DEFAULT_COLLECTION
    label: LeftOut[Label] = None
    keep_names: Flag = Field(
        default=False,
        description=(
            "Keep the names of the files, which may be patients', and tell them with the files of the job. "
            "They are forgotten after 30 days, and with the last frame of their file."
        ),
    )


class JobPath(Asked):
    """Which job."""

    job_id: str = Field(description="The job_id of the answer that took the job.")


class JobsQuery(Asked):
    """Which jobs."""

    state: LeftOut[JobState] = Field(default=None, description=_JOB_STATES)
    collection: LeftOut[Collection] = Field(default=None, description="Only those of this collection.")
    after: LeftOut[str] = Field(default=None, description="The next_after of the page before.")
    limit: PageSize = 100


class ItemsQuery(Asked):
    """Which files of a job."""

    state: LeftOut[ItemState] = Field(default=None, description=_STATES)
    after: After = 0
    limit: PageSize = 100


class Item(Given):
    """One file of a job."""

    item_id: int
    reference: str = Field(description="Name of the file without its folders; for an upload its SHA-256.")
    number: int | None = Field(description="Place of a sent file in its request, from 1.")
    name: str | None = Field(description="Name of a sent file, where keep_names was asked for.")
    state: ItemState = Field(description=_STATES)
    attempts: Count
    frames: Count = Field(description="Frames of the file that the archive holds.")
    reason: str | None = Field(description="Why it, or some of its frames, could not be indexed, and which.")


class ItemsPage(Given):
    """Files in order of id."""

    items: list[Item]
    next_after: int | None = Field(description="Null on the last page.")


class ListedJob(Given):
    """An index job, and how far it is."""

    job_id: str
    kind: Literal["index", "reindex"] = Field(
        description="index: new images. reindex: frames that the collection holds, under another model."
    )
    model_fingerprint: str | None = Field(description="The other model; null for new images.")
    collection: CollectionName
    label: str | None = Field(description="Given to the frames that the job adds.")
    state: JobState = Field(description=_JOB_STATES)
    finished: bool = Field(description="Whether nothing more will happen.")
    created_at: Time
    updated_at: Time
    total: Count = Field(description="Files known so far.")
    counts: dict[ItemState, Count] = Field(description="Files by state.")
    frames: Count = Field(description="Frames of the files done so far.")
    reason: str | None = Field(description="Why the job as a whole failed, or that it was cancelled.")


class JobProgress(ListedJob):
    """An index job while it is followed."""

    seconds_left: float | None


class JobsPage(Given):
    """Jobs, newest first."""

    jobs: list[ListedJob]
    next_after: str | None = Field(description="Null on the last page.")


class Job(ListedJob):
    """An index job, how far it is, and which of its files failed."""

    failed_items: list[Item] = Field(
        max_length=FAILURES_SHOWN, description="Files that failed or are indexed in part."
    )


class JobTaken(Headers):
    """Where the job is found."""

    location: str = Field(serialization_alias="Location", description="Address of the job.")
