"""What one invocation was given: by FunctionGraph's context, and by the environment."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import PurePosixPath
from typing import Any, Callable, Dict, Iterable, List, Mapping, Optional, Set, Tuple

from sms_watch.errors import SettingsError
from sms_watch.settings.parse import parse, secrets_in
from sms_watch.settings.table import SETTINGS, unknown
from sms_watch.settings.values import Credentials, FileJournal, Journal, Settings
from sms_watch.timetable import Timetable


@dataclass(frozen=True)
class InvocationContext:
    """What is known of one invocation before its settings are checked.

    ``texts`` are the settings by name, ``unread`` warnings of variables that look like settings and
    are none. ``agency`` are the temporary keys of the function's agency.
    ``timeout`` is that of the function, in seconds, where it is told; ``on_platform`` is false on
    one's own machine.
    """

    request_id: str
    texts: Mapping[str, str] = field(repr=False)
    unread: Tuple[str, ...] = ()
    agency: Optional[Credentials] = None
    timeout: Optional[int] = None
    on_platform: bool = False

    @classmethod
    def of(cls, context: Any) -> InvocationContext:
        """Read FunctionGraph's context, which may be missing, and the environment."""
        timeout = os.environ.get("RUNTIME_TIMEOUT", "")

        def ask(name: str) -> str:
            return _ask(context, "getUserData", name)

        return cls(
            _ask(context, "getRequestID") or str(uuid.uuid4()),
            texts_by_name(ask),
            unread_in(_names(ask)),
            _agency(context),
            int(timeout) if timeout.isdecimal() else None,
            "RUNTIME_CODE_ROOT" in os.environ,
        )

    @property
    def secrets(self) -> List[str]:
        """What must not be seen in any output."""
        return secrets_in(self.texts, self.agency)

    def settings(self) -> Settings:
        """Check the settings. Raise SettingsError, with every problem, if there is one."""
        return settings_of(self.texts, self.agency, self.unread)

    def short_timeout(self, timetable: Timetable) -> Tuple[str, ...]:
        """Warn of a timeout that kills runs in the middle."""
        if self.timeout is None or self.timeout >= timetable.timeout:
            return ()
        return (
            f"the function's timeout is {self.timeout} s, too short for RUN_BUDGET_SECONDS"
            f" ({timetable.budget}): set the timeout to {timetable.timeout} s under Basic Settings",
        )

    def short_memory(self, place: Journal) -> Tuple[str, ...]:
        """Warn of a journal that is deleted with the container."""
        if not self.on_platform or not _lies_in_tmp(place):
            return ()
        return (
            "JOURNAL_URI is in /tmp, which FunctionGraph deletes with the container, about a minute"
            " after the last run: everything remembered there is lost",
        )


def texts_by_name(ask: Callable[[str], Optional[str]]) -> Dict[str, str]:
    """Return what is set, by name: by the answer to ``ask``, or else in the environment."""
    found = {each.name: ask(each.name) or os.environ.get(each.name, "") for each in SETTINGS}
    return {name: text.strip() for name, text in found.items() if text.strip()}


def unread_in(names: Iterable[str]) -> Tuple[str, ...]:
    """Return a warning of each variable, here or in the environment, that is no setting of ours."""
    return unknown({*names, *os.environ})


def settings_of(
    texts: Mapping[str, str],
    agency: Optional[Credentials] = None,
    unread: Iterable[str] = (),
) -> Settings:
    """Check the settings. Raise SettingsError, with every problem, if there is one.

    What is ``unread`` is told with the problems, for it may be why something is missing.
    """
    try:
        return parse(texts, agency, _load_zone)
    except SettingsError as error:
        raise SettingsError([*error.problems, *unread]) from None


def _names(ask: Callable[[str], str]) -> Set[str]:
    """Return the names of the function's variables, those of encrypted ones too.

    FunctionGraph has them all, with their values in clear, in one variable, as JSON (user manual,
    "Configuring Environment Variables", preset parameters). Nothing but the names is kept.
    """
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(ask("RUNTIME_USERDATA") or os.environ.get("RUNTIME_USERDATA", ""))
        return set(found) if isinstance(found, dict) else set()
    return set()


def _ask(context: Any, method: str, *arguments: str) -> str:
    """Return the context's answer, empty if it has none or cannot be asked.

    What is missing then is told like anything that is not set.
    """
    answer = None
    with contextlib.suppress(Exception):
        answer = getattr(context, method)(*arguments)
    return answer.strip() if isinstance(answer, str) else ""


def _agency(context: Any) -> Optional[Credentials]:
    """Return the temporary keys of the function's agency, fresh, if it has one."""
    keys = Credentials(
        _ask(context, "getSecurityAccessKey"),
        _ask(context, "getSecuritySecretKey"),
        _ask(context, "getSecurityToken"),
    )
    return keys if keys.access_key and keys.secret_key else None


def _load_zone(name: str) -> tzinfo:
    from sms_watch.zones import load_zone  # noqa: PLC0415 - few need it, and it reads files

    return load_zone(name)


def _lies_in_tmp(place: Journal) -> bool:
    if not isinstance(place, FileJournal):
        return False
    within = (place.directory, *place.directory.parents)
    return PurePosixPath("/tmp") in within  # noqa: S108 - it is not written to
