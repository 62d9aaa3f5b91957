"""What ``hmar doctor`` looks at: one function per part, each with its remedy."""

from __future__ import annotations

import os
import platform
import socket
import sys
import tempfile
from contextlib import closing

from hmar.config import CUDA, Settings
from hmar.dicom.codecs import undecodable
from hmar.dicom.syntaxes import SYNTAXES
from hmar.disk import free_bytes
from hmar.encoder import HmarEncoder
from hmar.errors import HmarError, UnavailableError
from hmar.index.gpu.choosing import room_on_gpu, why_no_gpu
from hmar.library.integrity import Check, Integrity, finding_of, named_frames, waiting_remedy
from hmar.model.bundle import GOLDEN
from hmar.spool import Spool
from hmar.training.export.golden import golden_difference
from hmar.values.codes import CODE_BYTES
from hmar.values.collections import nothing_in
from hmar.values.findings import Finding, State
from hmar.wiring import Engine, build_engine

OLDEST_PYTHON = (3, 11)
FREE_BYTES = 2 << 30
GOLDEN_TOLERANCE = 10_000
"""One bit in this many may differ: a logit next to 0 may round either way on another processor."""

START = "Start the product with 'hmar serve'."
CONNECT_S = 2.0
EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a listener on all of them is asked


def examine(settings: Settings, integrity: Integrity | None = None, mend: bool = False) -> list[Finding]:
    """Check every part; a failure does not stop the other checks.

    Parameters
    ----------
    settings : Settings
    integrity : Integrity or None
        Verifies what is stored; None leaves that out.
    mend : bool
        Whether to repair what it finds.
    """
    home = _home(settings)
    findings = [_python(), home]
    if home.state is State.FAILED:
        return findings
    try:
        engine = build_engine(settings)
    except HmarError as error:
        return [*findings, Finding("data directory", State.FAILED, error.detail, error.remedy)]
    checks = FIRST_CHECKS | ({} if integrity is None else integrity.checks()) | LAST_CHECKS
    findings += [finding_of(part, check, engine) for part, check in checks.items()]
    if integrity is not None and mend:
        findings.append(finding_of("repair", lambda engine: _mended(integrity, engine), engine))
    return findings


def _mended(integrity: Integrity, engine: Engine) -> tuple[State, str, str]:
    done = integrity.repair(engine)
    found = (
        f"{done.taken_out} damaged entries taken out, {done.log_rows} rows of the log written anew, "
        f"{done.sealed} rows sealed, {len(done.back)} frames indexed again"
    )
    if done.back:
        found += f": {named_frames(done.back)}"
    if done.waiting:
        return (
            State.FAILED,
            f"{found}. Not back: {named_frames(done.waiting)}",
            waiting_remedy(engine, done.waiting, "repeat"),
        )
    return State.OK, found, "Run 'hmar doctor' again to see that all is well."


def _python() -> Finding:
    found = f"{platform.python_version()} on {platform.system()}"
    if sys.version_info >= OLDEST_PYTHON:
        return Finding("python", State.OK, found)
    return Finding("python", State.FAILED, found, "Install Python 3.11 or newer.")


def _home(settings: Settings) -> Finding:
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=settings.home):
            return Finding("data directory", State.OK, str(settings.home))
    except OSError as error:
        found = f"{settings.home} cannot be written ({error.strerror})."
        return Finding("data directory", State.FAILED, found, "Set HMAR_HOME to a folder that you may write.")


def _disk(engine: Engine) -> tuple[State, str, str]:
    free = free_bytes(engine.settings.home)
    found = f"{free / (1 << 30):.1f} GiB free"
    if free < FREE_BYTES:
        return State.FAILED, found, f"Free some space: {FREE_BYTES >> 30} GiB are needed to work safely."
    return State.OK, found, ""


def _secrets(engine: Engine) -> tuple[State, str, str]:
    _ = engine.secrets
    folder = engine.settings.home / "secrets"
    if any(path.stat().st_mode & 0o077 for path in folder.iterdir()):
        return State.FAILED, "Other users may read them.", "Run: chmod 600 HMAR_HOME/secrets/*"
    return State.OK, "readable by their owner alone", ""


def _kept_files(engine: Engine) -> tuple[State, str, str]:
    held, site = sum(1 for _ in engine.uploads.references()), engine.settings.uploads_pacs
    if not site:
        return State.OK, f"{held} uploads, each for as long as a frame or a job needs it", ""
    engine.pacs.require(site)
    found = f"none of what is sent: the PACS {site} has it (HMAR_UPLOADS_PACS)"
    if held:
        found += f". {held} uploads are here: of jobs in hand, or sent before"
        return State.NOTE, found, "Wait for the jobs. What was sent before goes when its frames are deleted."
    return State.OK, found, ""


def _pushed_files(engine: Engine) -> tuple[State, str, str]:
    spool = Spool(engine.settings.spool_root)
    damaged, waiting = spool.damaged(), sum(1 for _ in spool.waiting())
    if damaged:
        found = f"{len(damaged)} received files are not what came any more, the first {damaged[0]}."
        return State.FAILED, found, "Check the disk, have them sent again, and delete them."
    return State.OK, f"{waiting} received files wait for an index job", ""


def _listener(engine: Engine) -> tuple[State, str, str]:
    settings = engine.settings
    if not settings.listen_port:
        return State.OK, "none; HMAR_LISTEN_PORT is not set", ""
    where = f"port {settings.listen_port} of {settings.listen_host}"
    host = EVERY_ADDRESS.get(settings.listen_host, settings.listen_host)
    try:
        with closing(socket.create_connection((host, settings.listen_port), CONNECT_S)):
            return State.OK, f"{settings.listen_ae} takes connections on {where}", ""
    except OSError as error:
        return State.NOTE, f"Nothing answers on {where} ({error.strerror}).", f"{START} Or run: hmar listen"


def _database(engine: Engine) -> tuple[State, str, str]:
    seq = engine.catalogue.last_seq()
    return State.OK, f"schema up to date, {seq} log rows", ""


def _model(engine: Engine) -> tuple[State, str, str]:
    encoder, following = engine.encoder, engine.models.roles().next
    if following is not None:
        engine.known_models.folder(following.fingerprint)  # raises: nothing can be indexed without it
    found = f"{encoder.name}, checksums match, fingerprint {encoder.fingerprint[:12]}"
    if not isinstance(encoder, HmarEncoder):
        return State.OK, found, ""
    folder = engine.model_folder
    if folder is None:
        return State.OK, found, ""
    differing, bits = golden_difference(folder / GOLDEN, encoder)
    found += f", {bits - differing} of {bits} golden bits"
    if differing > bits // GOLDEN_TOLERANCE:
        return (
            State.FAILED,
            found,
            "Install the versions in constraints.txt: this runtime computes other codes.",
        )
    return State.OK, found, ""


def _identity_provider(engine: Engine) -> tuple[State, str, str]:
    if engine.tokens is None:
        return State.OK, "none named; keys and logins alone are taken", ""
    keys, provider = engine.tokens.published(), engine.tokens.provider
    number = "1 key" if len(keys) == 1 else f"{len(keys)} keys"
    found = f"{provider.issuer} publishes {number} for {' or '.join(provider.algorithms)}"
    if not keys:
        return State.FAILED, found, "Let HMAR_OIDC_ALGORITHMS name what it signs with."
    return State.OK, found, ""


def _codecs(_engine: Engine) -> tuple[State, str, str]:
    if absent := undecodable():
        return (
            State.FAILED,
            f"No decoder for {', '.join(absent)}.",
            "Install hmar-search with its dependencies.",
        )
    return State.OK, f"decoders for all {len(SYNTAXES)} compressed transfer syntaxes", ""


def _broker(engine: Engine) -> tuple[State, str, str]:
    try:
        waiting = engine.queue.backlog()
    except UnavailableError as error:
        if os.environ.get("HMAR_REDIS_URL", "").strip():
            raise
        return State.NOTE, f"The product does not run: {error.detail}", START
    return State.OK, f"answers, {waiting} messages wait", ""


def _worker(engine: Engine) -> tuple[State, str, str]:
    try:
        workers = engine.queue.ping()
    except UnavailableError:
        return State.NOTE, "None can be asked without a broker; 'hmar index' works in its own process.", START
    if workers:
        return State.OK, f"{workers} answer" if workers > 1 else "1 answers", ""
    return State.FAILED, "No worker answers, jobs wait.", f"{START} Or run: python -m workers"


def _followed(engine: Engine) -> tuple[State, str, str]:
    held = [one for one in engine.following.listed() if one.follow is not None]
    for one in held:
        state = one.followed.state
        if state.reason is not None:
            return State.FAILED, f"{one.name}: {state.reason}", f"Run 'hmar doctor pacs:{one.name}'."
        if state.stopped is not None:
            return (
                State.FAILED,
                state.stopped,
                f"See 'hmar pacs status {one.name}', and what happened in that PACS.",
            )
        if not one.followed.watched:
            return State.NOTE, f"Nobody watches the PACS {one.name}.", START
    if not held:
        return State.OK, "none", ""
    names = ", ".join(f"{one.name} ({one.followed.state.behind} behind)" for one in held)
    return State.OK, f"watched: {names}", ""


def _index(engine: Engine) -> tuple[State, str, str]:
    engine.searcher.refresh()
    held = engine.index.stats().frames
    series = engine.catalogue.series(engine.encoder.fingerprint)
    listed = sum(item.frames for item in series)
    if engine.catalogue.last_seq() > engine.index.stats().last_seq:
        return State.NOTE, "Images are being indexed; this was not compared.", "Look again afterwards."
    if held != listed:
        found = f"{held} frames in the index, {listed} in the catalogue."
        return State.FAILED, found, "Stop the product, delete HMAR_HOME/index and start: it is built anew."
    return State.OK, f"{held} frames of {len(series)} series, as the catalogue says", ""


def _slabs(engine: Engine) -> tuple[State, str, str]:
    sizes = engine.slabs.sizes()
    if not sizes:
        return State.OK, "none: the windows of every slice are searched", ""
    counted = {one.collection: one for one in engine.catalogue.collections(engine.encoder.fingerprint)}
    told = [
        f"{name} of {slab_mm:g} mm: {held.held_back} of {held.frames} frames held back"
        for name, slab_mm in sorted(sizes.items())
        for held in [counted.get(name, nothing_in(name))]
    ]
    return State.OK, "; ".join(told), ""


def _scan(engine: Engine) -> tuple[State, str, str]:
    settings = engine.settings
    if settings.scan_device != CUDA:
        return State.OK, f"on the processor, {settings.scan_threads} threads at most; {_usual(engine)}", ""
    if reason := why_no_gpu():
        found = f"HMAR_SCAN_DEVICE is cuda, but {reason}: the processor scans."
        return State.FAILED, found, "Install NVIDIA's driver and hmar-search[gpu], or set it to cpu."
    name, free = room_on_gpu()
    needed = CODE_BYTES * engine.index.stats().windows
    found = f"on {name}, {free / 1e9:.1f} GB of its memory free; the codes take {needed / 1e9:.1f} GB"
    if needed > free:
        return State.NOTE, found, "Stop what else uses it, unless that is this product's own server."
    return State.OK, found, ""


def _usual(engine: Engine) -> str:
    """Return how a search is made that does not say how."""
    most, windows = engine.settings.fast_above, engine.index.stats().windows
    if 0 < most <= windows:
        return f"fast where a search does not say: {windows} windows, and HMAR_FAST_ABOVE is {most}"
    return "exact where a search does not say"


FIRST_CHECKS: dict[str, Check] = {
    "free disk": _disk,
    "secrets": _secrets,
    "database": _database,
    "model": _model,
    "codecs": _codecs,
    "kept files": _kept_files,
    "received files": _pushed_files,
}
LAST_CHECKS: dict[str, Check] = {
    "index": _index,
    "slabs": _slabs,
    "scan": _scan,
    "broker": _broker,
    "worker": _worker,
    "identity provider": _identity_provider,
    "followed PACS": _followed,
    "listener": _listener,
}
