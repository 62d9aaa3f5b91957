"""Settings, read once from the environment; every one is documented in docs/settings.md."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any

from hmar.errors import ConfigError, shown


def _setting(variable: str, default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


SCAN_KERNELS = ("compiled", "numpy")
LOG_FORMATS = ("text", "json")
REFUSE, REPLACE, KEEP_BOTH = SAME_UID = ("refuse", "replace", "keep-both")
"""What is done with another image under the SOP Instance UID of one that is indexed."""
IN_MEMORY = "memory:"
"""HMAR_DATABASE_URL of an archive that lives in one process and is gone with it."""
INLINE = "inline"
"""HMAR_REDIS_URL where the process that submits a job does it, without a broker."""
BROKER_SCHEMES = ("redis", "rediss", "redis+socket", "sentinel")
_HOME = Path("hmar-data")
_MAY_BE_0 = frozenset({"port", "web_waiting", "key_concurrency", "kept_frames_mb"})
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the product. Build one with :meth:`from_environment`."""

    home: Path = _setting("HMAR_HOME", _HOME, "Data directory: catalogue, index, uploads, secrets.")
    redis_url: str = _setting(
        "HMAR_REDIS_URL", "", "Broker; empty starts the embedded one, inline works without any."
    )
    database_url: str = _setting(
        "HMAR_DATABASE_URL", "", "SQLAlchemy URL, or memory:; empty uses SQLite in HMAR_HOME."
    )
    import_dir: str = _setting(
        "HMAR_IMPORT_DIR", "", "Folder that index jobs of the API may read; empty uses HMAR_HOME/import."
    )
    model_dir: str = _setting("HMAR_MODEL_DIR", "", "Model bundle to serve; empty uses the shipped one.")
    host: str = _setting("HMAR_HOST", "127.0.0.1", "Address that the web server listens on.")
    port: int = _setting("HMAR_PORT", 8080, "Port of the web server; 0 takes a free one.")
    web_threads: int = _setting("HMAR_WEB_THREADS", 4, "Requests served at a time.")
    web_waiting: int = _setting(
        "HMAR_WEB_WAITING", 0, "Requests that may wait for a thread; 0 is eight for each thread."
    )
    web_connections: int = _setting("HMAR_WEB_CONNECTIONS", 256, "Connections open at a time.")
    web_streams: int = _setting("HMAR_WEB_STREAMS", 16, "Jobs followed by server-sent events at a time.")
    header_seconds: float = _setting(
        "HMAR_HEADER_SECONDS", 10.0, "Time in which a request's line and headers must come, in seconds."
    )
    transfer_seconds: float = _setting(
        "HMAR_TRANSFER_SECONDS", 30.0, "Time that any body and any answer may take, in seconds."
    )
    transfer_bytes_per_second: int = _setting(
        "HMAR_TRANSFER_BYTES_PER_SECOND", 64 << 10, "Slowest rate of what takes longer than that."
    )
    requests_per_minute: int = _setting(
        "HMAR_REQUESTS_PER_MINUTE", 30_000, "Requests of one key or login, and of one address."
    )
    key_concurrency: int = _setting(
        "HMAR_KEY_CONCURRENCY", 0, "Requests of one key or login at a time; 0 is half of all."
    )
    failures_per_minute: int = _setting(
        "HMAR_FAILURES_PER_MINUTE", 30, "Wrong keys and login links of one address."
    )
    trusted_proxies: str = _setting(
        "HMAR_TRUSTED_PROXIES",
        "",
        "Addresses or networks whose X-Forwarded headers are believed.",
    )
    cors_origins: str = _setting(
        "HMAR_CORS_ORIGINS", "", "Origins whose pages may use the API with a key, with commas; empty: none."
    )
    encoder_threads: int = _setting("HMAR_ENCODER_THREADS", 1, "Threads of one encoder, for one frame.")
    scan_threads: int = _setting("HMAR_SCAN_THREADS", 4, "Threads of one search, if there are so many cores.")
    scan_kernels: str = _setting("HMAR_SCAN_KERNELS", "compiled", "What scans windows: compiled or numpy.")
    kept_frames_mb: int = _setting(
        "HMAR_KEPT_FRAMES_MB", 128, "Memory for pixels and feature maps of frames asked about last, in MiB."
    )
    max_pixels: int = _setting(
        "HMAR_MAX_PIXELS", 400_000_000, "Largest rows x columns x frames of a file; more is refused unread."
    )
    max_file_bytes: int = _setting("HMAR_MAX_FILE_BYTES", 1 << 30, "Largest file that is read for indexing.")
    max_upload_bytes: int = _setting("HMAR_MAX_UPLOAD_BYTES", 64 << 20, "Largest body of a request.")
    decoders: int = _setting("HMAR_DECODERS", 4, "Processes that decode, if there are so many cores.")
    decode_seconds: float = _setting(
        "HMAR_DECODE_SECONDS", 20.0, "Processor time for opening a file or decoding a frame, in seconds."
    )
    decode_memory_mb: int = _setting(
        "HMAR_DECODE_MEMORY_MB", 4096, "Most memory that decoding may take in one process, in MiB."
    )
    item_lease_s: float = _setting(
        "HMAR_ITEM_LEASE_S", 60.0, "Seconds after which a file whose worker fell silent is tried again."
    )
    min_free_mb: int = _setting(
        "HMAR_MIN_FREE_MB", 256, "Free disk, in MiB, below which nothing is indexed and /readyz fails."
    )
    max_attempts: int = _setting("HMAR_MAX_ATTEMPTS", 3, "Attempts at a file before it is given up.")
    log_format: str = _setting("HMAR_LOG_FORMAT", "text", "Form of log lines: text or json.")
    same_uid: str = _setting(
        "HMAR_SAME_UID", REFUSE, "Another image under an indexed UID: refuse, replace or keep-both."
    )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; raises ConfigError naming the variable, its value and what it should be."""
        values = {}
        for item in fields(cls):
            variable = item.metadata["variable"]
            text = environment.get(variable, "").strip()
            if text:
                values[item.name] = _parse(variable, text, type(item.default))
        return cls(**values).checked()

    def checked(self) -> Settings:
        """Return the settings with an absolute home; raises ConfigError for a number out of range."""
        for item in fields(self):
            value = getattr(self, item.name)
            least = 0 if item.name in _MAY_BE_0 else 1
            if isinstance(value, int | float) and not least <= value < math.inf:
                raise ConfigError(
                    f"{item.metadata['variable']} is {value}.", "Give a positive number, or leave it unset."
                )
        if self.port > 65535:
            raise ConfigError(f"HMAR_PORT is {self.port}.", "Give a port from 0 to 65535.")
        if self.scan_kernels not in SCAN_KERNELS:
            raise ConfigError(
                f"HMAR_SCAN_KERNELS is {self.scan_kernels!r}.", f"Give {' or '.join(SCAN_KERNELS)}."
            )
        if self.log_format not in LOG_FORMATS:
            raise ConfigError(f"HMAR_LOG_FORMAT is {self.log_format!r}.", f"Give {' or '.join(LOG_FORMATS)}.")
        if self.same_uid not in SAME_UID:
            raise ConfigError(f"HMAR_SAME_UID is {self.same_uid!r}.", f"Give one of {', '.join(SAME_UID)}.")
        self._check_queue()
        _ = self.proxy_networks, self.allowed_origins
        object.__setattr__(self, "home", _absolute("HMAR_HOME", self.home))
        if self.import_dir:
            object.__setattr__(self, "import_dir", str(_absolute("HMAR_IMPORT_DIR", Path(self.import_dir))))
        return self

    def _check_queue(self) -> None:
        """Refuse what is no broker, and a broker whose workers could not see the database."""
        if self.redis_url in ("", INLINE):
            return
        # The URL itself may hold a password.
        if self.redis_url.partition("://")[0] not in BROKER_SCHEMES:
            raise ConfigError(
                "HMAR_REDIS_URL is no broker that can be used.",
                f"Give redis://:password@host:port/0, or {INLINE}, or leave it unset.",
            )
        if self.in_memory:
            raise ConfigError(
                f"HMAR_DATABASE_URL is {IN_MEMORY}, which no worker behind HMAR_REDIS_URL can see.",
                f"Leave HMAR_REDIS_URL unset or make it {INLINE}, or name a database.",
            )

    def check_shared(self) -> None:
        """Raise ConfigError where several processes cannot work on one archive with these settings."""
        if self.in_memory:
            raise ConfigError(
                f"HMAR_DATABASE_URL is {IN_MEMORY}, which other processes cannot see.",
                "Leave it unset, or name a database.",
            )
        if self.inline:
            raise ConfigError(
                f"HMAR_REDIS_URL is {INLINE}, which reaches no worker.",
                "Leave it unset and start the product with 'hmar serve', or name a Redis server.",
            )

    @property
    def in_memory(self) -> bool:
        """Whether the archive lives in this process alone and nothing of it is written."""
        return self.database_url == IN_MEMORY

    @property
    def inline(self) -> bool:
        """Whether jobs are done in the process that submits them."""
        return self.redis_url == INLINE or self.in_memory

    @property
    def database_file(self) -> Path:
        """File of the catalogue where no URL names a database."""
        return self.home / "catalogue.db"

    @property
    def proxy_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Networks of the proxies that are trusted."""
        try:
            names = self.trusted_proxies.replace(",", " ").split()
            return tuple(ip_network(name, strict=False) for name in names)
        except ValueError as error:
            raise ConfigError(
                f"HMAR_TRUSTED_PROXIES is {self.trusted_proxies!r}.",
                "Give addresses or networks, such as 10.0.0.5,10.1.0.0/16.",
            ) from error

    @property
    def allowed_origins(self) -> frozenset[str]:
        """Origins whose pages may use the API, as browsers send them."""
        origins = self.cors_origins.replace(",", " ").split()
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ConfigError(
                    f"HMAR_CORS_ORIGINS has {shown(origin)}.",
                    "Give origins as browsers send them, such as https://pacs.example or "
                    "http://localhost:3000: in lower case, without a path, none for all.",
                )
        return frozenset(origins)

    @property
    def import_root(self) -> Path:
        """Folder that index jobs of the API may read."""
        return Path(self.import_dir) if self.import_dir else self.home / "import"

    @property
    def upload_root(self) -> Path:
        """Folder of the upload store."""
        return self.home / "uploads"

    @property
    def model_root(self) -> Path:
        """Folder of the installed models."""
        return self.home / "models"

    @property
    def index_root(self) -> Path:
        """Folder of the index snapshots."""
        return self.home / "index"


def _absolute(variable: str, folder: Path) -> Path:
    try:
        return folder.expanduser().absolute()
    except (RuntimeError, OSError) as error:  # no such user, or the current folder is gone
        raise ConfigError(
            f"{variable} is {shown(str(folder))}, which is no folder that can be found.", "Give a whole path."
        ) from error


def _parse(variable: str, text: str, kind: type) -> Any:
    try:
        return kind(text)
    except ValueError as error:
        raise ConfigError(f"{variable} is {text!r}.", f"Give a value of type {kind.__name__}.") from error
