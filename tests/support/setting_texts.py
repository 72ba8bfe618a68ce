"""Settings for tests of them: the least that is needed, parsed, or with their problems."""

from __future__ import annotations

from typing import Any, Dict
from zoneinfo import ZoneInfo

import pytest

from sms_watch.errors import SettingsError
from sms_watch.settings.parse import parse
from sms_watch.settings.table import SETTINGS
from sms_watch.settings.values import Settings
from tests.support.canaries import temporary

PROJECT = "0" * 32
URN = f"urn:smn:ap-southeast-3:{PROJECT}:night-watch"
LEAST = {
    "SMS_TASK_IDS": "7a9c",
    "SMN_TOPIC_URN": URN,
    "HUAWEICLOUD_SDK_AK": "AKAKAKAKAKAKAKAKAKAK",
    "HUAWEICLOUD_SDK_SK": "SKSKSKSKSKSKSKSKSKSK",
}
TEMPORARY = temporary("a setting")
KEYS = [name for name in (setting.name for setting in SETTINGS) if "SDK" in name]
NAMES = [setting.name for setting in SETTINGS]


def parsed(**texts: str) -> Settings:
    """Return the settings that the least and these texts make."""
    return parse({**LEAST, **texts}, None, ZoneInfo)


def problems_of(texts: Dict[str, str], agency: Any = None) -> str:
    """Return what is wrong with these texts, in the words of the error."""
    with pytest.raises(SettingsError) as caught:
        parse(texts, agency, ZoneInfo)
    return str(caught.value)
