"""The composition root: context, clock, deadline, wiring, and what counts as a failed run.

No rule about tasks is here. What FunctionGraph calls is re-exported by ``index.py``.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
import traceback
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple

from sms_watch import __version__, events
from sms_watch.errors import WatchError, WatchFailed
from sms_watch.journal.objects import DailyJournal
from sms_watch.logs import JsonLog, Redactor
from sms_watch.messages.compose import Imprint
from sms_watch.model.notice import Message
from sms_watch.ports import Clock, Log, Publisher
from sms_watch.report import is_idle, report
from sms_watch.run import Order, Outside, execute
from sms_watch.settings import (
    LOG_LEVELS,
    SETTINGS,
    Credentials,
    FileJournal,
    Journal,
    Settings,
    parse,
)

SECRET_SETTINGS = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN")
# FunctionGraph kills a run at its timeout; the budget has to end well before that.
TIMEOUT_MARGIN = 10
# When calls are given up, that what follows them still has time: those to SMS at a share of the
# budget, the message and then the journal some seconds after it, well within the margin.
MIGRATION_SHARE, PUBLISH_GRACE, JOURNAL_GRACE = 0.9, 3, 5


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """Give the moment, aware, in UTC."""
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        """Give seconds on a clock that is never set."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class Budget:
    """The deadline of a run, on a monotonic clock.

    FunctionGraph's own time methods are not used: two published runtimes disagree about their
    unit (FunctionGraph developer guide, "context").
    """

    def __init__(self, clock: Clock, begun: float, seconds: float) -> None:
        self._clock = clock
        self._end = begun + seconds

    def left(self) -> float:
        """Give the seconds left in which new work may begin; 0 or less when there are none."""
        return self._end - self._clock.monotonic()


SYSTEM_CLOCK = SystemClock()


def handler(event: Any, context: Any, *, clock: Clock = SYSTEM_CLOCK) -> Dict[str, Any]:
    """Do one run and return its report.

    ``event`` is a timer's (FunctionGraph developer guide, "timer trigger"); any other works as
    well. ``context`` is FunctionGraph's; without one, the settings come from the environment.
    Raises WatchFailed when the platform has to count the run as failed.
    """
    invocation = _Invocation.begin(context, clock)
    log = invocation.log()
    try:
        made, failure = invocation.serve(events.read(event), log)
    except WatchError as error:
        made, failure = {}, str(error)
    except Exception as error:
        made, failure = {}, f"an error that was not foreseen, {type(error).__name__}: {error}"
        log("ERROR", "unforeseen", where=traceback.format_tb(error.__traceback__)[-3:])
    if failure:
        log("ERROR", "failed", why=failure)
        # Raised here, so that no other exception, with a text of its own, hangs on it.
        raise WatchFailed(invocation.redact(failure))
    return made


def initializer(context: Any) -> None:
    """Import ahead of the first run what is slow to import.

    Never fails, because a failing initializer costs the instance: the run itself will say what
    is wrong.
    """
    with contextlib.suppress(Exception):
        _import_adapters()


@dataclass(frozen=True)
class _Invocation:
    """What is known of one invocation from the start; the only reading of the clock."""

    clock: Clock
    begun: float
    now: datetime
    run: str
    texts: Mapping[str, str]
    agency: Optional[Credentials]
    redact: Redactor

    @classmethod
    def begin(cls, context: Any, clock: Clock) -> _Invocation:
        """Read the clock, the settings' texts, and the agency's keys."""
        begun, now = clock.monotonic(), clock.now()
        run = _ask(context, "getRequestID") or str(uuid.uuid4())
        texts, agency = _texts(context), _agency(context)
        return cls(clock, begun, now, run, texts, agency, Redactor(_secrets(texts, agency)))

    def log(self) -> JsonLog:
        """Give the log of this invocation, on stdout."""

        def moment() -> datetime:
            return self.now + timedelta(seconds=self.clock.monotonic() - self.begun)

        return JsonLog(_write_line, moment, self.run, self.redact, _log_level(self.texts))

    def serve(self, waking: events.Waking, log: Log) -> Tuple[Dict[str, Any], str]:
        """Do the run; give its report, and the reason why it failed if it did."""
        settings = parse(self.texts, self.agency, _load_zone)
        short = _short_timeout(settings)
        if short:
            # Ahead of all else: a run that is killed comes to no summary.
            log("WARNING", "timeout", why=short[0])
        remarks: List[str] = []
        outside = self._outside(settings, remarks.append)
        result = execute(self._order(settings, waking), outside)
        ours = (*waking.warnings, *short, *_short_memory(settings))
        warnings = (*ours, *remarks, *result.warnings)
        result = replace(result, warnings=warnings)
        made: Dict[str, Any] = self.redact(report(result, self.run, self.now, settings.dry_run))
        _tell(log, made)
        return made, "; ".join(text for text in (result.failure, waking.problem) if text)

    def _order(self, settings: Settings, waking: events.Waking) -> Order:
        imprint = Imprint(self.run, self.now, settings.zone, settings.console)
        return Order(imprint, settings.scope, settings.policy, settings.dry_run, waking.commands)

    def _outside(self, settings: Settings, remark: Callable[[str], None]) -> Outside:
        file, obs, sdk, sms = _import_adapters()
        budget, sleep = settings.budget, self.clock.sleep
        keys, topic = settings.credentials, settings.topic
        to_sms = WARM.get(sms, settings.sms_endpoint, keys)
        place = settings.journal
        if isinstance(place, FileJournal):
            store = file.FileStore(Path(place.directory))
        else:
            to_obs = WARM.get(obs, place.endpoint)
            caller = sdk.Caller(to_obs, self._until(budget + JOURNAL_GRACE), sleep)
            store = obs.ObsStore(place, caller, keys, self.now, remark)

        # A fifth of all importing is the client for messages, which most runs do without.
        def publisher() -> Publisher:
            from sms_watch.adapters import smn  # noqa: PLC0415 - it is slow to import

            to_smn = WARM.get(smn, settings.smn_endpoint, keys, topic.project_id)
            caller = sdk.Caller(to_smn, self._until(budget + PUBLISH_GRACE), sleep)
            made: Publisher = smn.SmnPublisher(caller, topic.urn)
            return made

        return Outside(
            sms.SmsService(sdk.Caller(to_sms, self._until(budget * MIGRATION_SHARE), sleep)),
            _OnDemand(publisher),
            DailyJournal(store, self.now, _nonce),
            self._until(budget),
            budget,
            _nonce,
            self.redact,
        )

    def _until(self, seconds: float) -> Budget:
        return Budget(self.clock, self.begun, seconds)


# From context and environment


def _ask(context: Any, method: str, *arguments: str) -> str:
    """Ask the context for a text; one that is missing, or cannot be asked, gives none.

    What is missing then is told like anything that is not set.
    """
    answer = None
    with contextlib.suppress(Exception):
        answer = getattr(context, method)(*arguments)
    return answer.strip() if isinstance(answer, str) else ""


def _texts(context: Any) -> Dict[str, str]:
    """Give what is set, by name: the context first, which alone has the encrypted ones."""
    found = {
        setting.name: _ask(context, "getUserData", setting.name)
        or os.environ.get(setting.name, "").strip()
        for setting in SETTINGS
    }
    return {name: text for name, text in found.items() if text}


def _agency(context: Any) -> Optional[Credentials]:
    """Give the temporary keys of the function's agency, fresh, if it has one."""
    keys = Credentials(
        _ask(context, "getSecurityAccessKey"),
        _ask(context, "getSecuritySecretKey"),
        _ask(context, "getSecurityToken"),
    )
    return keys if keys.access_key and keys.secret_key else None


def _secrets(texts: Mapping[str, str], agency: Optional[Credentials]) -> List[str]:
    found = [texts.get(name, "") for name in SECRET_SETTINGS]
    if agency is not None:
        found += [agency.access_key, agency.secret_key, agency.security_token]
    return found


def _log_level(texts: Mapping[str, str]) -> str:
    level = texts.get("LOG_LEVEL", "").upper()
    return level if level in LOG_LEVELS else "INFO"


def _load_zone(name: str) -> tzinfo:
    from sms_watch.zones import load_zone  # noqa: PLC0415 - few need it, and it reads files

    return load_zone(name)


def _short_timeout(settings: Settings) -> List[str]:
    """Warn of a timeout that kills runs in the middle."""
    timeout, needed = os.environ.get("RUNTIME_TIMEOUT", ""), settings.budget + TIMEOUT_MARGIN
    if not timeout.isdigit() or int(timeout) >= needed:
        return []
    return [
        f"the function's timeout is {timeout} s, too short for RUN_BUDGET_SECONDS"
        f" ({settings.budget}): set the timeout to {needed} s under Basic Settings"
    ]


def _short_memory(settings: Settings) -> List[str]:
    """Warn of a journal that goes with the container."""
    if "RUNTIME_CODE_ROOT" not in os.environ or not _lies_in_tmp(settings.journal):
        return []
    return [
        "JOURNAL_URI lies in /tmp, which FunctionGraph deletes with the container, about a minute"
        " after the last run: what is remembered there is forgotten"
    ]


def _lies_in_tmp(place: Journal) -> bool:
    if not isinstance(place, FileJournal):
        return False
    within = (place.directory, *place.directory.parents)
    return PurePosixPath("/tmp") in within  # noqa: S108 - it is not written to


# Wiring


class _Warm:
    """The clients of a container, kept while address and keys stay the same."""

    def __init__(self) -> None:
        self._kept: Dict[str, Tuple[Any, Any]] = {}

    def __repr__(self) -> str:
        return "_Warm()"

    def get(self, service: Any, *address: Any) -> Any:
        """Give the connection of a service's adapter, made anew when its address has changed."""
        known, connection = self._kept.get(service.__name__, (None, None))
        if known != address:
            if connection is not None:
                connection.close()
            connection = service.connect(*address)
            self._kept[service.__name__] = (address, connection)
        return connection

    def forget(self) -> None:
        """Close all clients, as the end of the container does."""
        for _, connection in self._kept.values():
            connection.close()
        self._kept.clear()


WARM = _Warm()


@dataclass(frozen=True)
class _OnDemand:
    """A Publisher that is made when there is something to publish: most runs have nothing."""

    make: Callable[[], Publisher]

    def publish(self, message: Message) -> str:
        """Publish one message and give its id. Raises CloudError, as the port describes."""
        return self.make().publish(message)


def _import_adapters() -> Any:
    """Import what is slow to import, once it is certain to be needed."""
    from sms_watch.adapters import file, obs, sdk, sms  # noqa: PLC0415 - slow

    return file, obs, sdk, sms


def _nonce() -> str:
    return secrets.token_hex(8)


# Output


def _write_line(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _tell(log: Log, made: Mapping[str, Any]) -> None:
    """Write the report to the log: a line for every task that is not idle, and a summary."""
    for task in made["tasks"]:
        if not is_idle(task):
            log("INFO", "task", **task)
    summary = {name: made[name] for name in ("dry_run", "counts", "notices", "published")}
    level = "WARNING" if made["warnings"] else "INFO"
    log(level, "run", version=__version__, **summary, warnings=made["warnings"])
