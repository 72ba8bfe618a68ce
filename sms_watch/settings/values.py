"""The settings as one checked value. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import PurePosixPath
from typing import Union

from sms_watch.model.policy import Policy, Scope


@dataclass(frozen=True)
class Credentials:
    """Keys for the cloud; never shown."""

    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    security_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Topic:
    """A notification topic, known by its URN ``urn:smn:<region>:<project id>:<name>``."""

    urn: str
    region: str
    project_id: str


@dataclass(frozen=True)
class FileJournal:
    """A journal in a directory."""

    directory: PurePosixPath


@dataclass(frozen=True)
class ObsJournal:
    """A journal in a bucket. ``own``: the default bucket, which is made when it is missing."""

    endpoint: str
    region: str
    bucket: str
    prefix: str = ""
    own: bool = False


Journal = Union[FileJournal, ObsJournal]


@dataclass(frozen=True)
class Settings:
    """Everything that people can set, checked. ``budget`` is in seconds."""

    scope: Scope
    topic: Topic
    credentials: Credentials
    sms_endpoint: str
    smn_endpoint: str
    console: str
    journal: Journal
    policy: Policy
    zone: tzinfo
    budget: int
    dry_run: bool
    log_level: str
