"""What every model store refuses alike."""

from __future__ import annotations

from hmar.errors import ConflictError
from hmar.values.models import ModelName, ModelRoles


def check_next(roles: ModelRoles, model: ModelName) -> None:
    """Raise ConflictError where another model is the next one."""
    other = roles.next
    if other is not None and other.fingerprint != model.fingerprint:
        raise ConflictError(
            f"The archive is being indexed under the model {other.name} ({other.fingerprint[:12]}).",
            f"Finish that and use it, or give it up: hmar models remove {other.fingerprint[:12]}",
        )


def check_missing(model: ModelName, missing: int, accepted: int) -> None:
    """Raise ConflictError where more frames are missing under a model than are accepted."""
    if missing > accepted:
        raise ConflictError(
            f"{missing} frames are not indexed under the model {model.name} ({model.fingerprint[:12]}).",
            f"Index them first (hmar reindex --model {model.fingerprint[:12]}), or say that no search shall "
            f"find them (--accept-missing {missing}; accept_missing in the API).",
        )


def check_carried(roles: ModelRoles, model_fingerprint: str) -> None:
    """Raise ConflictError for codes of a model that the archive is not indexed under."""
    if model_fingerprint not in roles.fingerprints:
        raise ConflictError(
            f"The archive is not being indexed under the model {model_fingerprint[:12]} any more.",
            "Begin again with 'hmar reindex', if it shall be.",
        )


def check_unused(roles: ModelRoles, model_fingerprint: str) -> None:
    """Raise ConflictError for a model that is used."""
    if roles.used is not None and roles.used.fingerprint == model_fingerprint:
        raise ConflictError(
            f"The archive searches with the model {roles.used.name} ({model_fingerprint[:12]}).",
            "Use another model first: hmar models use FINGERPRINT",
        )
