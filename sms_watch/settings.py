"""The settings: from names and texts to one checked value, all problems at once. Pure.

Where the texts come from is the business of ``context``. ``SETTINGS`` is the table that the README
shows; a test holds the two equal.
"""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field
from datetime import timedelta, timezone, tzinfo
from pathlib import PurePosixPath
from typing import Any, Callable, Dict, FrozenSet, Iterable, List, Mapping, Optional, Tuple, Union

from sms_watch.errors import SettingsError
from sms_watch.model.notice import Kind, Level
from sms_watch.model.policy import Policy, Scope
from sms_watch.model.task import ErrorClass
from sms_watch.redaction import RUN, Redactor
from sms_watch.spelling import Vocabulary
from sms_watch.text import clean

Read = Callable[[str], Any]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
YES_NO = {"true": True, "1": True, "yes": True, "on": True}
YES_NO.update({"false": False, "0": False, "no": False, "off": False})
QUOTES = "\"'`"
UNDOTTED = (
    "a bucket without a dot in its name: the certificate of OBS does not cover the host name of one"
    " with a dot; create another bucket for the journal (private, standard class)"
)
BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[0-9]{1,2})"
# A name such as 127.999.1.1 is looked up like any other, and may lie anywhere.
LOOPBACK = re.compile(rf"localhost|127(\.{BYTE}){{3}}|::1")
# What an address is shown of: a name or a number, with a port or without.
PLAIN = r"[^:]*(:[0-9]*)?|\[[0-9A-Fa-f:.]*\](:[0-9]*)?"
# The hosts that are not <service>.<region>.myhuaweicloud.com: region lists of huaweicloudsdksms,
# huaweicloudsdksmn and huaweicloudsdkobs 3.1.219, and for SMS in eu-west-101 of the SDK for Go.
OTHER_HOSTS: Mapping[Tuple[str, str], str] = {
    ("sms", "eu-west-101"): "sms.eu-west-101.myhuaweicloud.eu",
    ("sms", "ru-moscow-1"): "sms-api.ru-moscow-1.myhuaweicloud.com",
    ("smn", "cn-north-2"): "smn.cn-north-2.myhuaweicloud.cn",
    ("smn", "eu-west-101"): "smn.eu-west-101.myhuaweicloud.eu",
    ("obs", "eu-west-101"): "obs.eu-west-101.myhuaweicloud.eu",
}


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


@dataclass(frozen=True)
class Setting:
    """One row of the table: ``read`` turns the text into a value or raises ValueError.

    ``note`` stands in the table where there is no fixed default.
    """

    name: str
    meaning: str
    read: Read = field(repr=False)
    default: str = ""
    note: str = ""

    @property
    def shown(self) -> str:
        """What the table says in the column of defaults."""
        return f"`{self.default}`" if self.default else self.note


def _number(low: int, high: int) -> Read:
    def read(text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        if not low <= number <= high:
            raise _refused(text, f"a whole number from {low} to {high}")
        return number

    return read


def _yes_no(text: str) -> bool:
    if text.lower() not in YES_NO:
        raise _refused(text, "true or false")
    return YES_NO[text.lower()]


def _task_ids(text: str) -> Tuple[str, ...]:
    ids = _words(text)
    if ids == ["*"]:
        return ()
    if "*" in ids:
        raise _refused(text, "either * for every task of the account, or ids")
    wrong = [task_id for task_id in ids if not re.fullmatch(r"[A-Za-z0-9-]{1,36}", task_id)]
    if wrong or not ids:
        raise _refused(
            " ".join(wrong) or text,
            "task ids: at most 36 letters, digits and hyphens each, commas or spaces between them",
        )
    return tuple(dict.fromkeys(ids))


def _patterns(text: str) -> Tuple[str, ...]:
    return tuple(dict.fromkeys(_words(text)))


def _project(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,36}", text):
        raise _refused(text, "the id of a migration project: letters, digits and hyphens")
    return text


def _topic(text: str) -> Topic:
    parts = text.split(":")
    if len(parts) == 6 and parts[:2] == ["urn", "smn"]:
        topic = ":".join(parts[:5])
        raise _refused(
            text, f"{topic}, the URN of the topic; this is the URN of a subscription to it"
        )
    well_formed = len(parts) == 5 and parts[:2] == ["urn", "smn"]
    if not well_formed or not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", parts[4]):
        raise _refused(text, "urn:smn:<region>:<project id>:<topic name>")
    if not re.fullmatch(r"[A-Za-z0-9]{1,50}", parts[3]):
        raise _refused(text, "a URN with a project id of letters and digits as its fourth part")
    return Topic(text, _region(parts[2]), parts[3])


def _region(text: str) -> str:
    if not re.fullmatch(r"[a-z]{2}-[a-z]{1,20}-[0-9]{1,3}", text):
        raise _refused(text, "a region such as ap-southeast-3")
    return text


def _endpoint(text: str) -> str:
    accepted = (
        "https://host or https://host:port, without a path or a login (http:// is for this machine"
        " only)"
    )
    try:
        url = urllib.parse.urlsplit(text)
        host, port = url.hostname or "", url.port
    except ValueError:
        raise _refused_address(text, accepted) from None
    bare = not (url.path.strip("/") or url.query or url.fragment or "@" in url.netloc)
    secure = url.scheme == "https" or (url.scheme == "http" and LOOPBACK.fullmatch(host))
    if not (bare and secure and re.fullmatch(r"[A-Za-z0-9.-]+|::1", host)):
        raise _refused_address(text, accepted)
    shown = f"[{host}]" if ":" in host else host
    return f"{url.scheme}://{shown}" + (f":{port}" if port else "")


def _refused_address(text: str, accepted: str) -> ValueError:
    return _refused(_without_login(text), accepted)


def _without_login(text: str) -> str:
    """Return an address without a login, and without a query, which may hold a signature."""
    found = re.match(r"(?:https?|file|obs):/*", text, re.IGNORECASE)
    scheme = found.group() if found else ""
    rest = urllib.parse.unquote(text[len(scheme) :])
    bare, query, _ = rest.replace("#", "?").partition("?")
    if query and "@" in rest[len(bare) :]:
        return f"{scheme}..."
    _, login, place = bare.rpartition("@")
    shown = "/".join(part if re.fullmatch(PLAIN, part) else "..." for part in place.split("/"))
    return scheme + (login and "...@") + shown + (query and "?...")


def _journal(text: str) -> Union[PurePosixPath, Tuple[str, str]]:
    """Read a directory, or a bucket with a prefix."""
    if text.startswith("obs:"):
        return _bucket(text)
    accepted = "obs://bucket/prefix, or file:///directory with three slashes"
    try:
        url = urllib.parse.urlsplit(text)
    except ValueError:
        raise _refused_address(text, accepted) from None
    path = PurePosixPath(urllib.parse.unquote(url.path))
    well_formed = url.scheme == "file" and not (url.netloc or url.query or url.fragment)
    if not well_formed or not path.is_absolute() or path == PurePosixPath("/") or "\0" in str(path):
        raise _refused_address(text, accepted)
    return path


def _bucket(text: str) -> Tuple[str, str]:
    found = re.fullmatch(r"obs://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(.*))?", text)
    prefix = (found.group(2) or "").strip("/") if found else ""
    if found is None or not re.fullmatch(r"[A-Za-z0-9._/-]{0,512}", prefix) or "//" in prefix:
        accepted = "obs://bucket/prefix, the prefix of letters, digits, and . _ - /"
        raise _refused_address(text, accepted)
    if "." in found.group(1):
        raise _refused_address(text, UNDOTTED)
    return found.group(1), prefix


def _key(text: str) -> str:
    # The value is not shown: a secret in the wrong place is a secret still.
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("contains a space, a line break or a non-ASCII character; copy it again")
    if text[0] in QUOTES or text[-1] in QUOTES:
        raise ValueError("is in quotation marks; give the key without them")
    return text


def _classes(text: str) -> Mapping[str, ErrorClass]:
    classes: Dict[str, ErrorClass] = {}
    known = ", ".join(ErrorClass)
    for word in _words(text):
        code, _, name = word.partition("=")
        if not re.fullmatch(r"SMS\.[0-9]{4}", code) or name not in list(ErrorClass):
            raise _refused(word, f"SMS.nnnn=class, the class being one of {known}")
        if classes.setdefault(code, ErrorClass(name)) != name:
            raise ValueError(f"gives {code} two classes; name it once")
    return classes


def _kinds(text: str) -> FrozenSet[Kind]:
    chosen: FrozenSet[Kind] = frozenset()
    for word in _words(text) or [text]:
        found = _kinds_of(word)
        if not found:
            levels = ", ".join(f"{level}, {level}+" for level in Level)
            raise _refused(
                word, f"all, or some of the kinds {', '.join(Kind)}, and of the levels {levels}"
            )
        chosen |= found
    return chosen


def _kinds_of(word: str) -> FrozenSet[Kind]:
    """Give the kinds that a word stands for: one, those of a level, or, with a +, also worse."""
    if word == "all":
        return frozenset(Kind)
    if word in list(Kind):
        return frozenset({Kind(word)})
    worst_first = list(Level)
    name = word[:-1] if word.endswith("+") else word
    if name not in worst_first:
        return frozenset()
    place = worst_first.index(Level(name))
    levels = worst_first[: place + 1] if word.endswith("+") else worst_first[place : place + 1]
    return frozenset(kind for kind in Kind if set(levels).intersection(kind.levels))


def _log_level(text: str) -> str:
    if text.upper() not in LOG_LEVELS:
        raise _refused(text, f"one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def _zone_name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_+:/-]{1,64}", text):
        raise _refused(text, "a name such as Asia/Shanghai, or an offset such as +08:00")
    return text


def _words(text: str) -> List[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _refused(text: str, accepted: str) -> ValueError:
    shown = _without_login(text) if "@" in text else text
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return ValueError(f"{shown!r} is not accepted; give {accepted}")


REQUIRED = "required"
FROM_REGION = "from the region"

SETTINGS: Tuple[Setting, ...] = (
    Setting(
        "SMS_TASK_IDS",
        "The migration tasks to watch: their ids, separated by commas or spaces; or `*`: every task"
        " of the account, new ones as they appear. More than eight ids are looked up in the list of"
        " tasks, if the keys may list them.",
        _task_ids,
        note=REQUIRED,
    ),
    Setting(
        "SMS_TASK_NAMES",
        "With `SMS_TASK_IDS=*`: only tasks whose name matches one of these patterns, such as"
        " `wave1-* db-??`.",
        _patterns,
        note="all names",
    ),
    Setting(
        "SMS_MIGRATION_PROJECT",
        "With `SMS_TASK_IDS=*`: only tasks of the migration project with this id.",
        _project,
        note="all projects",
    ),
    Setting(
        "SMN_TOPIC_URN",
        "The topic that messages go to: `urn:smn:<region>:<project id>:<name>`.",
        _topic,
        note=REQUIRED,
    ),
    Setting(
        "JOURNAL_URI",
        "Where the watchdog remembers: `obs://bucket/prefix`, the bucket without a dot in its name,"
        " or `file:///directory` on a disk that lasts and can lock files. The default bucket is"
        " made, private, by the first run.",
        _journal,
        note="`obs://sms-watch-<project id>/<topic>`",
    ),
    Setting(
        "HUAWEICLOUD_SDK_AK",
        "Access key; store it encrypted. Without both keys the function's agency is used.",
        _key,
        note="agency",
    ),
    Setting("HUAWEICLOUD_SDK_SK", "Secret key; store it encrypted.", _key, note="agency"),
    Setting(
        "HUAWEICLOUD_SDK_SECURITY_TOKEN",
        "Token of temporary keys, for runs on your own machine.",
        _key,
        note="none",
    ),
    Setting(
        "SMS_REGION",
        "Region of the SMS endpoint; `cn-north-4` on the Chinese site.",
        _region,
        "ap-southeast-3",
    ),
    Setting("SMS_ENDPOINT", "Another address for SMS; https only.", _endpoint, note=FROM_REGION),
    Setting("SMN_ENDPOINT", "Another address for SMN; https only.", _endpoint, note=FROM_REGION),
    Setting("OBS_ENDPOINT", "Another address for OBS; https only.", _endpoint, note=FROM_REGION),
    Setting("OBS_REGION", "Region of the bucket.", _region, note="the topic's region"),
    Setting(
        "RESUME_MAX_ATTEMPTS",
        "Starts in a row without progress, per task; after them a person is asked. 0: never start.",
        _number(0, 100),
        "5",
    ),
    Setting(
        "RESUME_BACKOFF_MINUTES",
        "Wait after the first start that did not help; it doubles from start to start.",
        _number(1, 1440),
        "2",
    ),
    Setting("RESUME_BACKOFF_MAX_MINUTES", "The longest wait.", _number(1, 1440), "15"),
    Setting("RESUME_MAX_PER_RUN", "Most starts in one run.", _number(1, 1000), "20"),
    Setting(
        "RESUME_GRACE_MINUTES",
        "How long to leave the SMS agent's own recovery alone first (its six codes only).",
        _number(0, 1440),
        "0",
    ),
    Setting(
        "ERROR_CLASSES",
        "Your own classes for codes: `SMS.0805=transient SMS.1107=human`.",
        _classes,
        note="none",
    ),
    Setting(
        "STALL_MINUTES",
        "Running without progress for this long is a stall. 0: off.",
        _number(0, 10080),
        "60",
    ),
    Setting(
        "HANG_MINUTES",
        "In one state where no task should stay for this long is a hang. 0: off.",
        _number(0, 10080),
        "60",
    ),
    Setting(
        "REMIND_HOURS",
        "Repeat what still needs a person this often. 0: off.",
        _number(0, 720),
        "4",
    ),
    Setting(
        "DIGEST_HOURS",
        "A regular message about progress. 0: off.",
        _number(0, 720),
        "0",
    ),
    Setting(
        "NOTIFY_ON",
        "The notices to send: `all`, kinds, or levels: `warning+ finished`.",
        _kinds,
        "all",
    ),
    Setting(
        "TIME_ZONE",
        "For times in messages: `Asia/Shanghai`, or an offset such as `+08:00`.",
        _zone_name,
        "UTC",
    ),
    Setting(
        "RUN_BUDGET_SECONDS",
        "No new work begins after this; set the function's timeout 10 seconds higher.",
        _number(5, 3600),
        "50",
    ),
    Setting("DRY_RUN", "Decide and report; start, send and write nothing.", _yes_no, "false"),
    Setting("LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`.", _log_level, "INFO"),
)
# The settings that hold keys.
SECRET_SETTINGS = tuple(setting.name for setting in SETTINGS if setting.read is _key)

NAMES = tuple(setting.name for setting in SETTINGS)
# First words that variables of many programs have.
SHARED_WORDS = frozenset({"HUAWEICLOUD", "OBS", "ERROR", "TIME", "RUN", "LOG"})
# Variables of others that begin like ours: systemd.exec(5), sd_notify(3), and Microsoft
# Configuration Manager, once Systems Management Server.
FOREIGN = frozenset({"JOURNAL_STREAM", "NOTIFY_SOCKET", "SMS_ADMIN_UI_PATH", "SMS_LOG_PATH"})
VOCABULARY = Vocabulary(NAMES, SHARED_WORDS)


def unknown(names: Iterable[str]) -> Tuple[str, ...]:
    """Return a warning of each name that looks like one of a setting and is none.

    Nobody reads a variable of that name: ``DRYRUN=true`` keeps nothing from being started.
    """
    strange = sorted(set(names).difference(NAMES, FOREIGN))
    meant = [(name, VOCABULARY.meant(name)) for name in strange]
    return tuple(_unread(name, setting) for name, setting in meant if setting is not None)


def _unread(name: str, setting: str) -> str:
    remedy = f"did you mean {setting}?" if setting else "the README lists them"
    return f"{clean(name)} is not a setting of sms_watch; {remedy}"


def parse(
    texts: Mapping[str, str],
    agency: Optional[Credentials],
    load_zone: Callable[[str], tzinfo],
) -> Settings:
    """Check the settings and give them as one value.

    ``texts`` holds what is set, by name; what is missing or blank has its default. ``agency``
    gives the temporary keys of the function's agency, if it has one. ``load_zone`` finds a time
    zone by name, or raises KeyError or ValueError. Raises SettingsError with every problem.
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
        f"{name}: contains the key that is in {of}; a key belongs only in its own variable"
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
            f"RESUME_BACKOFF_MINUTES: the first wait, {shortest}, is longer than the longest,"
            f" RESUME_BACKOFF_MAX_MINUTES, {longest}"
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
            f"TIME_ZONE: {name!r} is not known here; give a name such as Asia/Shanghai, or an"
            " offset such as +08:00, which is known everywhere"
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
