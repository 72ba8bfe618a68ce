"""From the text of one setting to its value; each raises ValueError if it is not accepted. Pure."""

from __future__ import annotations

import re
import urllib.parse
from pathlib import PurePosixPath
from typing import Any, Callable, Dict, FrozenSet, List, Mapping, Tuple, Union

from sms_watch.model.notice import Kind, Level
from sms_watch.model.task import ErrorClass
from sms_watch.settings.values import Topic

Read = Callable[[str], Any]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
YES_NO = {"true": True, "1": True, "yes": True, "on": True}
YES_NO.update({"false": False, "0": False, "no": False, "off": False})
QUOTES = "\"'`"
UNDOTTED = (
    "a bucket without a dot in its name: the certificate of OBS does not cover the host name of one"
    " with a dot; create another bucket for the journal (private, standard class)"
)
BUCKET = (
    "obs://bucket/prefix with the name of a bucket, which this one is not: 3 to 63 lower-case"
    " letters, digits and hyphens, with no hyphen at either end"
)
PREFIX = "obs://bucket/prefix, the prefix of letters, digits, and . _ - /"
BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[0-9]{1,2})"
# A name such as 127.999.1.1 is looked up like any other, and may lie anywhere.
LOOPBACK = re.compile(rf"localhost|127(\.{BYTE}){{3}}|::1")
# What an address is shown of: a name or a number, with a port or without.
PLAIN = r"[^:]*(:[0-9]*)?|\[[0-9A-Fa-f:.]*\](:[0-9]*)?"


def read_number(low: int, high: int) -> Read:
    """Return what reads a whole number within a range."""

    def read(text: str) -> int:
        number = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
        if not low <= number <= high:
            raise _refused(text, f"a whole number from {low} to {high}")
        return number

    return read


def read_switch(text: str) -> bool:
    """Return a truth, in one of its usual spellings."""
    if text.lower() not in YES_NO:
        raise _refused(text, "true or false")
    return YES_NO[text.lower()]


def read_task_ids(text: str) -> Tuple[str, ...]:
    """Return ids, each once; none stands for all tasks of the account."""
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


def read_patterns(text: str) -> Tuple[str, ...]:
    """Return patterns of names, each once."""
    return tuple(dict.fromkeys(_words(text)))


def read_project(text: str) -> str:
    """Return the id of a migration project."""
    if not re.fullmatch(r"[A-Za-z0-9-]{1,36}", text):
        raise _refused(text, "the id of a migration project: letters, digits and hyphens")
    return text


def read_topic(text: str) -> Topic:
    """Return a topic by its URN."""
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
    return Topic(text, read_region(parts[2]), parts[3])


def read_region(text: str) -> str:
    """Return the name of a region."""
    if not re.fullmatch(r"[a-z]{2}-[a-z]{1,20}-[0-9]{1,3}", text):
        raise _refused(text, "a region such as ap-southeast-3")
    return text


def read_endpoint(text: str) -> str:
    """Return an address that leads to a service: a scheme, a host, and a port if it has one."""
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


def read_journal(text: str) -> Union[PurePosixPath, Tuple[str, str]]:
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
    found = re.fullmatch(r"obs://([^/]+)(?:/(.*))?", text)
    if found is None:
        raise _refused_address(text, PREFIX)
    bucket, prefix = found.group(1), (found.group(2) or "").strip("/")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise _refused_address(text, BUCKET)
    if not re.fullmatch(r"[A-Za-z0-9._/-]{0,512}", prefix) or "//" in prefix:
        raise _refused_address(text, PREFIX)
    if "." in bucket:
        raise _refused_address(text, UNDOTTED)
    return bucket, prefix


def read_key(text: str) -> str:
    # The value is not shown: a secret in the wrong place is a secret still.
    """Return a key as it is; a refusal never shows it."""
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("contains a space, a line break or a non-ASCII character; copy it again")
    if text[0] in QUOTES or text[-1] in QUOTES:
        raise ValueError("is in quotation marks; give the key without them")
    return text


def read_classes(text: str) -> Mapping[str, ErrorClass]:
    """Return the class of each code that is named."""
    classes: Dict[str, ErrorClass] = {}
    known = ", ".join(ErrorClass)
    for word in _words(text):
        code, _, name = word.partition("=")
        if not re.fullmatch(r"SMS\.[0-9]{4}", code) or name not in list(ErrorClass):
            raise _refused(word, f"SMS.nnnn=class, the class being one of {known}")
        if classes.setdefault(code, ErrorClass(name)) != name:
            raise ValueError(f"gives {code} two classes; name it once")
    return classes


def read_kinds(text: str) -> FrozenSet[Kind]:
    """Return the kinds of notices that are named, or that belong to a level."""
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
    """Return the kinds that a word stands for: one, those of a level, or, with a +, also worse."""
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


def read_log_level(text: str) -> str:
    """Return a level of the log."""
    if text.upper() not in LOG_LEVELS:
        raise _refused(text, f"one of {', '.join(LOG_LEVELS)}")
    return text.upper()


def read_zone_name(text: str) -> str:
    """Return the name of a time zone, or an offset."""
    if not re.fullmatch(r"[A-Za-z0-9_+:/-]{1,64}", text):
        raise _refused(text, "a name such as Asia/Shanghai, or an offset such as +08:00")
    return text


def _words(text: str) -> List[str]:
    return [word for word in re.split(r"[\s,]+", text) if word]


def _refused(text: str, accepted: str) -> ValueError:
    shown = _without_login(text) if "@" in text else text
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    return ValueError(f"{shown!r} is not accepted; give {accepted}")
