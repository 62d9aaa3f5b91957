"""``python -m hmar.reporting.fork_server``: imports highdicom once, and forks a child when it is asked to."""

from __future__ import annotations

import io
import warnings

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

from hmar.decoding.forking import serve_forks
from hmar.dicom.charsets import load_charsets
from hmar.reporting.child import Request, make_documents, serve
from hmar.reporting.contents import Contents, Found, Image
from hmar.values.exports import KINDS
from hmar.values.geometry import Box


def main() -> None:
    """Serve on the descriptor in argument 1 for the process in argument 2."""
    serve_forks(warm_up, serve)


def warm_up() -> None:
    """Have everything imported and read that documents need late: a child can open no file."""
    load_charsets()
    image = Image("2.25.1", "2.25.2", "2.25.3", SecondaryCaptureImageStorage, 1)
    box = Box(0, 0, 1, 1)
    contents = Contents(
        kinds=KINDS,
        query=image,
        regions=(box,),
        hits=(Found(1, image, 0.0, ((box, 0.0),)), Found(2, image, 0.0, ())),
        model="none",
        model_fingerprint="none",
        software="0",
        mode="local",
        bits=128,
        search="exact",
        left_out=0,
        now="2000-01-01T00:00:00",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make_documents(Request(contents, _file(image), np.zeros((8, 8, 3), np.uint8)), 1 << 20)


def _file(image: Image) -> bytes:
    file = Dataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.StudyInstanceUID, file.SeriesInstanceUID = image.study_uid, image.series_uid
    file.SOPInstanceUID, file.SOPClassUID = image.sop_instance_uid, image.sop_class_uid
    stream = io.BytesIO()
    file.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


if __name__ == "__main__":
    main()
