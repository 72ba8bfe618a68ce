"""One invocation of the function, and what counts as a failed one.

No rule about tasks is here, and no wiring. What FunctionGraph calls is re-exported by ``index.py``.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, List, Mapping, Tuple

from sms_watch import __version__
from sms_watch.clock import SYSTEM_CLOCK, RunClock
from sms_watch.context import InvocationContext
from sms_watch.errors import WatchError, WatchFailed
from sms_watch.events import TimerEvent, parse_event
from sms_watch.libraries import described, loaded_elsewhere, refuse_another_sdk
from sms_watch.logs import JsonLog
from sms_watch.messages.compose import RunContext
from sms_watch.ports import Clock, Log, Ports
from sms_watch.redaction import Redactor
from sms_watch.report import is_idle, report
from sms_watch.run import RunRequest, execute
from sms_watch.settings.values import Settings
from sms_watch.timetable import Timetable


def handler(event: Any, context: Any, *, clock: Clock = SYSTEM_CLOCK) -> Dict[str, Any]:
    """Do one run and return its report.

    ``event`` is a timer's (FunctionGraph developer guide, "timer trigger"); any other works as
    well. ``context`` is FunctionGraph's; without one, the settings come from the environment.
    Raise WatchFailed if the platform has to count the run as failed.
    """
    invocation = _Invocation.begin(context, clock)
    log = invocation.log("ERROR")  # which every LOG_LEVEL lets through
    try:
        made, failure = invocation.serve(parse_event(event))
    except WatchError as error:
        made, failure = {}, str(error)
    except Exception as error:
        made, failure = {}, _unforeseen(error)
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
        importlib.import_module("sms_watch.wiring")


@dataclass(frozen=True)
class _Invocation:
    """What is known of one invocation from the start; the only reading of the clock."""

    time: RunClock
    context: InvocationContext
    redact: Redactor

    @classmethod
    def begin(cls, context: Any, clock: Clock) -> _Invocation:
        """Read the clock, the settings' texts, and the agency's keys."""
        time = RunClock(clock, begun=clock.monotonic(), now=clock.now())
        given = InvocationContext.of(context)
        return cls(time, given, Redactor(given.secrets))

    def log(self, level: str) -> JsonLog:
        """Return the log of this invocation, on stdout, from a level upwards."""
        return JsonLog(_write_line, self.time.moment, self.context.request_id, self.redact, level)

    def serve(self, event: TimerEvent) -> Tuple[Dict[str, Any], str]:
        """Do the run; return its report, and the reason why it failed if it did."""
        settings = self.context.settings()
        log, timetable = self.log(settings.log_level), Timetable(settings.budget)
        short = self.context.short_timeout(timetable)
        if short:
            # Ahead of all else: a run that is killed comes to no summary.
            log("WARNING", "timeout", why=short[0])
        _look_at_libraries(log)
        of_store: List[str] = []
        result = execute(
            self._request(settings, event), self._ports(settings, timetable, of_store.append)
        )
        place = self.context.short_memory(settings.journal)
        ours = (*event.warnings, *self.context.unread, *short, *place)
        result = replace(result, warnings=(*ours, *of_store, *result.warnings))
        made: Dict[str, Any] = self.redact(
            report(result, self.context.request_id, self.time.now, settings.dry_run)
        )
        _tell(log, made)
        return made, "; ".join(text for text in (result.failure, event.problem) if text)

    def _request(self, settings: Settings, event: TimerEvent) -> RunRequest:
        context = RunContext(
            self.context.request_id,
            self.time.now,
            settings.zone,
            settings.console,
            settings.policy.backoff_max,
        )
        return RunRequest(
            context, settings.scope, settings.policy, settings.dry_run, event.commands
        )

    def _ports(
        self, settings: Settings, timetable: Timetable, warn: Callable[[str], None]
    ) -> Ports:
        # Slow to import; wrong settings are told without it.
        from sms_watch.wiring import WARM, Wiring  # noqa: PLC0415 - as said above

        return Wiring(settings, self.time, timetable, WARM, warn).ports(self.redact)


def _unforeseen(error: Exception) -> str:
    """Return what went wrong, and what may be behind it."""
    said = f"an unexpected error, {type(error).__name__}: {error}"
    elsewhere = loaded_elsewhere()
    return f"{said}; {described(elsewhere)}" if elsewhere else said


def _look_at_libraries(log: Log) -> None:
    """Log which are not those that were deployed. Raise WatchError if none can be worked with."""
    elsewhere = loaded_elsewhere()
    if elsewhere:
        log("INFO", "libraries", loaded_elsewhere=elsewhere)
    refuse_another_sdk(elsewhere)


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
