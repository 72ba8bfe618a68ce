"""The settings: each one missing, wrong and at its borders, and all problems in one error."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from pathlib import Path, PurePosixPath
from typing import Any, Callable, Dict, FrozenSet, Iterator, Set, Tuple
from zoneinfo import ZoneInfo

import pytest
from canaries import credentials, leaked, secrets_of, temporary
from huaweicloudsdkcore.region.region import Region
from huaweicloudsdkfunctiongraph.v2.region.functiongraph_region import FunctionGraphRegion
from huaweicloudsdkobs.v1.region.obs_region import ObsRegion
from huaweicloudsdksmn.v2.region.smn_region import SmnRegion
from huaweicloudsdksms.v3.region.sms_region import SmsRegion
from hypothesis import given
from hypothesis import strategies as st

from local.checks.function import endpoint_of
from sms_watch.errors import SettingsError
from sms_watch.model.notice import Kind, Level
from sms_watch.model.policy import Scope
from sms_watch.model.task import ErrorClass
from sms_watch.settings import (
    OTHER_HOSTS,
    SETTINGS,
    Credentials,
    FileJournal,
    ObsJournal,
    Settings,
    parse,
    unknown,
)

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


def _parse(**texts: str) -> Settings:
    return parse({**LEAST, **texts}, None, ZoneInfo)


def _problems(texts: Dict[str, str], agency: Any = None) -> str:
    with pytest.raises(SettingsError) as caught:
        parse(texts, agency, ZoneInfo)
    return str(caught.value)


def test_the_least_that_is_needed() -> None:
    """Task ids, a topic, a journal and keys suffice; all else has its default."""
    settings = _parse()
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
    text = _problems({**dict.fromkeys(NAMES, "?!"), **dict.fromkeys(KEYS, "? !")})
    # Of names any text can be a pattern.
    for name in set(NAMES) - {"SMS_TASK_NAMES"}:
        assert f"\n- {name}: " in text
    assert "nothing was done" in text


def test_every_required_setting_is_reported_when_missing() -> None:
    """An empty configuration is answered with everything that it needs."""
    text = _problems({})
    assert "3 problems" in text
    for name in ("SMS_TASK_IDS", "SMN_TOPIC_URN", "HUAWEICLOUD_SDK_AK"):
        assert f"- {name}" in text


@pytest.mark.parametrize("blank", ["", "   ", "\n"])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in LEAST])
def test_a_blank_setting_has_its_default(name: str, blank: str) -> None:
    """A variable left empty in the console is one that is not set."""
    assert _parse(**{name: blank}) == _parse()


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("RESUME_MAX_ATTEMPTS", 0, 100),
        ("RESUME_MAX_PER_RUN", 1, 1000),
        ("RESUME_GRACE_MINUTES", 0, 1440),
        ("STALL_MINUTES", 0, 10080),
        ("HANG_MINUTES", 0, 10080),
        ("REMIND_HOURS", 0, 720),
        ("DIGEST_HOURS", 0, 720),
        ("RUN_BUDGET_SECONDS", 5, 3600),
    ],
)
def test_numbers_are_whole_and_within_their_range(name: str, low: int, high: int) -> None:
    """The borders are accepted; one beyond them, a fraction, a sign and a word are not."""
    for border in (low, high):
        _parse(**{name: str(border)})
    for wrong in (low - 1, high + 1, "1.5", "+7", "five", "1e1", "٣", "0x1", "9" * 5000):
        text = _problems({**LEAST, name: str(wrong)})
        assert f"{name}: " in text
        assert f"a whole number from {low} to {high}" in text
        assert len(text) < 500


def test_the_first_wait_is_not_above_the_longest() -> None:
    """Contradicting waits are a problem that names both variables."""
    _parse(RESUME_BACKOFF_MINUTES="15")
    text = _problems({**LEAST, "RESUME_BACKOFF_MINUTES": "16"})
    assert "RESUME_BACKOFF_MAX_MINUTES, 15" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *((text, True) for text in ("true", "TRUE", "1", "on", "yes")),
        *((text, False) for text in ("false", "0", "Off", "no")),
    ],
)
def test_a_switch_is_read(text: str, expected: bool) -> None:
    """The usual words for true and false are understood."""
    assert _parse(DRY_RUN=text).dry_run is expected


@pytest.mark.parametrize("text", ["maybe", "2", "tru", "-", "none"])
def test_a_switch_is_never_guessed(text: str) -> None:
    """An unknown word is never taken for false."""
    assert "true or false" in _problems({**LEAST, "DRY_RUN": text})


def test_ids_are_separated_by_commas_or_white_space_and_named_once() -> None:
    """A list copied from anywhere is understood; an id named twice is watched once."""
    assert _parse(SMS_TASK_IDS=" a-1, b\n\tc ,,a-1 ").scope.task_ids == ("a-1", "b", "c")


@pytest.mark.parametrize(
    "text", ["a_b", "a/../b", "x" * 37, "{id}", "ä", "a;b", ","], ids=lambda text: text[:8]
)
def test_an_id_that_is_none_is_refused(text: str) -> None:
    """An id is at most 36 letters, digits and hyphens; a list without any is missing."""
    assert "SMS_TASK_IDS: " in _problems({**LEAST, "SMS_TASK_IDS": text})


def test_all_tasks_are_watched_by_a_star() -> None:
    """A star stands for every task of the account; filters choose among them."""
    assert _parse(SMS_TASK_IDS=" * ").scope == Scope()
    chosen = _parse(
        SMS_TASK_IDS="*", SMS_TASK_NAMES="wave1-*, db-??\nwave1-*", SMS_MIGRATION_PROJECT="p-1"
    )
    assert chosen.scope == Scope((), ("wave1-*", "db-??"), "p-1")
    assert chosen.scope.discovers
    assert not _parse().scope.discovers


def test_a_star_stands_alone() -> None:
    """A star beside ids is no list of either kind."""
    assert "either * for every task" in _problems({**LEAST, "SMS_TASK_IDS": "* a-1"})


@pytest.mark.parametrize("name", ["SMS_TASK_NAMES", "SMS_MIGRATION_PROJECT"])
def test_a_filter_beside_ids_is_refused(name: str) -> None:
    """What is listed by id is watched: a filter would silently do nothing."""
    assert f"{name}: selects among all tasks" in _problems({**LEAST, name: "a-1"})


@pytest.mark.parametrize("text", ["a_b", "x" * 37, "p/../q"])
def test_a_project_that_is_none_is_refused(text: str) -> None:
    """A migration project is named by its id."""
    texts = {**LEAST, "SMS_TASK_IDS": "*", "SMS_MIGRATION_PROJECT": text}
    assert "SMS_MIGRATION_PROJECT: " in _problems(texts)


@pytest.mark.parametrize(
    ("urn", "expected"),
    [
        (f"{URN}:0a1b", "of a subscription"),
        ("night-watch", "urn:smn:<region>"),
        (f"urn:obs:ap-southeast-3:{PROJECT}:night", "urn:smn:<region>"),
        (f"urn:smn:Asia:{PROJECT}:night", "a region such as"),
        ("urn:smn:ap-southeast-3::night", "project id"),
        (f"urn:smn:ap-southeast-3:{PROJECT}:", "urn:smn:<region>"),
        (f"urn:smn:ap-southeast-3:{PROJECT}:a b", "urn:smn:<region>"),
    ],
)
def test_a_urn_that_is_not_of_a_topic_is_refused(urn: str, expected: str) -> None:
    """A topic's URN has five parts; the URN of a subscription is named as what it is."""
    assert expected in _problems({**LEAST, "SMN_TOPIC_URN": urn})


def _topic_in(region: str) -> str:
    return f"urn:smn:{region}:{PROJECT}:night"


def _obs_endpoint(**texts: str) -> str:
    journal = _parse(**texts).journal
    assert isinstance(journal, ObsJournal)
    return journal.endpoint


ADDRESSES: Dict[str, Tuple[Dict[str, Region], Callable[[str], str]]] = {
    "sms": (SmsRegion.static_fields, lambda region: _parse(SMS_REGION=region).sms_endpoint),
    "smn": (
        SmnRegion.static_fields,
        lambda region: _parse(SMN_TOPIC_URN=_topic_in(region)).smn_endpoint,
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
    settings = _parse(SMS_REGION="cn-north-4")
    assert settings.sms_endpoint == "https://sms.cn-north-4.myhuaweicloud.com"
    assert settings.console == "https://console.huaweicloud.com/sms/"


@pytest.mark.parametrize("name", ["SMS_ENDPOINT", "SMN_ENDPOINT", "OBS_ENDPOINT"])
@pytest.mark.parametrize(
    "text",
    [
        "sms.example.com",
        "http://sms.example.com",
        "http://127.0.0.1.example.com",
        "http://127.999.999.999",
        "http://127.0.0.256",
        "http://127.0.0",
        "https://sms.example.com/v3",
        "https://sms.example.com?x=1",
        "https://sms.example.com#x",
        "https://user@sms.example.com",
        "https://sms.example.com:port",
        "https://sms.example.com:99999",
        "https://",
        "ftp://sms.example.com",
        "https://[::1",
        "https://sms exam.com",
    ],
)
def test_an_endpoint_is_an_address_and_no_more(name: str, text: str) -> None:
    """Keys go over https to a host that was named in full, without path, query or login."""
    assert f"{name}: " in _problems({**LEAST, name: text})


@pytest.mark.parametrize("name", ["SMS_ENDPOINT", "SMN_ENDPOINT", "OBS_ENDPOINT", "JOURNAL_URI"])
@pytest.mark.parametrize(
    "text",
    [
        "https://me:hunter22@sms.example.com",
        "https://me:hunter22@sms.example.com:port",
        "https://me:hunter22@[::1",
        "https://me:hunter22@\u2100.example.com",
        "https://me:one\nhunter22@sms.example.com",
        "me:hunter22@sms.example.com",
        "obs://me:hunter22@bucket/watch",
        "obs://me:hunter22@my.bucket/watch",
        "obs:me:hunter22@bucket",
        "file://me:hunter22@server/share",
        "https://obs.example.com/?Signature=hunter22",
        "https://obs.example.com/?Signature=a@hunter22",
        "https://me:1@obs.example.com#hunter22",
        "https://me:1?hunter22@obs.example.com",
        "https:/me:hunter22@sms.example.com",
        "https:me:hunter22@sms.example.com",
        "HTTPS://me:hunter22@sms.example.com",
        "https://me%3Ahunter22%40sms.example.com",
        "https://me:hunter22/sms.example.com",
        "obs://me:hunter22/bucket",
        "obs://bucket/me:hunter22",
    ],
)
def test_a_login_in_an_address_is_not_repeated(name: str, text: str) -> None:
    """A password, or a signature, that was put into an address does not come back in the error."""
    problems = _problems({**LEAST, name: text})
    assert f"{name}: " in problems
    assert " is not accepted; give " in problems
    assert "hunter22" not in problems


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://sms.example.com", "https://sms.example.com"),
        ("https://sms.example.com:8443/", "https://sms.example.com:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ("http://127.255.9.10:9000", "http://127.255.9.10:9000"),
        ("http://localhost:9000", "http://localhost:9000"),
        ("http://[::1]:9000", "http://[::1]:9000"),
    ],
)
def test_an_endpoint_is_taken(text: str, expected: str) -> None:
    """https anywhere, http on this machine only."""
    assert _parse(SMS_ENDPOINT=text).sms_endpoint == expected


@pytest.mark.parametrize(
    "text",
    [
        *("/var/lib", "file://host/var", "file:///", "file:var", "http://x", "s3://b"),
        *("file:///a?b", "obs://", "obs://B", "obs://ab", "obs://b_c/x", "obs:bucket"),
        *("obs://bucket/a//b", "obs://bucket/ä", "obs://bucket/a?b", "obs://-bucket"),
    ],
)
def test_a_journal_is_a_place_named_in_full(text: str) -> None:
    """A journal that cannot be found again is refused."""
    assert "JOURNAL_URI: " in _problems({**LEAST, "JOURNAL_URI": text})


@pytest.mark.parametrize(
    ("text", "bucket", "prefix"),
    [
        ("obs://bucket", "bucket", ""),
        ("obs://bucket/", "bucket", ""),
        ("obs://my-bucket-1/a/b_c.d/", "my-bucket-1", "a/b_c.d"),
    ],
)
def test_a_journal_in_a_bucket(text: str, bucket: str, prefix: str) -> None:
    """A bucket that a person names is not one that is made for them."""
    journal = _parse(JOURNAL_URI=text, OBS_REGION="eu-west-101").journal
    endpoint = "https://obs.eu-west-101.myhuaweicloud.eu"
    assert journal == ObsJournal(endpoint, "eu-west-101", bucket, prefix)


@pytest.mark.parametrize("text", ["obs://my.bucket", "obs://my.bucket/a", "obs://192.0.2.1/a"])
def test_a_bucket_with_a_dot_is_refused_with_the_reason(text: str) -> None:
    """No certificate fits its host, so that the first run would fail; the error says what to do."""
    problems = _problems({**LEAST, "JOURNAL_URI": text})
    assert f"JOURNAL_URI: {text!r} is not accepted; give a bucket without a dot" in problems
    assert "the certificate of OBS does not cover the host name" in problems
    assert "create another bucket" in problems


@given(st.from_regex(r"[A-Za-z0-9]{1,50}", fullmatch=True))
def test_the_default_bucket_has_a_name_that_obs_takes(project: str) -> None:
    """Whatever project the topic is of: 3 to 63 small letters, digits and hyphens, and no dot."""
    journal = _parse(SMN_TOPIC_URN=f"urn:smn:ap-southeast-3:{project}:night").journal
    assert isinstance(journal, ObsJournal)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", journal.bucket)


def test_a_journal_path_may_hold_escapes() -> None:
    """A space in the path is written as in any URI."""
    journal = _parse(JOURNAL_URI="file:///srv/my%20watch").journal
    assert journal == FileJournal(PurePosixPath("/srv/my watch"))


def test_classes_override_codes() -> None:
    """Pairs of code and class, separated by spaces or commas, are the user's own judgement."""
    classes = _parse(ERROR_CLASSES="SMS.0805=transient, SMS.1107=human").policy.classes
    assert classes == {"SMS.0805": ErrorClass.TRANSIENT, "SMS.1107": ErrorClass.HUMAN}


@pytest.mark.parametrize(
    "text",
    ["SMS.0805", "SMS.0805=", "SMS.0805=soft", "0805=human", "SMS.0805:human", "sms.0805=human"],
)
def test_a_class_that_is_none_is_refused(text: str) -> None:
    """A pair that is not understood is never passed over."""
    assert "ERROR_CLASSES: " in _problems({**LEAST, "ERROR_CLASSES": text})


def test_a_code_has_one_class() -> None:
    """Two classes for one code contradict; the same twice does not."""
    _parse(ERROR_CLASSES="SMS.0805=human SMS.0805=human")
    text = _problems({**LEAST, "ERROR_CLASSES": "SMS.0805=human SMS.0805=transient"})
    assert "two classes" in text


def test_kinds_are_chosen_by_name() -> None:
    """NOTIFY_ON lists kinds; an unknown one is refused with the list."""
    chosen = _parse(NOTIFY_ON="failed, needs_person").policy.notify_on
    assert chosen == {Kind.FAILED, Kind.NEEDS_PERSON}
    for wrong in ("fail", "FAILED", "warning-", "+", "failed+"):
        assert "needs_person" in _problems({**LEAST, "NOTIFY_ON": wrong})


def test_kinds_are_chosen_by_level() -> None:
    """A level stands for its kinds, with a plus for the worse ones too; they add up."""

    def chosen(text: str) -> FrozenSet[Kind]:
        return _parse(NOTIFY_ON=text).policy.notify_on

    assert chosen("critical") == {k for k in Kind if k.level is Level.CRITICAL}
    warnings = {k for k in Kind if k.level is Level.WARNING} | {Kind.PAUSED}
    assert chosen("warning") == warnings
    assert chosen("warning+") == warnings | chosen("critical")
    assert Kind.PAUSED in chosen("info")
    assert chosen("info+") == chosen("all") == set(Kind)
    assert chosen("critical finished") == chosen("critical") | {Kind.FINISHED}


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
    policy = _parse(NOTIFY_ON=wanted, REMIND_HOURS="4", DIGEST_HOURS="12").policy
    assert (policy.remind, policy.digest) == (timedelta(hours=remind), timedelta(hours=digest))


@pytest.mark.parametrize(
    ("text", "hours"),
    [("+08:00", 8), ("-03:30", -3.5), ("Asia/Shanghai", 8), ("UTC", 0), ("+00:00", 0)],
)
def test_a_time_zone_is_a_name_or_an_offset(text: str, hours: float) -> None:
    """Times in messages follow a zone by name, or a fixed offset."""
    moment = datetime(2026, 11, 24, tzinfo=timezone.utc).astimezone(_parse(TIME_ZONE=text).zone)
    assert moment.utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["Mars/Olympus", "08:00", "+25:00", "+08:60", "../etc", "GMT+"])
def test_an_unknown_time_zone_is_refused(text: str) -> None:
    """A zone that is not known here is a problem, with a form that is known everywhere."""
    assert "+08:00" in _problems({**LEAST, "TIME_ZONE": text})


AGENCY = Credentials("agency-ak", "agency-sk", "agency-token")


def test_without_keys_the_agency_gives_them() -> None:
    """With neither key set, the temporary keys of the function's agency are used."""
    texts = {name: text for name, text in LEAST.items() if "SDK" not in name}
    assert parse(texts, AGENCY, ZoneInfo).credentials == AGENCY
    assert "no agency" in _problems(texts)


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
    assert f"{missing}: is missing" in _problems(texts, AGENCY)


def test_a_token_needs_its_keys() -> None:
    """A token without keys is a contradiction, with an agency as without."""
    texts = {name: text for name, text in LEAST.items() if "SDK" not in name}
    texts["HUAWEICLOUD_SDK_SECURITY_TOKEN"] = "token"
    assert "the token belongs to" in _problems(texts, AGENCY)


@pytest.mark.parametrize("name", ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK"])
@pytest.mark.parametrize("broken", ["{} {}", "{}\n{}", "{}{}é", "'{}{}'"])
def test_a_broken_key_is_refused_and_not_shown(name: str, broken: str) -> None:
    """A key that was copied badly is a problem whose text does not hold it."""
    key = TEMPORARY.secret
    problems = _problems({**LEAST, name: broken.format(key[:20], key[20:])})
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
        problems = _problems({**texts, name: text})
        assert f"{name}: contains the key that is in {holder}; " in problems
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
            problems = _problems({**texts, name: text}, agency)
            assert "***" in problems
            assert not leaked(problems)


def test_short_words_are_no_keys_of_others() -> None:
    """A key that is none, such as a word in its place, stands in no other's way."""
    assert _parse(HUAWEICLOUD_SDK_AK="smn").topic.urn == URN


def test_keys_are_not_shown() -> None:
    """No representation of the settings, nor of the keys alone, holds a part of one."""
    settings = _parse(HUAWEICLOUD_SDK_SECURITY_TOKEN="TOKTOKTOK")
    for shown in (repr(settings), f"{settings.credentials} {[settings.credentials]!r}"):
        assert not any(part in shown for part in ("AKAK", "SKSK", "TOKTOK"))


def test_the_readme_shows_the_same_table() -> None:
    """The table in README.md has every setting, its default and its meaning, and no other."""
    readme = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    table = readme.split("<!-- settings -->\n")[1].split("<!-- /settings -->")[0]
    rows = [f"| `{setting.name}` | {setting.shown} | {setting.meaning} |\n" for setting in SETTINGS]
    assert table == "| name | default | meaning |\n|---|---|---|\n" + "".join(rows)


@given(st.sampled_from(NAMES), st.text(max_size=80))
def test_any_text_is_accepted_or_refused(name: str, text: str) -> None:
    """No text makes a setting fail in another way than by a problem that names it."""
    problems: Tuple[str, ...]
    try:
        problems = (f"{_parse(**{name: text}).scope}, {name}",)
    except SettingsError as error:
        problems = error.problems
    assert all(name in problem or "BACKOFF" in problem for problem in problems)


# A variable that nobody reads


LETTERS = "AKSMNBO_XE9"  # all in which names that are alike differ, and some more


def _slips(name: str) -> Iterator[str]:
    """Return what becomes of a name by one slip: a letter less, more, another, or two swapped."""
    for at in range(len(name) + 1):
        head, tail = name[:at], name[at:]
        yield head + tail[1:]
        yield head + tail[1::-1] + tail[2:]
        yield from (head + letter + tail for letter in LETTERS)
        yield from (head + letter + tail[1:] for letter in LETTERS)


def _named(warning: str) -> str:
    found = re.fullmatch(r"\S+ is not a setting of sms_watch; did you mean (\w+)\?", warning)
    assert found is not None, warning
    return found.group(1)


def test_every_slip_in_the_name_of_a_setting_is_warned_of_with_the_right_name() -> None:
    """Wherever the slip is in whichever name: what was meant is named."""
    meant: Dict[str, Set[str]] = {}
    for name in NAMES:
        for slip in _slips(name):
            meant.setdefault(slip, set()).add(name)
    slips = sorted(meant.keys() - set(NAMES))
    warnings = unknown(slips)
    assert len(warnings) == len(slips) > 5_000
    for slip, warning in zip(slips, warnings):
        assert warning.startswith(f"{slip} is not a setting of sms_watch; ")
        assert _named(warning) in meant[slip], warning


@given(st.sets(st.sampled_from(NAMES)))
def test_no_setting_is_ever_warned_of(names: Set[str]) -> None:
    """The names that are read are those of the table, all together or some."""
    assert unknown(names) == ()


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DRYRUN", "DRY_RUN"),
        ("STALL_MINUTE", "STALL_MINUTES"),
        ("JOURNAL_URL", "JOURNAL_URI"),
        ("dry_run", "DRY_RUN"),
        ("Dry-Run", "DRY_RUN"),
        ("TIMEZONE", "TIME_ZONE"),
        ("LOGLEVEL", "LOG_LEVEL"),
        ("HUAWEICLOUD_AK", "HUAWEICLOUD_SDK_AK"),
        ("HUAWEICLOUD_SDKSK", "HUAWEICLOUD_SDK_SK"),
        ("HUAWEICLOUD_SDK_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
        ("RUN_BUDGET", "RUN_BUDGET_SECONDS"),
        ("ERROR_CLASS", "ERROR_CLASSES"),
        ("TASK_IDS", "SMS_TASK_IDS"),
        ("TOPIC_URN", "SMN_TOPIC_URN"),
        ("MAX_ATTEMPTS", "RESUME_MAX_ATTEMPTS"),
        ("STALL_HOURS", "STALL_MINUTES"),
        ("RESUME_BACKOF_MAX_MINUTE", "RESUME_BACKOFF_MAX_MINUTES"),
        ("SMS_TIME_ZONE", "TIME_ZONE"),
        ("JOURNAL_BUCKET", "JOURNAL_URI"),
    ],
)
def test_a_name_that_people_think_of_is_warned_of(name: str, meant: str) -> None:
    """Another spelling, a word less, or another unit."""
    assert [_named(warning) for warning in unknown([name])] == [meant]


@pytest.mark.parametrize(
    "name", ["SMS_PHONE_NUMBER", "RESUME_WHEN_IT_RAINS", "DIGEST_OF_ALL_THE_FILES"]
)
def test_a_name_that_begins_like_ours_is_warned_of(name: str) -> None:
    """Where nothing is like it, no name is guessed."""
    assert unknown([name]) == (f"{name} is not a setting of sms_watch; the README lists them",)


def test_a_name_is_shown_in_one_short_line() -> None:
    """Where a variable may have any name, no name breaks a line or fills a log."""
    (warning,) = unknown(["SMS_\n" + "X" * 5000])
    assert len(warning) < 150
    assert "\n" not in warning


# Of a login shell, a desktop, systemd, Windows, Python, CI, containers, other tools for this cloud
# and for others, and of FunctionGraph (user manual, "Configuring Environment Variables").
USUAL = Path(__file__).with_name("data") / "usual_variables.txt"


def test_variables_of_others_are_not_warned_of() -> None:
    """What shells, CI, other tools and FunctionGraph set is none of our business."""
    names = USUAL.read_text(encoding="utf-8").split()
    assert len(names) > 200
    assert unknown(names) == ()
