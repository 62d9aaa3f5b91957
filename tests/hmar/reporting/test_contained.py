"""Documents are made of the query's file in a process of their own, which tells nothing of it in an error."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pydicom
import pytest

from hmar.decoding.limits import DecodeLimits
from hmar.decoding.messages import MessageError
from hmar.errors import DecodeError
from hmar.reporting.contained import NO_PICTURE, ContainedWriter, _documents
from hmar.reporting.contents import Contents, Found, Image
from hmar.values.exports import Document
from hmar.values.geometry import Box
from tests.phantoms import PATIENT_ID, PATIENT_NAME, ct_file, sop_uid

CT = "1.2.840.10008.5.1.4.1.1.2"
PICTURE = np.full((20, 30, 3), 99, np.uint8)


def image_of(series: int, number: int, frame_number: int | None = None) -> Image:
    file = pydicom.dcmread(io.BytesIO(ct_file(series, number)))
    return Image(file.StudyInstanceUID, file.SeriesInstanceUID, file.SOPInstanceUID, CT, frame_number)


BOX = Box(10.5, 20, 30, 40)
CONTENTS = Contents(
    kinds=("sr", "kos", "picture"),
    query=image_of(1, 1),
    regions=(BOX,),
    hits=(
        Found(1, image_of(1, 2), 7.5, ((BOX, 7.5),)),
        Found(2, image_of(2, 1, 4), 100 / 3, ()),
        Found(3, image_of(1, 2), 40.0, ((BOX, 40.0),)),
    ),
    model="a model",
    model_fingerprint="ab" * 32,
    software="1.0",
    mode="local",
    bits=128,
    search="exact",
    left_out=2,
    now="2026-01-02T03:04:05",
)


@pytest.fixture(scope="module")
def writer() -> Iterator[ContainedWriter]:
    writer = ContainedWriter(DecodeLimits(1 << 24))
    yield writer
    writer.close()


def parsed(document: Document) -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(document.data))


def edited(**values: object) -> bytes:
    file = pydicom.dcmread(io.BytesIO(ct_file(1, 1)))
    for keyword, value in values.items():
        setattr(file, keyword, value)
    stream = io.BytesIO()
    file.save_as(stream)
    return stream.getvalue()


def uids(documents: tuple[Document, ...]) -> list[str]:
    return [document.sop_instance_uid for document in documents]


def test_all_that_the_report_refers_to_is_evidence_of_other_studies_too(writer: ContainedWriter) -> None:
    report = parsed(writer.write(CONTENTS, ct_file(1, 1), PICTURE)[0])
    named = {
        item.ReferencedSOPInstanceUID
        for study in report.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert named == {sop_uid(1, 1), sop_uid(1, 2), sop_uid(2, 1)}
    assert "PertinentOtherEvidenceSequence" not in report
    text = str(report)
    assert "(0008,1160) Referenced Frame Number             IS: '4'" in text
    assert (report.ContentDate, report.ContentTime) == ("20260102", "030405")
    assert "33.3333" in text
    comment = report.ContentSequence[-1].TextValue
    assert comment.startswith("For research use only; not a diagnosis.")
    assert comment.endswith("3 hit(s); 2 more are not told here.")


def test_a_selection_has_images_of_the_querys_study_alone_each_once(writer: ContainedWriter) -> None:
    selection = parsed(writer.write(CONTENTS, ct_file(1, 1), PICTURE)[1])
    images = [item for item in selection.ContentSequence if item.ValueType == "IMAGE"]
    named = [item.ReferencedSOPSequence[0].ReferencedSOPInstanceUID for item in images]
    assert named == [sop_uid(1, 1), sop_uid(1, 2)]


def test_uids_follow_from_what_is_told_and_not_from_when(writer: ContainedWriter) -> None:
    file = ct_file(1, 1)
    first = uids(writer.write(CONTENTS, file, PICTURE))
    assert len(set(first)) == 3
    later = replace(CONTENTS, now="2027-01-01T00:00:00", kinds=("sr", "picture"))
    assert uids(writer.write(later, file, PICTURE)) == [first[0], first[2]]
    assert uids(writer.write(replace(CONTENTS, kinds=("sr",)), file, NO_PICTURE)) == first[:1]
    assert writer.write(CONTENTS, file, PICTURE) == writer.write(CONTENTS, file, PICTURE)
    others = (
        writer.write(replace(CONTENTS, hits=CONTENTS.hits[:1]), file, PICTURE),
        writer.write(replace(CONTENTS, model_fingerprint="cd" * 32), file, PICTURE),
        writer.write(CONTENTS, edited(PatientName="Other^Name"), PICTURE),
    )
    assert not {uid for made in others for uid in uids(made)} & set(first)
    assert uids(writer.write(CONTENTS, file, PICTURE + 1)) != first


def test_a_header_with_errors_is_told_as_far_as_it_can_be(writer: ContainedWriter) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        odd = edited(
            PatientBirthDate="01.02.1970",
            StudyTime="noon",
            PatientSex="W",
            PatientID="x" * 80,
            AccessionNumber="",
        )
        document = parsed(writer.write(CONTENTS, odd, PICTURE)[0])
        assert (document.PatientBirthDate, document.StudyTime, document.PatientSex) == ("", "", "")
        assert document.PatientID == "x" * 80
        assert document.AccessionNumber == ""


def test_every_document_says_whose_patient_id_it_is(writer: ContainedWriter) -> None:
    # The same id of another issuer is another patient's.
    said = {
        "IssuerOfPatientID": "HOSPITAL A",
        "StudyDescription": "CT chest",
        "PatientIdentityRemoved": "YES",
        "DeidentificationMethod": "a method",
    }
    for document in map(parsed, writer.write(CONTENTS, edited(**said), PICTURE)):
        assert {keyword: document.get(keyword) for keyword in said} == said


@pytest.mark.parametrize(("removed", "told"), [("NO", "NO"), ("YES", None), ("PERHAPS", None)])
def test_identity_is_said_to_be_removed_only_with_the_method(
    writer: ContainedWriter, removed: str, told: str | None
) -> None:
    file = edited(PatientIdentityRemoved=removed)
    for document in map(parsed, writer.write(CONTENTS, file, PICTURE)):
        assert document.get("PatientIdentityRemoved") == told


def test_a_date_of_acr_nema_is_told_in_the_form_of_dicom(writer: ContainedWriter) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = edited(StudyDate="2020.01.02", PatientBirthDate="1970.03.04")
    for document in map(parsed, writer.write(CONTENTS, file, PICTURE)):
        assert (document.StudyDate, document.PatientBirthDate) == ("20200102", "19700304")


def test_control_characters_become_spaces_for_an_id_must_not_become_another(writer: ContainedWriter) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        file = edited(PatientName="Doe^\x01Ann\r\n\x1b", PatientID="4\n711\x07 ", StudyID="A\tB")
    for document in map(parsed, writer.write(CONTENTS, file, PICTURE)):
        assert (str(document.PatientName), document.PatientID, document.StudyID) == (
            "Doe^ Ann",
            "4 711",
            "A B",
        )


@pytest.mark.parametrize("name", ["Yamada^Tarou=山田^太郎=やまだ^たろう", "Жук^Юлия", "Buc^Jérôme"])
def test_names_of_every_script_are_kept_in_utf_8(writer: ContainedWriter, name: str) -> None:
    file = edited(SpecificCharacterSet="ISO_IR 192", PatientName=name)
    for document in map(parsed, writer.write(CONTENTS, file, PICTURE)):
        assert (str(document.PatientName), document.SpecificCharacterSet) == (name, "ISO_IR 192")


@pytest.mark.parametrize(
    ("charset", "codec", "name"),
    [
        (["", "ISO 2022 IR 87"], "iso2022_jp", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("ISO_IR 144", "iso8859_5", "Жук^Юлия"),
        ("GB18030", "gb18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_are_read_in_the_character_set_of_the_file(
    writer: ContainedWriter, charset: str | list[str], codec: str, name: str
) -> None:
    # A process that can open no file cannot fetch a codec either: it has to be there before.
    file = edited(SpecificCharacterSet=charset, PatientName=name)
    assert name.rpartition("=")[2].encode(codec).removesuffix(b"\x1b(B") in file
    for document in map(parsed, writer.write(CONTENTS, file, PICTURE)):
        assert str(document.PatientName) == name


def test_nothing_else_of_the_header_is_copied(writer: ContainedWriter) -> None:
    file = edited(PatientAddress="Secret Street 1", InstitutionName="A Hospital", PatientComments="Secret")
    for document in writer.write(CONTENTS, file, PICTURE):
        assert b"Secret" not in document.data
        assert b"A Hospital" not in document.data


def test_another_file_than_the_querys_is_refused(writer: ContainedWriter) -> None:
    with pytest.raises(DecodeError, match="UIDs that it is indexed by"):
        writer.write(CONTENTS, ct_file(1, 2), PICTURE)


@pytest.mark.parametrize("cut", [0, 100, 140, 500])
def test_a_damaged_file_is_an_error_that_names_no_patient(writer: ContainedWriter, cut: int) -> None:
    with pytest.raises(DecodeError) as raised:
        writer.write(CONTENTS, ct_file(1, 1)[:cut], PICTURE)
    assert PATIENT_ID not in str(raised.value)
    assert str(PATIENT_NAME) not in str(raised.value)


def test_a_process_that_ends_is_one_failed_export(writer: ContainedWriter) -> None:
    small = ContainedWriter(DecodeLimits(1 << 24, memory_mb=1))
    with pytest.raises(DecodeError, match="No document can be made"):
        small.write(CONTENTS, ct_file(1, 1) + bytes(64 << 20), PICTURE)
    small.close()
    assert len(writer.write(CONTENTS, ct_file(1, 1), PICTURE)) == 3


TOLD = ["kos", "1.2.3", CONTENTS.query.study_uid, "1.3", "1.4", 3]


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        [None],
        [5],
        [{}],
        ["kos"],
        [["kos"]],
        [TOLD, TOLD],
        [TOLD[:5]],
        [[*TOLD, 0]],
        [["sr", *TOLD[1:]]],
        [[["kos"], *TOLD[1:]]],
        [["kos", "Mustermann", *TOLD[2:]]],
        [["kos", "1.2.3", "1.9", *TOLD[3:]]],
        [[*TOLD[:3], {}, "1.4", 3]],
        [[*TOLD[:5], 2]],
        [[*TOLD[:5], 4]],
        [[*TOLD[:5], -3]],
        [[*TOLD[:5], True]],
        [[*TOLD[:5], "3"]],
    ],
    ids=str,
)
def test_documents_that_were_not_asked_for_are_no_answer(told: Any) -> None:
    asked = replace(CONTENTS, kinds=("kos",))
    assert _documents([TOLD], b"abc", asked)[0].data == b"abc"
    with pytest.raises(MessageError):
        _documents(told, b"abc", asked)
