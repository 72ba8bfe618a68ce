"""``check``: is everything set up, and if not, what is to be done?"""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import Dict, Iterable, Iterator, List, Mapping, Optional

import click

from sms_watch.errors import CloudError, SettingsError
from sms_watch.redaction import Redactor
from sms_watch.settings.parse import secrets_in
from sms_watch.settings.table import SETTINGS
from sms_watch.text import clean, count
from sms_watch_cli.checks import function, journal, tasks, topic
from sms_watch_cli.checks.findings import STATUS, Finding, Verdict, unread, worst
from sms_watch_cli.session import (
    MOST_SHOWN,
    SOURCES,
    CloudSession,
    env_file_option,
    texts_of,
    unanswered,
    unread_of,
)

WIDTH = 100  # or that of a narrower terminal
MARGIN = 25  # of what comes after verdict and name
COLOURS = {
    Verdict.OK: "green",
    Verdict.NOTE: "blue",
    Verdict.WARNING: "yellow",
    Verdict.FAILED: "red",
}
COUNTED = (Verdict.NOTE, Verdict.WARNING)  # those that are nouns
UNASKED = "not checked: further calls with refused keys could lock them"


def findings(
    cloud_session: CloudSession, texts: Mapping[str, str], send_test: bool = False
) -> Iterator[Finding]:
    """Look at everything that a run needs, in the order in which one thing needs another."""
    yield from tasks.settings(cloud_session, texts)
    nobody, _, question = unanswered(texts).partition(": ")
    if nobody:
        yield Finding("settings", Verdict.FAILED, nobody, question)
    yield tasks.clock(cloud_session)
    seen: List[object] = []
    if cloud_session.settings.scope.discovers:
        seen += tasks.listed(cloud_session)
        errors = [each for each in seen if isinstance(each, CloudError)]
        yield tasks.keys(errors)
        yield from (tasks.listing_failed(error) for error in errors if not error.refuses_keys)
        yield from (each for each in seen if isinstance(each, Finding))
    else:
        found = tasks.seen_by_id(cloud_session)
        seen += found
        yield tasks.keys(found)
        yield from tasks.tasks(cloud_session, found)
    if tasks.is_locked_out(seen):
        yield Finding("the rest", Verdict.NOTE, UNASKED, "correct the keys, then check again")
        return
    read, entries = journal.read(cloud_session)
    yield tasks.right_to_start(cloud_session.settings.policy, entries)
    yield from topic.topic(cloud_session)
    yield read
    yield from journal.appending(cloud_session)
    if send_test:
        yield topic.send_test(cloud_session)


def _all(
    texts: Mapping[str, str],
    warnings: Iterable[str],
    urn: Optional[str],
    endpoint: str,
    send_test: bool,
) -> Iterator[Finding]:
    yield from unread("settings", warnings)
    try:
        cloud_session = CloudSession.of(texts)
    except SettingsError as error:
        for problem in error.problems:
            yield Finding("settings", Verdict.FAILED, problem)
        yield Finding("the rest", Verdict.NOTE, "not checked: it needs the settings", SOURCES)
        return
    with cloud_session:
        locked_out = False
        for each in findings(cloud_session, texts, send_test):
            locked_out = locked_out or each.text == UNASKED
            yield each
        if urn and not locked_out:
            yield from function.function(cloud_session, urn, endpoint, texts)


@click.command("check")
@env_file_option
@click.option("--function", "urn", metavar="URN", help="Also check this function.")
@click.option(
    "--function-endpoint",
    metavar="URL",
    help="Another address for FunctionGraph than that of the URN's region.",
)
@click.option("--send-test", is_flag=True, help="Publish a test message to the topic.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
@click.pass_context
def command(
    ctx: click.Context,
    given: Dict[str, str],
    urn: Optional[str],
    function_endpoint: Optional[str],
    send_test: bool,
    as_json: bool,
) -> None:
    """Check the set-up, and say what to do about what is wrong.

    Checks settings, clock, keys, tasks, the topic and its subscriptions, the journal, and with
    --function the function in FunctionGraph. It uses the keys given here; those of the function
    may have other rights. It changes nothing, and sends nothing without --send-test.

    Exit status: 0 if all is well, 1 with warnings, 2 with failures.
    """
    texts = texts_of(given)
    endpoint = _endpoint(function_endpoint, urn)
    redact = Redactor(secrets_in(texts))
    found: List[Finding] = []
    for each in _all(texts, unread_of(given), urn, endpoint, send_test):
        # What services and the journal say is in it, and a finding is one line.
        text, remedy = (clean(redact(part), MOST_SHOWN) for part in (each.text, each.remedy))
        shown = Finding(each.about, each.verdict, text, remedy)
        found.append(shown)
        if not as_json:
            click.echo(_line(shown))
    if as_json:
        rows = [{**vars(each), "verdict": str(each.verdict)} for each in found]
        click.echo(json.dumps({"verdict": str(worst(found)), "findings": rows}, indent=2))
    else:
        click.echo(_summary(found))
    ctx.exit(STATUS[worst(found)])


def _endpoint(given: Optional[str], urn: Optional[str]) -> str:
    if urn is None:
        return ""
    usual = function.endpoint_of(urn)
    if given is None:
        return usual
    accepts = next(setting.read for setting in SETTINGS if setting.name == "SMS_ENDPOINT")
    try:
        return str(accepts(given))
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--function-endpoint") from None


def _line(finding: Finding) -> str:
    width = min(WIDTH, shutil.get_terminal_size((WIDTH, 0)).columns)

    def filled(text: str, first: str) -> str:
        rest = " " * MARGIN
        return textwrap.fill(
            text,
            max(width, 2 * MARGIN),
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )

    verdict = click.style(f"{finding.verdict:<9}", fg=COLOURS[finding.verdict])
    text = filled(finding.text, " " * MARGIN)[MARGIN:]
    line = f"{verdict}{finding.about:<{MARGIN - 9}}{text}"
    return f"{line}\n{filled('-> ' + finding.remedy, ' ' * MARGIN)}" if finding.remedy else line


def _summary(found: List[Finding]) -> str:
    counts = [(sum(each.verdict is one for each in found), one) for one in Verdict]
    shown = ", ".join(
        count(number, verdict) if verdict in COUNTED else f"{number} {verdict}"
        for number, verdict in counts
        if number
    )
    return f"\n{shown}"
