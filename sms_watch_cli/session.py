"""What the commands share: settings, one way to the cloud, and errors that people can use.

A command that looks uses the adapters of the watchdog itself, so what it finds is what the
watchdog would find. Nothing here starts, sends or writes.
"""

from __future__ import annotations

import io
import shlex
import socket
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Tuple, TypeVar
from urllib.parse import SplitResult, urlsplit

import click
from dotenv import dotenv_values
from dotenv.parser import parse_stream

from sms_watch.adapters.sdk import Caller
from sms_watch.clock import SYSTEM_CLOCK, RunClock
from sms_watch.context import settings_of, texts_by_name, unread_in
from sms_watch.errors import SettingsError, WatchError
from sms_watch.ports import Clock
from sms_watch.redaction import Redactor
from sms_watch.settings.parse import secrets_in
from sms_watch.settings.readers import LOOPBACK
from sms_watch.settings.values import FileJournal, Settings
from sms_watch.text import clean
from sms_watch.timetable import Timetable
from sms_watch.wiring import Clients, Wiring
from sms_watch_cli import INTERRUPTED

if TYPE_CHECKING:  # commands that print plain lines do without it
    from rich.console import Console

MOST_SHOWN = 2_000  # characters of a line; what is longer is a fault, or meant to hide something
SOON = 1.0  # seconds; on one's own machine an answer takes none
ENDPOINTS = ("SMS_ENDPOINT", "SMN_ENDPOINT", "OBS_ENDPOINT")
IS_IT_RUNNING = (
    "is sms-watch cloud still running? Start it again in the folder of its settings file, which"
    " it then writes anew"
)
STDOUT = Path("-")
LOOK = Timetable(50)  # of one look: that which a run of the watchdog has by default

Command = TypeVar("Command", bound=Callable[..., Any])


def shown(text: str) -> str:
    """Return a text as a terminal may have it: each line without what it would obey, or hide."""
    return "\n".join(clean(line, MOST_SHOWN) for line in text.split("\n"))


SOURCES = "give settings in the environment, or in a file that --env-file names"


class CommandError(click.ClickException):
    """Why a command cannot do its work, and what to do about it; exit status 2."""

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(shown(message))


class Commands(click.Group):
    """A group whose commands end with a line for people, whatever happens in them."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; errors become one line, Ctrl-C becomes its usual exit status."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise CommandError(f"{error}\n{SOURCES.capitalize()}.") from None
        except WatchError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):  # whoever read has gone; click ends quietly
                raise
            about = f"{error.filename}: " if error.filename else ""
            raise CommandError(
                f"{about}{error.strerror or error}; check that it is there and that you may use it"
            ) from None
        except (KeyboardInterrupt, click.Abort):
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


def env_file_option(command: Command) -> Command:
    """Add the option that names a file with settings; the command is given what the file holds."""
    option = click.option(
        "--env-file",
        "given",
        type=click.Path(dir_okay=False, path_type=Path),
        callback=lambda ctx, parameter, path: read_env_file(path),
        help="The settings, one NAME=value a line; the environment supplies the rest.",
    )
    return option(command)


def read_env_file(path: Optional[Path]) -> Dict[str, str]:
    """Return the settings in a file, nothing without one. Raise CommandError if it is none.

    It is read once: what a shell or a program hands over can be read no second time.
    """
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        place = "" if path.is_absolute() else f" in {Path.cwd()}"
        raise CommandError(
            f"there is no file {path}{place}; change to its folder, or give its full path"
        ) from None
    except UnicodeDecodeError:
        raise CommandError(f"{path} is not UTF-8 text; write one NAME=value a line") from None
    found = list(parse_stream(io.StringIO(text)))
    wrong = [
        each.original.line for each in found if each.error or (each.key and each.value is None)
    ]
    if wrong:
        # The line itself is not shown: it may hold a key.
        raise CommandError(f"{path}, line {wrong[0]} is not NAME=value; write one setting a line")
    values = dotenv_values(stream=io.StringIO(text))
    return {name: value for name, value in values.items() if value is not None}


def out_option(name: str, what: str, **more: Any) -> Callable[[Command], Command]:
    """Add the option that says where to write a page; what cannot be written is told at once."""
    return click.option(
        name,
        "out",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        callback=lambda ctx, parameter, path: _writable(path),
        help=what,
        **more,
    )


def _writable(out: Optional[Path]) -> Optional[Path]:
    """Return a path as it is. Raise CommandError if nothing can be written there."""
    if out is None or out == STDOUT or (out.exists() and not out.is_file()):
        return out  # what is a pipe is opened once, to be written
    is_new = not out.exists()
    try:
        out.open("ab").close()
    except OSError as error:
        raise cannot_write(out, error) from None
    if is_new:
        out.unlink()
    return out


def cannot_write(out: Path, error: OSError) -> CommandError:
    """Return why a file cannot be written, and what to do."""
    return CommandError(f"{out} cannot be written: {error.strerror}; name another file")


def texts_of(given: Mapping[str, str]) -> Dict[str, str]:
    """Return what is set, in a file or the environment."""
    return texts_by_name(given.get)


def unread_of(given: Mapping[str, str]) -> Tuple[str, ...]:
    """Return a warning of each variable, in a file or the environment, that is no setting."""
    return unread_in(given)


def unanswered(texts: Mapping[str, str]) -> str:
    """Return which address on this machine nobody answers at, and what to ask; mostly nothing."""
    for name in ENDPOINTS:
        url = urlsplit(texts.get(name, ""))
        if url.port and LOOPBACK.fullmatch(url.hostname or "") and not _listens(url):
            return f"nothing answers at {texts[name]}, which {name} names: {IS_IT_RUNNING}"
    return ""


def asking(text: str, texts: Mapping[str, str]) -> str:
    """Return the text of an error, with a question where the simulated cloud may be missing."""
    question = unanswered(texts)
    return f"{text}; {question}" if question else text


def _listens(url: SplitResult) -> bool:
    try:
        socket.create_connection((url.hostname or "", url.port or 0), SOON).close()
    except OSError:
        return False
    return True


@dataclass
class CloudSession:
    """The way to the cloud for one command, on one connection to each service.

    ``unread`` are warnings of variables that are no settings.
    """

    settings: Settings
    redact: Redactor
    clock: Clock = SYSTEM_CLOCK
    unread: Tuple[str, ...] = ()
    _texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    _clients: Clients = field(default_factory=Clients)

    @classmethod
    def of(
        cls,
        texts: Mapping[str, str],
        clock: Clock = SYSTEM_CLOCK,
        unread: Tuple[str, ...] = (),
    ) -> CloudSession:
        """Make one for these settings. Raise SettingsError with every problem."""
        redact = Redactor(secrets_in(texts))
        return cls(settings_of(texts, unread=unread), redact, clock, unread, texts)

    def __enter__(self) -> CloudSession:
        return self

    def __exit__(self, kind: object, error: Optional[BaseException], trace: object) -> None:
        self._clients.forget()
        if isinstance(error, WatchError):
            # What a service answers may hold a key.
            raise CommandError(self.redact(self.asking(str(error)))) from None

    def asking(self, text: str) -> str:
        """Return the text of an error, with a question where the simulated cloud may be missing."""
        return asking(text, self._texts)

    def wiring(self) -> Wiring:
        """Return the way to the cloud for one look, which begins now."""
        time = RunClock(self.clock, self.clock.now(), self.clock.monotonic())
        # A look writes nothing, so its store has nothing to warn of.
        return Wiring(self.settings, time, LOOK, self._clients, lambda warning: None)

    def caller(self, connect: Callable[..., Any], *address: Any) -> Caller:
        """Return what calls a service that the watchdog itself does not use, for one look."""
        return self.wiring().caller(self._clients.get(connect, *address), LOOK.budget)


def can_redraw(console: Console) -> bool:
    """Return whether what stands on a console can be changed: not in a file, nor if TERM=dumb."""
    return console.is_terminal and not console.is_dumb_terminal


def command_here() -> str:
    """Return this command as it can be typed here: where it is installed, or as a module.

    In most shells no other Python has the packages.
    """
    installed = Path(sys.executable).with_name("sms-watch")
    if installed.exists():
        return _from_here(installed)
    return f"{_from_here(Path(sys.executable))} -m sms_watch_cli"


def _from_here(program: Path) -> str:
    here = Path.cwd()
    return shlex.quote(str(program.relative_to(here) if here in program.parents else program))


def shown_place(settings: Settings) -> str:
    """Name the place of the journal as people write it."""
    place = settings.journal
    if isinstance(place, FileJournal):
        return f"file://{place.directory}"
    return f"obs://{place.bucket}/{place.prefix}".rstrip("/")


def split_urn(urn: str, form: str, parts: int) -> Tuple[str, ...]:
    """Take a URN apart. Raise CommandError, with the form that is accepted, when it is none."""
    found = tuple(urn.split(":"))
    if len(found) < parts or found[0] != "urn" or not all(found):
        raise CommandError(f"{urn!r} is not accepted; give {form}")
    return found
