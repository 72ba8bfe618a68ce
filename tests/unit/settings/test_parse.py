"""The settings as a whole: what is missing, what contradicts, and all problems in one error."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Callable, Dict, Tuple
from zoneinfo import ZoneInfo

import pytest
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkfunctiongraph.v2.region.functiongraph_region import FunctionGraphRegion
from huaweicloudsdkobs.v1.region.obs_region import ObsRegion
from huaweicloudsdksmn.v2.region.smn_region import SmnRegion
from huaweicloudsdksms.v3.region.sms_region import SmsRegion
from hypothesis import given
from hypothesis import strategies as st

from sms_watch.model.notice import Kind
from sms_watch.model.policy import Scope
from sms_watch.settings.parse import OTHER_HOSTS, parse
from sms_watch.settings.values import Credentials, ObsJournal
from sms_watch_cli.checks.function import endpoint_of
from tests.support.canaries import credentials, leaked, secrets_of
from tests.support.setting_texts import (
    KEYS,
    LEAST,
    NAMES,
    PROJECT,
    TEMPORARY,
    URN,
    parsed,
    problems_of,
)


def test_the_least_that_is_needed() -> None:
    """Task ids, a topic, a journal and keys suffice; all else has its default."""
    settings = parsed()
    assert settings.scope == Scope(("7a9c",))
    assert (settings.topic.region, settings.topic.project_id) == ("ap-southeast-3", PROJECT)
    assert settings.sms_endpoint == "https://sms.ap-southeast-3.myhuaweicloud.com"
    assert settings.smn_endpoint == "https://smn.ap-southeast-3.myhuaweicloud.com"
    assert settings.journal == ObsJournal(
        "https://obs.ap-southeast-3.myhuaweicloud.com",
        "ap-southeast-3",
        f"sms-watch-{PROJECT}",
        "night-watch",
        own=True,
    )
    assert settings.zone is timezone.utc
    assert (settings.budget, settings.dry_run, settings.log_level) == (50, False, "INFO")
    assert (settings.policy.max_attempts, settings.policy.max_per_run) == (5, 20)
    assert settings.policy.backoff == timedelta(minutes=2)
    assert settings.policy.backoff_max == timedelta(minutes=15)
    assert settings.policy.grace == timedelta(0)
    assert settings.policy.stall == timedelta(hours=1)
    assert settings.policy.hang == timedelta(hours=1)
    assert settings.policy.remind == timedelta(hours=4)
    assert settings.policy.digest == timedelta(0)
    assert settings.policy.notify_on == frozenset(Kind)


def test_every_problem_is_reported_at_once() -> None:
    """One error names each variable that is wrong, what it has and what is accepted."""
    text = problems_of({**dict.fromkeys(NAMES, "?!"), **dict.fromkeys(KEYS, "? !")})
    # Of names any text can be a pattern.
    for name in set(NAMES) - {"SMS_TASK_NAMES"}:
        assert f"\n- {name}: " in text
    assert "nothing was done" in text


def test_every_required_setting_is_reported_when_missing() -> None:
    """An empty configuration is answered with everything that it needs."""
    text = problems_of({})
    assert "3 problems" in text
    for name in ("SMS_TASK_IDS", "SMN_TOPIC_URN", "HUAWEICLOUD_SDK_AK"):
        assert f"- {name}" in text


@pytest.mark.parametrize("blank", ["", "   ", "\n"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in LEAST])
def test_a_blank_setting_has_its_default(name: str, blank: str) -> None:
    """A variable left empty in the console is one that is not set."""
    assert parsed(**{name: blank}) == parsed()


def test_the_first_wait_is_not_above_the_longest() -> None:
    """Contradicting waits are a problem that names both variables."""
    parsed(RESUME_BACKOFF_MINUTES="15")
    text = problems_of({**LEAST, "RESUME_BACKOFF_MINUTES": "16"})
    assert "RESUME_BACKOFF_MAX_MINUTES=15" in text


@pytest.mark.parametrize("name", ["SMS_TASK_NAMES", "SMS_MIGRATION_PROJECT"])
def test_a_filter_beside_ids_is_refused(name: str) -> None:
    """What is listed by id is watched: a filter would silently do nothing."""
    assert f"{name}: selects among all tasks" in problems_of({**LEAST, name: "a-1"})


def _topic_in(region: str) -> str:
    return f"urn:smn:{region}:{PROJECT}:night"


def _obs_endpoint(**texts: str) -> str:
    journal = parsed(**texts).journal
    assert isinstance(journal, ObsJournal)
    return journal.endpoint


ADDRESSES: Dict[str, Tuple[Dict[str, Region], Callable[[str], str]]] = {
    "sms": (SmsRegion.static_fields, lambda region: parsed(SMS_REGION=region).sms_endpoint),
    "smn": (
        SmnRegion.static_fields,
        lambda region: parsed(SMN_TOPIC_URN=_topic_in(region)).smn_endpoint,
    ),
    "obs": (ObsRegion.static_fields, lambda region: _obs_endpoint(OBS_REGION=region)),
    "functiongraph": (
        FunctionGraphRegion.static_fields,
        lambda region: endpoint_of(f"urn:fss:{region}:{PROJECT}:function:default:watch"),
    ),
}


@pytest.mark.parametrize("service", ADDRESSES)
def test_every_region_has_the_address_that_the_official_package_has(service: str) -> None:
    """Compared with the region lists of huaweicloudsdksms, -smn, -obs and -functiongraph."""
    regions, ours = ADDRESSES[service]
    expected = {name: region.endpoints for name, region in regions.items()}
    assert {name: [ours(name)] for name in regions} == expected
    assert len(expected) >= 4


def test_every_address_of_its_own_is_in_an_official_list() -> None:
    """A row that no package backs any more goes; of SMS in eu-west-101 the one for Go knows."""
    listed = {(service, region) for service, (known, _) in ADDRESSES.items() for region in known}
    assert set(OTHER_HOSTS) - listed == {("sms", "eu-west-101")}


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-101", "https://obs.eu-west-101.myhuaweicloud.eu"),
        ("cn-north-2", "https://obs.cn-north-2.myhuaweicloud.com"),
        ("my-kualalumpur-1", "https://obs.my-kualalumpur-1.myhuaweicloud.com"),
    ],
)
def test_the_topic_decides_where_the_default_bucket_lies(region: str, host: str) -> None:
    """The endpoint of OBS follows from the region in the topic's URN."""
    assert _obs_endpoint(SMN_TOPIC_URN=_topic_in(region)) == host


def test_the_chinese_site_has_its_own_addresses() -> None:
    """With a region in China the endpoint and the console are those of the Chinese site."""
    settings = parsed(SMS_REGION="cn-north-4")
    assert settings.sms_endpoint == "https://sms.cn-north-4.myhuaweicloud.com"
    assert settings.console == "https://console.huaweicloud.com/sms/"


@given(st.from_regex(r"[A-Za-z0-9]{1,50}", fullmatch=True))
def test_the_default_bucket_has_a_name_that_obs_takes(project: str) -> None:
    """Whatever project the topic is of: 3 to 63 small letters, digits and hyphens, and no dot."""
    journal = parsed(SMN_TOPIC_URN=f"urn:smn:ap-southeast-3:{project}:night").journal
    assert isinstance(journal, ObsJournal)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", journal.bucket)


@pytest.mark.parametrize(
    ("wanted", "remind", "digest"),
    [
        ("all", 4, 12),
        ("critical", 0, 0),
        ("warning+", 4, 0),
        ("needs_person digest", 0, 12),
        ("reminder digest", 4, 12),
    ],
)
def test_what_is_said_regularly_is_off_where_nobody_wants_to_hear_it(
    wanted: str, remind: int, digest: int
) -> None:
    """Without their kinds in NOTIFY_ON there are no REMIND_HOURS and no DIGEST_HOURS."""
    policy = parsed(NOTIFY_ON=wanted, REMIND_HOURS="4", DIGEST_HOURS="12").policy
    assert (policy.remind, policy.digest) == (timedelta(hours=remind), timedelta(hours=digest))


@pytest.mark.parametrize(
    ("text", "hours"),
    [("+08:00", 8), ("-03:30", -3.5), ("Asia/Shanghai", 8), ("UTC", 0), ("+00:00", 0)],
)
def test_a_time_zone_is_a_name_or_an_offset(text: str, hours: float) -> None:
    """Times in messages follow a zone by name, or a fixed offset."""
    moment = datetime(2026, 11, 24, tzinfo=timezone.utc).astimezone(parsed(TIME_ZONE=text).zone)
    assert moment.utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["Mars/Olympus", "08:00", "+25:00", "+08:60", "../etc", "GMT+"])
def test_an_unknown_time_zone_is_refused(text: str) -> None:
    """A zone that is not known here is a problem, with a form that is known everywhere."""
    assert "+08:00" in problems_of({**LEAST, "TIME_ZONE": text})


AGENCY = Credentials("agency-ak", "agency-sk", "agency-token")


def test_without_keys_the_agency_gives_them() -> None:
    """With neither key set, the temporary keys of the function's agency are used."""
    texts = {name: text for name, text in LEAST.items() if "SDK" not in name}
    assert parse(texts, AGENCY, ZoneInfo).credentials == AGENCY
    assert "no agency" in problems_of(texts)


def test_keys_that_are_set_come_before_the_agency() -> None:
    """A pair of keys that a person set is the one that is used, with its token if it has one."""
    settings = parse({**LEAST, "HUAWEICLOUD_SDK_SECURITY_TOKEN": "token"}, AGENCY, ZoneInfo)
    assert settings.credentials == Credentials(
        LEAST["HUAWEICLOUD_SDK_AK"], LEAST["HUAWEICLOUD_SDK_SK"], "token"
    )


@pytest.mark.parametrize("missing", ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"])
def test_half_a_pair_of_keys_is_a_problem(missing: str) -> None:
    """One key without the other is never completed from the agency."""
    texts = {name: text for name, text in LEAST.items() if name != missing}
    assert f"{missing}: is missing" in problems_of(texts, AGENCY)


def test_a_token_needs_its_keys() -> None:
    """A token without keys is a contradiction, with an agency as without."""
    texts = {name: text for name, text in LEAST.items() if "SDK" not in name}
    texts["HUAWEICLOUD_SDK_SECURITY_TOKEN"] = "token"
    assert "the token belongs to" in problems_of(texts, AGENCY)


@pytest.mark.parametrize("name", ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"])
@pytest.mark.parametrize("broken", ["{} {}", "{}\n{}", "{}{}é", "'{}{}'"])
def test_a_broken_key_is_refused_and_not_shown(name: str, broken: str) -> None:
    """A key that was copied badly is a problem whose text does not hold it."""
    key = TEMPORARY.secret
    problems = problems_of({**LEAST, name: broken.format(key[:20], key[20:])})
    assert f"{name}: " in problems
    assert not leaked(problems)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in KEYS])
@pytest.mark.parametrize("holder", KEYS)
def test_a_key_in_a_variable_of_another_kind_is_refused_and_not_shown(
    name: str, holder: str
) -> None:
    """It would be asked for, published or logged there, whether or not it could be such a value."""
    texts = {**LEAST, **dict(zip(KEYS, secrets_of(TEMPORARY)))}
    for text in (texts[holder], f"{texts.get(name, '')} {texts[holder]}", f"x-{texts[holder]}"):
        problems = problems_of({**texts, name: text})
        assert f"{name}: contains the key of {holder}; " in problems
        assert not leaked(problems)


# Of names any text can be a pattern.
@pytest.mark.parametrize("name", [each for each in NAMES if each not in (*KEYS, "SMS_TASK_NAMES")])
@pytest.mark.parametrize("key", secrets_of(TEMPORARY))
def test_a_part_of_a_key_is_not_shown_by_what_refuses_it(name: str, key: str) -> None:
    """Whether the key is one's own or the agency's, and whichever end of it was lost."""
    none = {each: text for each, text in LEAST.items() if each not in KEYS}
    own = {**none, **dict(zip(KEYS, secrets_of(TEMPORARY)))}
    for text in (f"!{key[1:]}", f"!{key[:-1]}"):
        for texts, agency in ((own, None), (none, credentials(TEMPORARY))):
            problems = problems_of({**texts, name: text}, agency)
            assert "***" in problems
            assert not leaked(problems)


def test_short_words_are_no_keys_of_others() -> None:
    """A key that is none, such as a word in its place, stands in no other's way."""
    assert parsed(HUAWEICLOUD_SDK_AK="smn").topic.urn == URN
