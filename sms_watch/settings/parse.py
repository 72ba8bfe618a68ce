"""From names and texts to one checked value, all problems at once. Pure.

Where the texts come from is the business of ``context``.
"""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from pathlib import PurePosixPath
from typing import Any, Callable, List, Mapping, Optional, Tuple

from sms_watch.errors import SettingsError
from sms_watch.model.notice import Kind
from sms_watch.model.policy import Policy, Scope
from sms_watch.redaction import RUN, Redactor
from sms_watch.settings.table import REQUIRED, SECRET_SETTINGS, SETTINGS, Setting
from sms_watch.settings.values import Credentials, FileJournal, Journal, ObsJournal, Settings, Topic

# The hosts that are not <service>.<region>.myhuaweicloud.com: region lists of huaweicloudsdksms,
# huaweicloudsdksmn and huaweicloudsdkobs 3.1.219, and for SMS in eu-west-101 of the SDK for Go.
OTHER_HOSTS: Mapping[Tuple[str, str], str] = {
    ("sms", "eu-west-101"): "sms.eu-west-101.myhuaweicloud.eu",
    ("sms", "ru-moscow-1"): "sms-api.ru-moscow-1.myhuaweicloud.com",
    ("smn", "cn-north-2"): "smn.cn-north-2.myhuaweicloud.cn",
    ("smn", "eu-west-101"): "smn.eu-west-101.myhuaweicloud.eu",
    ("obs", "eu-west-101"): "obs.eu-west-101.myhuaweicloud.eu",
}


def parse(
    texts: Mapping[str, str],
    agency: Optional[Credentials],
    load_zone: Callable[[str], tzinfo],
) -> Settings:
    """Check the settings and return them as one value.

    ``texts`` holds what is set, by name; what is missing or blank has its default. ``agency``
    gives the temporary keys of the function's agency, if it has one. ``load_zone`` finds a time
    zone by name, or raises KeyError or ValueError. Raise SettingsError with every problem.
    """
    given = {name: text.strip() for name, text in texts.items() if text.strip()}
    problems: List[str] = []
    values = {setting.name: _value(setting, given, problems) for setting in SETTINGS}
    problems += _misplaced(given)
    problems += _contradictions(given, values, agency)
    zone = _zone(values["TIME_ZONE"], load_zone, problems)
    if problems:
        # A value that is refused may hold a part of a key.
        redact = Redactor(secrets_in(given, agency))
        raise SettingsError([redact(problem) for problem in problems])
    topic = values["SMN_TOPIC_URN"]
    region = values["SMS_REGION"]
    return Settings(
        scope=Scope(
            values["SMS_TASK_IDS"],
            values["SMS_TASK_NAMES"] or (),
            values["SMS_MIGRATION_PROJECT"] or "",
        ),
        topic=topic,
        credentials=_credentials(values) or agency or Credentials("", ""),
        sms_endpoint=values["SMS_ENDPOINT"] or address_of("sms", region),
        smn_endpoint=values["SMN_ENDPOINT"] or address_of("smn", topic.region),
        console=_console(region),
        journal=_place(values, topic),
        policy=_policy(values),
        zone=zone,
        budget=values["RUN_BUDGET_SECONDS"],
        dry_run=values["DRY_RUN"],
        log_level=values["LOG_LEVEL"],
    )


def _value(setting: Setting, given: Mapping[str, str], problems: List[str]) -> Any:
    text = given.get(setting.name, setting.default)
    if not text:
        if setting.note == REQUIRED:
            problems.append(f"{setting.name}: is missing. {setting.meaning}")
        return None
    try:
        return setting.read(text)
    except ValueError as error:
        problems.append(f"{setting.name}: {error}")
        return None


def secrets_in(texts: Mapping[str, str], agency: Optional[Credentials] = None) -> List[str]:
    """Return the keys among the settings, and those of an agency."""
    found = [texts.get(name, "") for name in SECRET_SETTINGS]
    if agency is not None:
        found += [agency.access_key, agency.secret_key, agency.security_token]
    return found


def _misplaced(given: Mapping[str, str]) -> List[str]:
    """Name the settings that hold what is the key of another one: a service would be told it."""
    keys = {name: given[name] for name in SECRET_SETTINGS if len(given.get(name, "")) >= RUN}
    others = {name: text for name, text in given.items() if name not in SECRET_SETTINGS}
    return [
        f"{name}: contains the key of {of}; a key belongs only in its own variable"
        for name, text in others.items()
        for of, key in keys.items()
        if key in text
    ]


def _contradictions(
    given: Mapping[str, str], values: Mapping[str, Any], agency: Optional[Credentials]
) -> List[str]:
    problems = []
    pair = ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK")
    missing = [name for name in pair if name not in given]
    if len(missing) == 1:
        problems.append(f"{missing[0]}: is missing; give both keys, or neither to use the agency")
    elif missing and "HUAWEICLOUD_SDK_SECURITY_TOKEN" in given:
        problems.append(f"{', '.join(pair)}: are missing; the token belongs to a pair of keys")
    elif missing and agency is None:
        problems.append(
            f"{', '.join(pair)}: are missing, and the function has no agency; set both keys, or"
            " give the function an agency in its configuration"
        )
    problems += [
        f"{name}: selects among all tasks, so it needs SMS_TASK_IDS=*"
        for name in ("SMS_TASK_NAMES", "SMS_MIGRATION_PROJECT")
        if name in given and values["SMS_TASK_IDS"]
    ]
    shortest, longest = values["RESUME_BACKOFF_MINUTES"], values["RESUME_BACKOFF_MAX_MINUTES"]
    if shortest and longest and shortest > longest:
        problems.append(
            f"RESUME_BACKOFF_MINUTES: the first wait of {shortest} min is longer than the longest,"
            f" RESUME_BACKOFF_MAX_MINUTES={longest}"
        )
    return problems


def _zone(name: Optional[str], load_zone: Callable[[str], tzinfo], problems: List[str]) -> tzinfo:
    if name is None or name == "UTC":
        return timezone.utc
    offset = re.fullmatch(r"([+-])(0[0-9]|1[0-4]):([0-5][0-9])", name)
    if offset:
        sign, hours, minutes = offset.groups()
        shift = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(shift if sign == "+" else -shift)
    try:
        return load_zone(name)
    except (KeyError, ValueError, OSError):
        problems.append(
            f"TIME_ZONE: {name!r} is unknown on this system; give a name such as Asia/Shanghai, or"
            " an offset such as +08:00, which works everywhere"
        )
        return timezone.utc


def _credentials(values: Mapping[str, Any]) -> Optional[Credentials]:
    if not values["HUAWEICLOUD_SDK_AK"]:
        return None
    return Credentials(
        values["HUAWEICLOUD_SDK_AK"],
        values["HUAWEICLOUD_SDK_SK"],
        values["HUAWEICLOUD_SDK_SECURITY_TOKEN"] or "",
    )


def _policy(values: Mapping[str, Any]) -> Policy:
    """Return the policy. What is said regularly is off where nobody wants to hear it."""
    told = values["NOTIFY_ON"]
    remind = values["REMIND_HOURS"] if Kind.REMINDER in told else 0
    digest = values["DIGEST_HOURS"] if Kind.DIGEST in told else 0
    return Policy(
        max_attempts=values["RESUME_MAX_ATTEMPTS"],
        backoff=timedelta(minutes=values["RESUME_BACKOFF_MINUTES"]),
        backoff_max=timedelta(minutes=values["RESUME_BACKOFF_MAX_MINUTES"]),
        max_per_run=values["RESUME_MAX_PER_RUN"],
        grace=timedelta(minutes=values["RESUME_GRACE_MINUTES"]),
        classes=values["ERROR_CLASSES"] or {},
        stall=timedelta(minutes=values["STALL_MINUTES"]),
        hang=timedelta(minutes=values["HANG_MINUTES"]),
        remind=timedelta(hours=remind),
        digest=timedelta(hours=digest),
        notify_on=told,
    )


def _place(values: Mapping[str, Any], topic: Topic) -> Journal:
    named = values["JOURNAL_URI"]
    if isinstance(named, PurePosixPath):
        return FileJournal(named)
    region = values["OBS_REGION"] or topic.region
    endpoint = values["OBS_ENDPOINT"] or address_of("obs", region)
    if named is None:
        bucket, name = f"sms-watch-{topic.project_id.lower()}", topic.urn.rpartition(":")[2]
        return ObsJournal(endpoint, region, bucket, name, own=True)
    return ObsJournal(endpoint, region, *named)


def address_of(service: str, region: str) -> str:
    """Return the address of a service, such as ``smn``, in a region."""
    usual = f"{service}.{region}.myhuaweicloud.com"
    return f"https://{OTHER_HOSTS.get((service, region), usual)}"


def _console(region: str) -> str:
    site = "console" if region.startswith("cn-") else "console-intl"
    return f"https://{site}.huaweicloud.com/sms/"
