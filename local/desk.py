"""What the commands share: settings, one way to the cloud, and errors that people can use.

A command that looks uses the adapters of the watchdog itself, so what it finds is what the
watchdog would find. Nothing here starts, sends or writes.
"""

from __future__ import annotations

import io
import os
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, TypeVar

import click
from dotenv import dotenv_values
from dotenv.parser import parse_stream

from sms_watch.adapters import obs, sms
from sms_watch.adapters.file import FileStore
from sms_watch.adapters.obs import ObsStore
from sms_watch.adapters.sdk import Caller
from sms_watch.adapters.sms import SmsService
from sms_watch.errors import WatchError
from sms_watch.handler import SECRET_SETTINGS, SYSTEM_CLOCK, Budget
from sms_watch.journal.objects import AppendStore, DailyJournal
from sms_watch.logs import Redactor
from sms_watch.ports import Clock
from sms_watch.settings import SETTINGS, FileJournal, Settings, parse
from sms_watch.zones import load_zone

INTERRUPTED = 130  # what a shell gives for a program that Ctrl-C ended
PATIENCE = 50.0  # seconds for all calls of one look, as a run of the watchdog has by default

Command = TypeVar("Command", bound=Callable[..., Any])


class Trouble(click.ClickException):
    """Why a command cannot do its work, and what to do about it; exit status 2."""

    exit_code = 2


class Commands(click.Group):
    """A group whose commands end with a line for people, whatever happens in them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors become one line, Ctrl-C becomes its usual exit status."""
        try:
            return super().invoke(ctx)
        except WatchError as error:
            raise Trouble(str(error)) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):  # whoever read has gone; click ends quietly
                raise
            about = f"{error.filename}: " if error.filename else ""
            raise Trouble(f"{about}{error.strerror or error}; see that it can be used") from None
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


def env_file_option(command: Command) -> Command:
    """Add the option that names a file with settings."""
    option = click.option(
        "--env-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="The settings, one NAME=value a line; the environment has the rest.",
    )
    return option(command)


def read_env_file(path: Optional[Path]) -> Dict[str, str]:
    """Give the settings in a file, nothing without one. Raises Trouble when it is none."""
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Trouble(f"{path} is no text in UTF-8; give one NAME=value a line") from None
    found = list(parse_stream(io.StringIO(text)))
    wrong = [
        each.original.line for each in found if each.error or (each.key and each.value is None)
    ]
    if wrong:
        # The line itself is not shown: it may hold a key.
        raise Trouble(f"{path}, line {wrong[0]} makes no sense; give one NAME=value a line")
    return {name: value for name, value in dotenv_values(path).items() if value is not None}


def texts_of(path: Optional[Path]) -> Dict[str, str]:
    """Give what is set: in the file, or else in the environment. Raises Trouble."""
    found = read_env_file(path)
    texts = {each.name: found.get(each.name) or os.environ.get(each.name, "") for each in SETTINGS}
    return {name: text.strip() for name, text in texts.items() if text.strip()}


def settings_of(texts: Mapping[str, str]) -> Settings:
    """Check the settings. Raises SettingsError with every problem."""
    return parse(texts, None, load_zone)


def nonce() -> str:
    """Give a nonce for a line of the journal."""
    return secrets.token_hex(8)


@dataclass
class Desk:
    """The way to the cloud for one command, on one connection to each service."""

    settings: Settings
    redact: Redactor
    clock: Clock = SYSTEM_CLOCK
    _open: Dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, texts: Mapping[str, str], clock: Clock = SYSTEM_CLOCK) -> Desk:
        """Make one for these settings. Raises SettingsError with every problem."""
        known = [texts.get(name, "") for name in SECRET_SETTINGS]
        return cls(settings_of(texts), Redactor(known), clock)

    def __enter__(self) -> Desk:
        return self

    def __exit__(self, *_: object) -> None:
        for connection in self._open.values():
            connection.close()

    def caller(self, name: str, connect: Callable[[], Any]) -> Caller:
        """Give a caller for one look, on the connection of that name."""
        if name not in self._open:
            self._open[name] = connect()
        return Caller(self._open[name], self.budget(), self.clock.sleep)

    def budget(self) -> Budget:
        """Give the time that one look has, from now on."""
        return Budget(self.clock, self.clock.monotonic(), PATIENCE)

    def sms(self) -> SmsService:
        """Give the migration tasks."""
        made = self.settings
        return SmsService(
            self.caller("sms", lambda: sms.connect(made.sms_endpoint, made.credentials))
        )

    def journal(self, now: datetime) -> DailyJournal:
        """Give the journal. Raises JournalError where it cannot be used at all."""
        return DailyJournal(self.store(now), now, nonce)

    def store(self, now: datetime) -> AppendStore:
        """Give the store behind the journal. Raises JournalError where there can be none."""
        place = self.settings.journal
        if isinstance(place, FileJournal):
            return FileStore(Path(place.directory))
        caller = self.caller("obs", lambda: obs.connect(place.endpoint))
        unheard: List[str] = []
        return ObsStore(place, caller, self.settings.credentials, now, unheard.append)


def shown_place(settings: Settings) -> str:
    """Name the place of the journal as people write it."""
    place = settings.journal
    if isinstance(place, FileJournal):
        return f"file://{place.directory}"
    return f"obs://{place.bucket}/{place.prefix}".rstrip("/")


def split_urn(urn: str, form: str, parts: int) -> Tuple[str, ...]:
    """Take a URN apart. Raises Trouble, with the form that is accepted, when it is none."""
    found = tuple(urn.split(":"))
    if len(found) < parts or found[0] != "urn" or not all(found):
        raise Trouble(f"{urn!r} is not accepted; give {form}")
    return found
