"""Files decoded in child processes: as in this one where they are sound, one error each where not."""

from __future__ import annotations

import gc
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import fields
from functools import partial
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
from PIL import Image
from pydicom.dataset import Dataset

from hmar.contents import FileBytes
from hmar.decoding.contained import ContainedDecoder
from hmar.decoding.in_process import ImageDecoder
from hmar.decoding.launcher import ForkServer
from hmar.decoding.limits import DecodeLimits
from hmar.decoding.process import Child
from hmar.dicom.deidentify import PatientHasher
from hmar.errors import DecodeError, HmarError, LimitError, ParameterError, UnavailableError
from hmar.values.frames import Frame, ImageFile
from hmar.values.headers import StoredFile
from tests.hmar.decoding.hostile import SIDE, hostile_server
from tests.hmar.dicom.build import image, ramp
from tests.phantoms import ct_file

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parents[3]
CRASHES = sorted((REPOSITORY / "tests" / "data" / "decoder_crashes").glob("*.dcm"))
SECRET = b"a secret that only tests know ..."
LIMITS = DecodeLimits(max_pixels=10_000_000, seconds=30, memory_mb=2048, decoders=2)
STRICT = DecodeLimits(max_pixels=10_000_000, seconds=2, memory_mb=300, decoders=2)
DEADLINE_S = 60


@pytest.fixture(scope="module")
def decoder() -> Iterator[ContainedDecoder]:
    with ContainedDecoder(LIMITS, SECRET) as decoder:
        yield decoder


@contextmanager
def hostile_decoder(limits: DecodeLimits = STRICT) -> Iterator[ContainedDecoder]:
    with closing(hostile_server()) as server, ContainedDecoder(limits, SECRET, server) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def forking() -> Iterator[ForkServer]:
    with closing(hostile_server()) as server:
        yield server


@pytest.fixture
def hostile(forking: ForkServer) -> Iterator[ContainedDecoder]:
    """Have children of its own, of a server that imports once."""
    with ContainedDecoder(STRICT, SECRET, forking) as decoder:
        yield decoder


@pytest.fixture(scope="module")
def in_process() -> ImageDecoder:
    return ImageDecoder(LIMITS.max_pixels, PatientHasher(SECRET))


def seen(file: ImageFile, number: int) -> object:
    """Return all that a frame says, or the error in its place."""
    try:
        frame = file.frame(number)
    except HmarError as error:
        return type(error), error.detail, error.remedy
    names = [field.name for field in fields(Frame) if field.name != "values"]
    return [getattr(frame, name) for name in names], frame.values.dtype, frame.values.tobytes()


def stored(file: StoredFile, number: int) -> object:
    """Return all that a frame stores and what it means, or the error in its place."""
    try:
        frame = file.stored(number)
    except HmarError as error:
        return type(error), error.detail, error.remedy
    return frame.info, frame.meaning, frame.type, frame.values.shape, frame.to_bytes()


def told(file: StoredFile, number: int) -> object:
    """Return what is told of a frame's header, or the error in its place."""
    try:
        return file.header(number)
    except HmarError as error:
        return type(error), error.detail, error.remedy


def pictures() -> dict[str, bytes]:
    stored = {"PNG": np.arange(64, dtype=np.uint8).reshape(8, 8), "JPEG": np.eye(8, dtype=np.uint8)}
    written = {}
    for kind, pixels in stored.items():
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, kind)
        written[kind] = buffer.getvalue()
    return written


def with_positions(frames: int) -> bytes:
    """An enhanced image: every frame has a position of its own."""
    groups = []
    for number in range(frames):
        plane, group = Dataset(), Dataset()
        plane.ImagePositionPatient = [0, 0, -2.5 * number]
        group.PlanePositionSequence = [plane]
        groups.append(group)
    return image(np.stack([ramp()] * frames), PerFrameFunctionalGroupsSequence=groups)


@pytest.mark.parametrize(
    "data",
    [
        ct_file(1, 1),
        *pictures().values(),
        image(np.stack([ramp(), ramp()[::-1]])),
        with_positions(3),
        b"",
        b"not an image",
        ct_file(1, 1)[:3000],
        image(ramp(), RescaleSlope="0", RescaleIntercept="0", Modality="CT"),
    ],
    ids=["CT", "PNG", "JPEG", "frames", "enhanced", "empty", "text", "cut", "slope"],
)
@pytest.mark.parametrize("first_frame", [False, True])
def test_a_file_decodes_as_it_does_in_this_process(
    decoder: ContainedDecoder, in_process: ImageDecoder, data: bytes, first_frame: bool
) -> None:
    files = []
    for opening in (partial(decoder.open, first_frame=first_frame), in_process.open):
        try:
            files.append(opening(data))
        except HmarError as error:
            files.append((type(error), error.detail, error.remedy))
    contained, expected = files
    if isinstance(expected, tuple):
        assert contained == expected
        return
    assert list(contained.infos) == list(expected.infos)
    for number in range(1, len(expected.infos) + 1):
        assert seen(contained, number) == seen(expected, number)
        assert stored(contained, number) == stored(expected, number)
        assert told(contained, number) == told(expected, number)
        assert seen(contained, number) == seen(expected, number)


def test_real_files_decode_as_they_do_in_this_process(
    decoder: ContainedDecoder, in_process: ImageDecoder
) -> None:
    # A child can open no file: what decoding imports late must have been imported before.
    decoded = 0
    for path in sorted((Path(pydicom.data.__path__[0]) / "test_files").glob("*.dcm")):
        try:
            here = in_process.open(path.read_bytes())
            expected: object = seen(here, 1), stored(here, 1), told(here, 1)
        except HmarError as error:
            expected = error.detail
        try:
            there = decoder.open(path.read_bytes(), first_frame=True)
            found: object = seen(there, 1), stored(there, 1), told(there, 1)
        except HmarError as error:
            found = error.detail
        assert found == expected, path.name
        decoded += isinstance(expected, tuple)
    assert decoded > 50


def test_a_frame_number_out_of_range_is_refused(decoder: ContainedDecoder) -> None:
    with pytest.raises(ParameterError, match="from 1 to 1"):
        decoder.open(ct_file(1, 1)).frame(2)
    with pytest.raises(ParameterError, match="from 1 to 1"):
        decoder.open(ct_file(1, 1)).stored(2)


def test_infos_of_many_frames_come_in_pages(decoder: ContainedDecoder) -> None:
    infos = decoder.open(with_positions(150)).infos
    assert [info.position for info in infos] == [(0, 0, -2.5 * number) for number in range(150)]
    assert infos[-1].frame_number == 150
    assert [info.frame_number for info in infos[62:66]] == [63, 64, 65, 66]


def test_frames_that_are_alike_are_listed_without_making_them(decoder: ContainedDecoder) -> None:
    infos = decoder.open(image(ramp(rows=300, columns=300), Rows=9, Columns=9, NumberOfFrames=1000)).infos
    assert len(infos) == 1000
    assert infos[999].frame_number == 1000


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("abort", r"it crashed the decoder \(SIGABRT\)"),
        ("segfault", r"it crashed the decoder \(SIGSEGV\)"),
        ("exit", "the decoder ended with status 3"),
        ("quit", "The decoder failed on it"),
        ("panic", "The decoder failed on it"),
        ("recursion", "The decoder failed on it"),
        ("loop", "2 seconds of processor time|longer than 4 seconds"),
        ("sleep", "it took longer than 4 seconds"),
        ("memory", "more memory than the 256 MiB that"),
        ("text", "answered what cannot be true"),
        ("file", "The decoder failed on it"),
        ("socket", "The decoder failed on it"),
        ("fill", "The decoder failed on it"),
        ("kill-parent", "the decoder was killed from outside"),
        ("shape", "answered what cannot be true"),
        ("nan", "answered what cannot be true"),
        ("range", "answered what cannot be true"),
        ("hu", "answered what cannot be true"),
        ("window", "answered what cannot be true"),
    ],
)
def test_whatever_a_frame_does_is_one_error_and_the_other_frames_are_there(
    hostile: ContainedDecoder, deed: str, reason: str
) -> None:
    file = hostile.open(f"{deed} 3".encode())
    assert file.frame(1).values[0, 0] == np.float32(0.01)
    with pytest.raises(DecodeError, match=reason):
        file.frame(2)
    assert file.frame(3).values.shape == (SIDE, SIDE)
    assert hostile.open(b"nothing 2").frame(2).values[0, 0] == np.float32(0.02)


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("abort", r"Frame 1 cannot be decoded: it crashed the decoder \(SIGABRT\)"),
        ("exit", "Frame 1 cannot be decoded: the decoder ended with status 3"),
        ("panic", "The decoder failed on it"),
        ("loop", "Frame 1 cannot be decoded: it took"),
        ("sleep", "Frame 1 cannot be decoded: it took longer than 4 seconds"),
        ("memory", "more memory than the 256 MiB that"),
        ("text", "Frame 1 cannot be decoded: the decoder answered what cannot be true"),
        ("shape", "Frame 1 cannot be decoded: the decoder answered what cannot be true"),
        ("nan", "Frame 1 cannot be decoded: the decoder answered what cannot be true"),
    ],
)
def test_an_error_of_a_frame_that_is_decoded_ahead_is_not_that_of_the_file(
    hostile: ContainedDecoder, deed: str, reason: str
) -> None:
    file = hostile.open(f"first {deed} 2".encode(), first_frame=True)
    assert len(file.infos) == 2
    for _attempt in range(2):
        with pytest.raises(DecodeError, match=reason):
            file.frame(1)
    assert file.frame(2).values[0, 0] == np.float32(0.02)


def test_a_frame_that_was_decoded_ahead_needs_no_child_any_more() -> None:
    with ContainedDecoder(LIMITS, SECRET) as decoder:
        file = decoder.open(ct_file(1, 1), first_frame=True)
    assert file.frame(1).values.shape == (192, 192)
    with pytest.raises(UnavailableError, match="closed"):
        file.frame(1)


def test_a_file_that_is_refused_costs_no_child_though_its_frame_was_asked_for(
    decoder: ContainedDecoder,
) -> None:
    decoder.open(ct_file(1, 1))
    children = children_of(server_of(decoder))
    for _attempt in range(LIMITS.decoders + 1):
        with pytest.raises(DecodeError, match="neither DICOM nor PNG nor JPEG"):
            decoder.open(b"not an image", first_frame=True)
    assert decoder.open(ct_file(1, 1), first_frame=True).frame(1).values.shape == (192, 192)
    assert children_of(server_of(decoder)) == children


def test_a_child_that_owes_a_frame_is_lent_to_nobody() -> None:
    # Else that frame would be the answer to the next question.
    with closing(ForkServer()) as server:
        child = Child(server, LIMITS, SECRET)
        first, _, _ = child.open(1, ct_file(1, 1), ahead=True)
        assert not child.usable
        assert child.frame_ahead(first).values.shape == (192, 192)
        assert child.usable


@pytest.mark.parametrize("first_frame", [False, True])
@pytest.mark.parametrize("deed", ["abort", "panic", "loop", "memory"])
def test_whatever_happens_while_a_file_is_opened_is_one_error(
    hostile: ContainedDecoder, deed: str, first_frame: bool
) -> None:
    with pytest.raises(DecodeError):
        hostile.open(f"open {deed} 1".encode(), first_frame)
    assert hostile.open(b"nothing 1").frame(1).values[0, 0] == np.float32(0.01)


def test_more_memory_than_allowed_is_a_limit_and_the_setting_is_named(hostile: ContainedDecoder) -> None:
    with pytest.raises(LimitError, match="HMAR_DECODE_MEMORY_MB"):
        hostile.open(b"memory 2").frame(2)


def test_the_passwords_of_this_process_are_not_handed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HMAR_REDIS_URL", "redis://:password@broker/0")
    with (
        hostile_decoder() as decoder,
        pytest.raises(DecodeError, match=r"^\[\]"),
    ):
        decoder.open(b"secrets 2").frame(2)


@pytest.mark.parametrize("path", CRASHES, ids=lambda path: path.stem)
def test_a_file_that_crashes_a_decoder_is_refused_and_the_next_is_fine(
    decoder: ContainedDecoder, path: Path
) -> None:
    with pytest.raises(DecodeError):
        decoder.open(path.read_bytes()).frame(1)
    assert decoder.open(ct_file(1, 1)).frame(1).values.shape == (192, 192)


def test_a_child_killed_in_the_middle_of_a_frame_is_one_error() -> None:
    limits = DecodeLimits(max_pixels=10_000_000, seconds=300, decoders=1)
    with hostile_decoder(limits) as decoder, ThreadPoolExecutor(1) as pool:
        file = decoder.open(b"loop 2")
        asked = pool.submit(file.frame, 2)
        [child] = children_of(server_of(decoder))
        while state_of(child) != "R":
            time.sleep(0.01)
        os.kill(child, signal.SIGKILL)
        with pytest.raises(DecodeError, match="Frame 2 cannot be decoded: the decoder was killed"):
            asked.result(DEADLINE_S)
        assert file.frame(1).values[0, 0] == np.float32(0.01)


def test_children_killed_between_two_frames_are_replaced(decoder: ContainedDecoder) -> None:
    file = decoder.open(ct_file(1, 1))
    for child in children_of(server_of(decoder)):
        os.kill(child, signal.SIGKILL)
        while state_of(child) != "Z":
            time.sleep(0.01)
    assert file.frame(1).values.shape == (192, 192)


def test_a_fork_server_that_is_killed_is_replaced_and_its_children_end(decoder: ContainedDecoder) -> None:
    file = decoder.open(ct_file(1, 1))
    server = server_of(decoder)
    children = children_of(server)
    os.kill(server, signal.SIGKILL)
    wait_until_gone(children)
    assert file.frame(1).values.shape == (192, 192)
    assert server_of(decoder) != server


def test_eight_threads_decode_at_once(decoder: ContainedDecoder, in_process: ImageDecoder) -> None:
    files = [ct_file(1, number) for number in range(4)]
    expected = [in_process.open(data).frame(1).values for data in files]
    opened = [decoder.open(data) for data in files]

    def right(step: int) -> bool:
        number = step % len(files)
        file = opened[number] if step % 2 else decoder.open(files[number])
        return bool(np.array_equal(file.frame(1).values, expected[number]))

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(80)))
    assert 1 <= len(children_of(server_of(decoder))) <= LIMITS.decoders


def test_threads_with_bad_and_good_files_each_get_their_own_answer(hostile: ContainedDecoder) -> None:
    deeds = ["abort", "nothing", "segfault", "nothing", "exit", "panic", "nothing", "nan"]

    def outcome(step: int) -> tuple[str, bool]:
        deed = deeds[step % len(deeds)]
        try:
            frame = hostile.open(f"{deed} 2".encode()).frame(2)
        except DecodeError:
            return deed, False
        return deed, frame.values[0, 0] == np.float32(0.02)

    with ThreadPoolExecutor(8) as pool:
        assert all(fine == (deed == "nothing") for deed, fine in pool.map(outcome, range(48)))


def test_closing_leaves_no_process_no_shared_memory_and_no_descriptor() -> None:
    shared, descriptors = shared_memory(), open_descriptors()
    decoder = ContainedDecoder(LIMITS, SECRET)
    for path in CRASHES:
        with pytest.raises(DecodeError):
            decoder.open(path.read_bytes()).frame(1)
    decoder.open(ct_file(1, 1)).frame(1)
    server = server_of(decoder)
    processes = [server, *children_of(server)]
    decoder.close()
    wait_until_gone(processes)
    assert shared_memory() == shared
    assert open_descriptors() == descriptors
    with pytest.raises(UnavailableError, match="closed"):
        decoder.open(ct_file(1, 1))


def test_a_decoder_that_nobody_closed_ends_with_its_last_reference() -> None:
    decoder = ContainedDecoder(STRICT, SECRET, hostile_server())
    decoder.open(b"nothing 1").frame(1)
    server = server_of(decoder)
    processes = [server, *children_of(server)]
    del decoder
    gc.collect()
    wait_until_gone(processes)


def test_children_end_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    script = """
import sys, time
from tests.hmar.decoding.test_contained import *
decoder = ContainedDecoder(LIMITS, SECRET, hostile_server())
file = decoder.open(b"loop 2")
server = server_of(decoder)
print(server, *children_of(server), flush=True)
file.frame(2)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    with parent.stdout as lines:
        processes = [int(word) for word in lines.readline().split()]
    assert len(processes) == 2
    parent.kill()
    parent.wait()
    wait_until_gone(processes)


def test_children_of_a_decoder_that_is_gone_do_not_stay_zombies() -> None:
    with closing(ForkServer()) as server:
        for number in range(4):
            decoder = ContainedDecoder(LIMITS, SECRET, server)
            assert decoder.open(ct_file(1, number)).frame(1).values.shape == (192, 192)
            children = children_of(server.process_id)
            assert len(children) <= 2  # this one's, and that of the last, which ends by itself
            del decoder
            gc.collect()
            while any(state_of(child) != "Z" for child in children):
                time.sleep(0.01)


def test_a_process_that_is_forked_has_decoders_of_its_own(decoder: ContainedDecoder) -> None:
    file = decoder.open(ct_file(1, 1))
    expected = file.frame(1).values
    server = server_of(decoder)
    process = os.fork()
    if process == 0:
        right = np.array_equal(file.frame(1).values, expected) and server_of(decoder) != server
        os._exit(0 if right else 1)
    _, status = os.waitpid(process, 0)
    assert status == 0
    assert np.array_equal(file.frame(1).values, expected)
    assert server_of(decoder) == server


def test_a_child_that_holds_many_files_answers_for_all_of_them(decoder: ContainedDecoder) -> None:
    files = [decoder.open(ct_file(2, number)) for number in range(10)]
    for file in (*files, *reversed(files)):
        assert file.frame(1).values.shape == (192, 192)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Let SIGINT interrupt, also where a shell started the tests in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_an_interrupted_question_does_not_answer_the_next(hostile: ContainedDecoder) -> None:
    # Ctrl-C reaches the main thread wherever it waits.
    file = hostile.open(b"sleep 3")
    main = threading.main_thread().ident
    timer = threading.Timer(0.5, signal.pthread_kill, [main, signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        file.frame(2)
    timer.join()
    assert file.frame(3).values[0, 0] == np.float32(0.03)


def server_of(decoder: ContainedDecoder) -> int:
    return decoder._server.process_id


def children_of(process: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def state_of(process: int) -> str:
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]


def wait_until_gone(processes: list[int]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while any(Path(f"/proc/{process}").exists() for process in processes):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def shared_memory() -> set[str]:
    return {path.name for path in Path("/dev/shm").iterdir()}


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_on_the_disk_is_decoded_as_one_in_memory_by_a_child_of_its_own(
    decoder: ContainedDecoder, tmp_path: Path
) -> None:
    path = Path(pydicom.data.get_testdata_file("emri_small.dcm"))
    in_memory, small = decoder.open(path.read_bytes()), decoder.open(ct_file(1, 1))
    on_disk = [decoder.open(FileBytes.owning(os.open(path, os.O_RDONLY)), first_frame=True) for _ in range(3)]
    for file in on_disk:
        assert list(file.infos) == list(in_memory.infos)
        assert file.sha256 == in_memory.sha256
        for number in (1, 2, len(file.infos)):
            assert np.array_equal(file.frame(number).values, in_memory.frame(number).values)
        assert small.frame(1).info.frame_number == 1
    # It is read from the disk, frame by frame.
    copy = tmp_path / "copy"
    copy.write_bytes(path.read_bytes())
    file = decoder.open(FileBytes.owning(os.open(copy, os.O_RDONLY)))
    os.truncate(copy, 4096)
    with pytest.raises(DecodeError, match="Frame 3 cannot be decoded"):
        file.frame(3)
