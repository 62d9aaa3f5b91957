from pathlib import Path

import pytest

from hmar.errors import ParameterError
from hmar.label_table import LabelRow, read_labels


def table(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, "utf-8")
    return path


def test_rows_name_files_or_uids_a_label_and_a_patient(tmp_path):
    path = table(
        tmp_path,
        "\ufeffFile,SOPInstanceUID,series_instance_uid,Label,Patient\n"
        "a/1.png,,,fracture , p1\n,1.2,1.3,no finding,\n",
    )
    assert read_labels(path) == [
        LabelRow(tmp_path / "a/1.png", (), "fracture", "p1", line=2),
        LabelRow(None, ("1.2", "1.3"), "no finding", None, line=3),
    ]


@pytest.mark.parametrize("header", ["filename,label", "path,label", "uid,label"])
def test_columns_may_be_named_as_tables_in_the_field_name_them(header, tmp_path):
    assert len(read_labels(table(tmp_path, f"{header}\nx,y\n"))) == 1


@pytest.mark.parametrize("column", ["patient", "Patient ID", "patient_id", "person", "group"])
def test_the_patient_may_have_an_issuer_and_the_column_another_name(column, tmp_path):
    text = f"file,age,label,{column},Issuer of Patient ID\na.png,40,x, 0815 ,Clinic\nb.png,,x,,\n"
    one, other = read_labels(table(tmp_path, text))
    assert (one.patient, one.issuer, one.line) == ("0815", "Clinic", 2)
    assert (other.patient, other.issuer, other.line) == (None, "", 3)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    text = 'path,label,patient\n\na.png,x,p\nb.png,"two\nlines",p\n'
    with pytest.raises(ParameterError, match=r"^Line 5 of labels\.csv: The label is 'two"):
        read_labels(table(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label,patient\na,b\n", "no table of labels"),
        ("path,patient\na,b\n", "no table of labels"),
        ("path,label\na,b\x07c\n", "Line 2 of labels.csv: The label is"),
        ("path,label,patient\na,b,GEHEIM\nc,d\n", "Line 3 of labels.csv has 2 cells, and the header has 3"),
        (
            "path,label,patient\na,left, lower,GEHEIM\n",
            "Line 2 of labels.csv has 4 cells, and the header has 3",
        ),
        ("path,label,patient,group\na,b,GEHEIM,d\n", "several columns for the patient: patient, group"),
        ("path,label,patient,Patient\na,b,GEHEIM,d\n", "several columns for the patient: patient, patient"),
        (
            "path,label,patient,issuer,Issuer of Patient ID\na,b,c,GEHEIM,d\n",
            "several columns for the issuer: issuer, issuerofpatientid",
        ),
        ("path,label,Label\na,b,c\n", "several columns for the label: label, label"),
        (
            "path,label,patient\na,b,GEHEIM\x1b[2J\n",
            "Line 2 of labels.csv has a patient that is not printable",
        ),
        ("path,label,patient,issuer\na,b,,GEHEIM\n", "Line 2 of labels.csv has the issuer of a patient id"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(text, message, tmp_path):
    with pytest.raises(ParameterError, match=message) as error:
        read_labels(table(tmp_path, text))
    assert error.value.remedy
    assert "GEHEIM" not in str(error.value)


def test_what_is_no_text_is_refused_by_its_name_alone(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(b"path,label\n\xff\xfe,x\n")
    with pytest.raises(ParameterError, match=r"^labels\.csv cannot be read") as error:
        read_labels(path)
    assert str(tmp_path) not in str(error.value)
