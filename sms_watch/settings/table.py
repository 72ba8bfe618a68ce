"""The table of settings that the README shows; a test holds the two equal. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Iterable, Tuple

from sms_watch.settings.readers import (
    Read,
    read_classes,
    read_endpoint,
    read_journal,
    read_key,
    read_kinds,
    read_log_level,
    read_number,
    read_patterns,
    read_project,
    read_region,
    read_switch,
    read_task_ids,
    read_topic,
    read_zone_name,
)
from sms_watch.spelling import Vocabulary
from sms_watch.text import clean


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


REQUIRED = "required"
FROM_REGION = "from the region"

SETTINGS: Tuple[Setting, ...] = (
    Setting(
        "SMS_TASK_IDS",
        "The migration tasks to watch: their ids, separated by commas or spaces; or `*`: every task"
        " of the account, new ones as they appear. More than eight ids are looked up in the list of"
        " tasks, if the keys may list them.",
        read_task_ids,
        note=REQUIRED,
    ),
    Setting(
        "SMS_TASK_NAMES",
        "With `SMS_TASK_IDS=*`: only tasks whose name matches one of these patterns, such as"
        " `wave1-* db-??`.",
        read_patterns,
        note="all names",
    ),
    Setting(
        "SMS_MIGRATION_PROJECT",
        "With `SMS_TASK_IDS=*`: only tasks of the migration project with this id.",
        read_project,
        note="all projects",
    ),
    Setting(
        "SMN_TOPIC_URN",
        "The topic that messages go to: `urn:smn:<region>:<project id>:<name>`.",
        read_topic,
        note=REQUIRED,
    ),
    Setting(
        "JOURNAL_URI",
        "The journal, where the watchdog remembers: `obs://bucket/prefix`, the bucket without a"
        " dot in its name, or `file:///directory` on a disk that lasts and can lock files. The"
        " first run creates the default bucket, private.",
        read_journal,
        note="`obs://sms-watch-<project id>/<topic>`",
    ),
    Setting(
        "HUAWEICLOUD_SDK_AK",
        "Access key; store it encrypted. Without both keys the function's agency is used.",
        read_key,
        note="agency",
    ),
    Setting("HUAWEICLOUD_SDK_SK", "Secret key; store it encrypted.", read_key, note="agency"),
    Setting(
        "HUAWEICLOUD_SDK_SECURITY_TOKEN",
        "Token of temporary keys, for runs on your own machine.",
        read_key,
        note="none",
    ),
    Setting(
        "SMS_REGION",
        "Region of the SMS endpoint; `cn-north-4` on the Chinese site.",
        read_region,
        "ap-southeast-3",
    ),
    Setting(
        "SMS_ENDPOINT", "Another address for SMS; https only.", read_endpoint, note=FROM_REGION
    ),
    Setting(
        "SMN_ENDPOINT", "Another address for SMN; https only.", read_endpoint, note=FROM_REGION
    ),
    Setting(
        "OBS_ENDPOINT", "Another address for OBS; https only.", read_endpoint, note=FROM_REGION
    ),
    Setting("OBS_REGION", "Region of the bucket.", read_region, note="the topic's region"),
    Setting(
        "RESUME_MAX_ATTEMPTS",
        "Restarts in a row without progress, per task; then somebody is asked to act."
        " 0: never restart.",
        read_number(0, 100),
        "5",
    ),
    Setting(
        "RESUME_BACKOFF_MINUTES",
        "Wait after the first restart that did not help; it doubles with each restart.",
        read_number(1, 1440),
        "2",
    ),
    Setting("RESUME_BACKOFF_MAX_MINUTES", "The longest wait.", read_number(1, 1440), "15"),
    Setting("RESUME_MAX_PER_RUN", "Most restarts in one run.", read_number(1, 1000), "20"),
    Setting(
        "RESUME_GRACE_MINUTES",
        "How long to wait first for the SMS agent's own recovery (its six codes only).",
        read_number(0, 1440),
        "0",
    ),
    Setting(
        "ERROR_CLASSES",
        "Your own classes for codes: `SMS.0805=transient SMS.1107=human`.",
        read_classes,
        note="none",
    ),
    Setting(
        "STALL_MINUTES",
        "Running without progress for this long is a stall. 0: off.",
        read_number(0, 10080),
        "60",
    ),
    Setting(
        "HANG_MINUTES",
        "Staying for this long in a state where no task should stay is a hang. 0: off.",
        read_number(0, 10080),
        "60",
    ),
    Setting(
        "REMIND_HOURS",
        "Repeat what still needs attention this often. 0: off.",
        read_number(0, 720),
        "4",
    ),
    Setting(
        "DIGEST_HOURS",
        "Send a digest of all tasks this often. 0: off.",
        read_number(0, 720),
        "0",
    ),
    Setting(
        "NOTIFY_ON",
        "The notices to send: `all`, kinds, or levels: `warning+ finished`.",
        read_kinds,
        "all",
    ),
    Setting(
        "TIME_ZONE",
        "For times in messages: `Asia/Shanghai`, or an offset such as `+08:00`.",
        read_zone_name,
        "UTC",
    ),
    Setting(
        "RUN_BUDGET_SECONDS",
        "No new work begins after this; set the function's timeout 10 seconds higher.",
        read_number(5, 3600),
        "50",
    ),
    Setting("DRY_RUN", "Decide and report; start, send and write nothing.", read_switch, "false"),
    Setting("LOG_LEVEL", "`DEBUG`, `INFO`, `WARNING` or `ERROR`.", read_log_level, "INFO"),
)
# The settings that hold keys.
SECRET_SETTINGS = tuple(setting.name for setting in SETTINGS if setting.read is read_key)

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
