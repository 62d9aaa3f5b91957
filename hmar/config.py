"""Settings, read once from the environment; every one is documented in docs/settings.md."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, Literal, get_args

from hmar.errors import ConfigError, shown
from hmar.identity_provider import IdentityProvider
from hmar.syslog_receiver import SyslogReceiver


def _setting(variable: str, default: Any, meaning: str) -> Any:
    return field(default=default, metadata={"variable": variable, "meaning": meaning})


SCAN_KERNELS = ("compiled", "numpy")
CUDA = "cuda"
DEVICES = ("cpu", CUDA)
"""Where frames are encoded, and where windows are scanned."""
LOG_FORMATS = ("text", "json")
REFUSE, REPLACE, KEEP_BOTH = SAME_UID = ("refuse", "replace", "keep-both")
"""What is done with another image under the SOP Instance UID of one that is indexed."""
Others = Literal["none", "uids", "pictures"]
"""What documents of one patient tell of another's hits: nothing, their UIDs and boxes, or pixels too."""
EXPORT_OTHERS: tuple[Others, ...] = get_args(Others)
INDEX = "index"
BURNED_IN = (INDEX, REFUSE)
"""What is done with an image whose header says that text is burned into its pixels."""
IN_MEMORY = "memory:"
"""HMAR_DATABASE_URL of an archive that lives in one process and is gone with it."""
INLINE = "inline"
"""HMAR_REDIS_URL where the process that submits a job does it, without a broker."""
BROKER_SCHEMES = ("redis", "rediss", "redis+socket", "sentinel")
MOST_WEB_PROCESSES = 64
Networks = tuple[IPv4Network | IPv6Network, ...]
_HOME = Path("hmar-data")
_MAY_BE_0 = frozenset(
    {
        "port",
        "web_waiting",
        "key_concurrency",
        "kept_frames_mb",
        "fast_above",
        "worker_nice",
        "oidc_leeway_seconds",
        "listen_port",
    }
)
_COLLECTOR = re.compile(r"https?://[^/?#@\s]+(?:/[^?#\s]*)?")
_COLLECTION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TITLE = re.compile(r"(?! )[ -\[\]-~]{1,16}")
"""An AE title (PS3.5 6.2, AE)."""
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
    backup_dir: str = _setting(
        "HMAR_BACKUP_DIR", "", "Folder of the backups that the API has made; empty uses HMAR_HOME/backups."
    )
    kept_backups: int = _setting("HMAR_KEPT_BACKUPS", 7, "Backups of the API that are kept, the newest.")
    model_dir: str = _setting("HMAR_MODEL_DIR", "", "Model bundle to serve; empty uses the shipped one.")
    pacs_file: str = _setting(
        "HMAR_PACS_FILE", "", "The PACS that can be pulled from; empty uses HMAR_HOME/pacs.toml."
    )
    export_others: Others = _setting(
        "HMAR_EXPORT_OTHERS",
        "none",
        "What exported documents tell of hits of other patients: none, uids or pictures.",
    )
    uploads_pacs: str = _setting(
        "HMAR_UPLOADS_PACS",
        "",
        "The PACS that has what is sent here, which is then not kept; empty keeps it.",
    )
    show_names: str = _setting(
        "HMAR_SHOW_NAMES",
        "",
        "The PACS that is asked for the names of patients that the page shows; empty shows none.",
    )
    host: str = _setting("HMAR_HOST", "127.0.0.1", "Address that the web server listens on.")
    port: int = _setting("HMAR_PORT", 8080, "Port of the web server; 0 takes a free one.")
    web_processes: int = _setting("HMAR_WEB_PROCESSES", 1, "Web processes behind the one address.")
    web_threads: int = _setting("HMAR_WEB_THREADS", 4, "Requests served at a time by one of them.")
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
    oidc_issuer: str = _setting(
        "HMAR_OIDC_ISSUER", "", "URL of the identity provider whose tokens are taken; empty: none are."
    )
    oidc_audience: str = _setting("HMAR_OIDC_AUDIENCE", "", "What its tokens for this server have in aud.")
    oidc_roles_file: str = _setting(
        "HMAR_OIDC_ROLES_FILE", "", "TOML file of the scopes and collections of each role."
    )
    oidc_roles_claim: str = _setting(
        "HMAR_OIDC_ROLES_CLAIM", "roles", "Claim of the roles; dots lead inwards."
    )
    oidc_name_claim: str = _setting(
        "HMAR_OIDC_NAME_CLAIM", "preferred_username", "Claim of the name that is recorded."
    )
    oidc_clients: str = _setting(
        "HMAR_OIDC_CLIENTS", "", "Programs that may get tokens (azp), with commas; empty: all."
    )
    oidc_algorithms: str = _setting(
        "HMAR_OIDC_ALGORITHMS", "RS256,ES256", "Algorithms that tokens may be signed with, with commas."
    )
    oidc_leeway_seconds: float = _setting(
        "HMAR_OIDC_LEEWAY_SECONDS", 30.0, "How far the provider's clock may be off, in seconds."
    )
    audit_syslog: str = _setting(
        "HMAR_AUDIT_SYSLOG", "", "Syslog receiver of the audit log, syslog+tls://host:6514; empty: none."
    )
    webhook_networks: str = _setting(
        "HMAR_WEBHOOK_NETWORKS",
        "",
        "Receivers of webhooks that are allowed although they are loopback or the like: addresses, networks.",
    )
    listen_port: int = _setting(
        "HMAR_LISTEN_PORT", 0, "Port of the DICOM listener; 0: 'hmar serve' starts none."
    )
    listen_host: str = _setting(
        "HMAR_LISTEN_HOST", "127.0.0.1", "Address that the DICOM listener listens on."
    )
    listen_ae: str = _setting("HMAR_LISTEN_AE", "HMAR", "AE title of the DICOM listener.")
    listen_peers: str = _setting(
        "HMAR_LISTEN_PEERS", "127.0.0.1,::1", "Addresses or networks that may connect to it, with commas."
    )
    listen_calling: str = _setting(
        "HMAR_LISTEN_CALLING", "", "AE titles that may call it, with commas; empty: any, of these addresses."
    )
    listen_associations: int = _setting("HMAR_LISTEN_ASSOCIATIONS", 16, "Associations with it at a time.")
    listen_collection: str = _setting(
        "HMAR_LISTEN_COLLECTION", "default", "Collection that is indexed into what it receives."
    )
    listen_cert: str = _setting("HMAR_LISTEN_CERT", "", "Its certificate, in PEM; empty: no TLS.")
    listen_key: str = _setting(
        "HMAR_LISTEN_KEY", "", "Its private key, in PEM; empty: beside the certificate."
    )
    listen_ca: str = _setting(
        "HMAR_LISTEN_CA", "", "Certificates of peers, in PEM; with them a peer must present one."
    )
    encoder_threads: int = _setting("HMAR_ENCODER_THREADS", 1, "Threads of one encoder, for one frame.")
    encoder_device: str = _setting("HMAR_ENCODER_DEVICE", "cpu", "Where frames are encoded: cpu or cuda.")
    scan_threads: int = _setting("HMAR_SCAN_THREADS", 4, "Threads of one search, if there are so many cores.")
    scan_kernels: str = _setting("HMAR_SCAN_KERNELS", "compiled", "What scans windows: compiled or numpy.")
    scan_device: str = _setting("HMAR_SCAN_DEVICE", "cpu", "Where windows are scanned: cpu or cuda.")
    fast_above: int = _setting(
        "HMAR_FAST_ABOVE", 0, "Windows of an archive from which searches are fast; 0: only where asked for."
    )
    kept_frames_mb: int = _setting(
        "HMAR_KEPT_FRAMES_MB", 128, "Memory for pixels and feature maps of frames asked about last, in MiB."
    )
    max_pixels: int = _setting(
        "HMAR_MAX_PIXELS", 400_000_000, "Largest rows x columns x frames of a file; more is refused unread."
    )
    max_file_bytes: int = _setting(
        "HMAR_MAX_FILE_BYTES", 2 << 30, "Largest file that is indexed or received."
    )
    max_upload_bytes: int = _setting("HMAR_MAX_UPLOAD_BYTES", 64 << 20, "Largest body of a request.")
    max_stow_bytes: int = _setting("HMAR_MAX_STOW_BYTES", 4 << 30, "Largest body of a STOW-RS request.")
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
    worker_nice: int = _setting(
        "HMAR_WORKER_NICE", 5, "How much a worker steps back for others on its machine: 0 to 19."
    )
    otel_endpoint: str = _setting(
        "HMAR_OTEL_ENDPOINT", "", "OpenTelemetry collector, such as http://127.0.0.1:4318; empty: none."
    )
    max_attempts: int = _setting("HMAR_MAX_ATTEMPTS", 3, "Attempts at a file before it is given up.")
    log_format: str = _setting("HMAR_LOG_FORMAT", "text", "Form of log lines: text or json.")
    burned_in: str = _setting(
        "HMAR_BURNED_IN", INDEX, "Images said to have text burned into their pixels: index or refuse."
    )
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
        if self.web_processes > MOST_WEB_PROCESSES:
            raise ConfigError(
                f"HMAR_WEB_PROCESSES is {self.web_processes}.",
                f"Give a number from 1 to {MOST_WEB_PROCESSES}; no more than there are cores.",
            )
        if self.port > 65535:
            raise ConfigError(f"HMAR_PORT is {self.port}.", "Give a port from 0 to 65535.")
        if self.worker_nice > 19:
            raise ConfigError(f"HMAR_WORKER_NICE is {self.worker_nice}.", "Give a number from 0 to 19.")
        if self.scan_kernels not in SCAN_KERNELS:
            raise ConfigError(
                f"HMAR_SCAN_KERNELS is {self.scan_kernels!r}.", f"Give {' or '.join(SCAN_KERNELS)}."
            )
        for variable, device in [
            ("HMAR_ENCODER_DEVICE", self.encoder_device),
            ("HMAR_SCAN_DEVICE", self.scan_device),
        ]:
            if device not in DEVICES:
                raise ConfigError(f"{variable} is {device!r}.", f"Give {' or '.join(DEVICES)}.")
        if self.log_format not in LOG_FORMATS:
            raise ConfigError(f"HMAR_LOG_FORMAT is {self.log_format!r}.", f"Give {' or '.join(LOG_FORMATS)}.")
        if self.same_uid not in SAME_UID:
            raise ConfigError(f"HMAR_SAME_UID is {self.same_uid!r}.", f"Give one of {', '.join(SAME_UID)}.")
        if self.export_others not in EXPORT_OTHERS:
            raise ConfigError(
                f"HMAR_EXPORT_OTHERS is {self.export_others!r}.", f"Give one of {', '.join(EXPORT_OTHERS)}."
            )
        if self.burned_in not in BURNED_IN:
            raise ConfigError(f"HMAR_BURNED_IN is {self.burned_in!r}.", f"Give {' or '.join(BURNED_IN)}.")
        if self.otel_endpoint and not _COLLECTOR.fullmatch(self.otel_endpoint):
            raise ConfigError(
                "HMAR_OTEL_ENDPOINT is no address of a collector.",  # it may hold a password
                "Give the base URL of a collector, such as http://127.0.0.1:4318, without user and password.",
            )
        self._check_queue()
        _ = self.proxy_networks, self.receiver_networks, self.allowed_origins
        _ = self.identity_provider, self.audit_receiver, self.listen_networks
        self._check_listener()
        object.__setattr__(self, "home", _absolute("HMAR_HOME", self.home))
        if self.pacs_file:
            object.__setattr__(self, "pacs_file", str(_absolute("HMAR_PACS_FILE", Path(self.pacs_file))))
        if self.import_dir:
            object.__setattr__(self, "import_dir", str(_absolute("HMAR_IMPORT_DIR", Path(self.import_dir))))
        if self.backup_dir:
            object.__setattr__(self, "backup_dir", str(_absolute("HMAR_BACKUP_DIR", Path(self.backup_dir))))
        return self

    def _check_listener(self) -> None:
        if not _COLLECTION.fullmatch(self.listen_collection):
            raise ConfigError(
                f"HMAR_LISTEN_COLLECTION is {shown(self.listen_collection)}.",
                "Give 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first.",
            )
        for variable, title in [
            ("HMAR_LISTEN_AE", self.listen_ae),
            *(("HMAR_LISTEN_CALLING", title) for title in self.listen_calling_titles),
        ]:
            if not _TITLE.fullmatch(title):
                raise ConfigError(
                    f"{variable} has {shown(title)}, which is no AE title.",
                    "Give 1 to 16 letters, digits and signs, without a backslash.",
                )
        if self.listen_port > 65535:
            raise ConfigError(f"HMAR_LISTEN_PORT is {self.listen_port}.", "Give a port from 1 to 65535.")

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
    def proxy_networks(self) -> Networks:
        """Networks of the proxies that are trusted."""
        return _networks("HMAR_TRUSTED_PROXIES", self.trusted_proxies)

    @property
    def receiver_networks(self) -> Networks:
        """Networks of receivers of webhooks that are allowed although they are loopback or alike."""
        return _networks("HMAR_WEBHOOK_NETWORKS", self.webhook_networks)

    @property
    def listen_networks(self) -> Networks:
        """Networks of the peers of the DICOM listener."""
        return _networks("HMAR_LISTEN_PEERS", self.listen_peers)

    @property
    def listen_calling_titles(self) -> tuple[str, ...]:
        """AE titles that may call the DICOM listener; none at all: any may."""
        return tuple(filter(None, map(str.strip, self.listen_calling.split(","))))

    @property
    def allowed_origins(self) -> frozenset[str]:
        """Origins whose pages may use the API, as browsers send them."""
        origins = _listed(self.cors_origins)
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ConfigError(
                    f"HMAR_CORS_ORIGINS has {shown(origin)}.",
                    "Give origins as browsers send them, such as https://pacs.example or "
                    "http://localhost:3000: in lower case, without a path, none for all.",
                )
        return frozenset(origins)

    @property
    def identity_provider(self) -> IdentityProvider | None:
        """The provider whose tokens are taken, None for none."""
        needed = {
            "HMAR_OIDC_ISSUER": self.oidc_issuer,
            "HMAR_OIDC_AUDIENCE": self.oidc_audience,
            "HMAR_OIDC_ROLES_FILE": self.oidc_roles_file,
        }
        empty = [variable for variable, value in needed.items() if not value]
        if len(empty) == len(needed):
            return None
        if empty:
            raise ConfigError(
                f"{empty[0]} is empty.", f"Set all of {', '.join(needed)}, or none to take keys alone."
            )
        return IdentityProvider(
            issuer=self.oidc_issuer,
            audience=self.oidc_audience,
            roles_file=_absolute("HMAR_OIDC_ROLES_FILE", Path(self.oidc_roles_file)),
            algorithms=_listed(self.oidc_algorithms),
            clients=_listed(self.oidc_clients),
            name_claim=self.oidc_name_claim,
            roles_claim=self.oidc_roles_claim,
            leeway_s=self.oidc_leeway_seconds,
        )

    @property
    def audit_receiver(self) -> SyslogReceiver | None:
        """Where the audit log is also sent, None for nowhere."""
        return SyslogReceiver.parse(self.audit_syslog) if self.audit_syslog else None

    @property
    def import_root(self) -> Path:
        """Folder that index jobs of the API may read."""
        return Path(self.import_dir) if self.import_dir else self.home / "import"

    @property
    def pacs_path(self) -> Path:
        """File of the PACS that can be pulled from; there may be none."""
        return Path(self.pacs_file) if self.pacs_file else self.home / "pacs.toml"

    @property
    def label_notes_path(self) -> Path:
        """File of what the site says of its labels; there may be none."""
        return self.home / "labels.toml"

    @property
    def backup_root(self) -> Path:
        """Folder of the backups that the API has made."""
        return Path(self.backup_dir) if self.backup_dir else self.home / "backups"

    @property
    def spool_root(self) -> Path:
        """Folder of what comes in and is not indexed yet."""
        return self.home / "spool"

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


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _networks(variable: str, text: str) -> Networks:
    try:
        return tuple(ip_network(name, strict=False) for name in _listed(text))
    except ValueError as error:
        raise ConfigError(
            f"{variable} is {text!r}.", "Give addresses or networks, such as 10.0.0.5,10.1.0.0/16."
        ) from error


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
