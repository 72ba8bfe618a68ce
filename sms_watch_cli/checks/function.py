"""The function in FunctionGraph: whether it is set up as the README asks.

Fields are those of the FunctionGraph API reference ("Querying the Metadata of a Function",
"Obtaining the Asynchronous Invocation Configuration", "Querying All Triggers of a Function").
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any, Dict, Iterator, List, Mapping, Optional

from huaweicloudsdkfunctiongraph.v2 import (
    FunctionGraphClient,
    ListFunctionTriggersRequest,
    ShowFunctionAsyncInvokeConfigRequest,
    ShowFunctionConfigRequest,
)

from sms_watch.adapters.sdk import Caller, Connection
from sms_watch.errors import CloudError, remedy
from sms_watch.settings.parse import address_of
from sms_watch.settings.table import SECRET_SETTINGS, SETTINGS, unknown
from sms_watch.settings.values import Credentials
from sms_watch.text import clean
from sms_watch.timetable import Timetable
from sms_watch_cli.checks.findings import Finding, Verdict, unread
from sms_watch_cli.session import CloudSession, split_urn

FORM = "urn:fss:<region>:<project id>:function:<package>:<name>, from the function's details"
RUNTIMES = ("Python3.9", "Python3.10", "Python3.12")
# What the service does when nobody has set it (API reference, asynchronous invocation).
USUAL_RETRIES = 1
READING = "read access to functions, such as the system policy FunctionGraph ReadOnlyAccess"
ADDRESS = "the URN of the function, and --function-endpoint"


def endpoint_of(urn: str) -> str:
    """Return the address of FunctionGraph for a function. Raise CommandError if the URN is none."""
    return address_of("functiongraph", split_urn(urn, FORM, 7)[2])


def connect(endpoint: str, credentials: Credentials, project_id: str) -> Connection:
    """Make a client for the functions of a project."""
    return Connection(FunctionGraphClient.new_builder, endpoint, credentials, project_id)


def function(
    cloud_session: CloudSession, urn: str, endpoint: str, texts: Mapping[str, str]
) -> Iterator[Finding]:
    """Look at the function; ``texts`` are the settings here, to compare with its own."""
    project = split_urn(urn, FORM, 7)[3]
    caller = cloud_session.caller(connect, endpoint, cloud_session.settings.credentials, project)
    client = caller.connection.client
    try:
        config = _object(
            caller,
            "look at the function",
            client.show_function_config_invoker(ShowFunctionConfigRequest(function_urn=urn)),
        )
    except CloudError as error:
        yield _unseen("function", error)
        return
    yield from configuration(config, cloud_session.settings.budget)
    yield from environment(config, texts)
    try:
        yield from asynchronous(_asynchronous(caller, urn))
        yield from timers(_triggers(caller, urn))
    except CloudError as error:
        yield _unseen("function", error)


def configuration(config: Mapping[str, Any], budget: int) -> Iterator[Finding]:
    """Judge handler, runtime, timeout, instances and initializer."""
    about, handler = "function", str(config.get("handler"))
    if handler != "index.handler":
        text = f"its handler is {clean(handler)}"
        yield Finding(about, Verdict.FAILED, text, "set it to index.handler")
    runtime = str(config.get("runtime"))
    if runtime not in RUNTIMES:
        text = f"its runtime is {clean(runtime)}"
        yield Finding(about, Verdict.WARNING, text, f"choose one of {', '.join(RUNTIMES)}")
    yield _timeout(config.get("timeout"), budget)
    yield _instances(_mapping(config.get("strategy_config")).get("concurrency"))
    if config.get("initializer_handler") != "index.initializer":
        text = "it has no initializer, so cold starts are slower; nothing else is lost"
        yield Finding(about, Verdict.NOTE, text, "enable it: index.initializer, 30 s")


def _timeout(seconds: Any, budget: int) -> Finding:
    about, needed = "function", Timetable(budget).timeout
    to_do = f"set the timeout to {needed} s under Basic Settings"
    text = f"its timeout is {seconds} s, and RUN_BUDGET_SECONDS is {budget}"
    if not isinstance(seconds, int):
        return Finding(about, Verdict.NOTE, "its timeout is unknown")
    if seconds < budget:
        return Finding(about, Verdict.FAILED, text, f"runs are killed in the middle: {to_do}")
    if seconds < needed:
        return Finding(
            about, Verdict.WARNING, text, f"a long run may be killed at its end: {to_do}"
        )
    return Finding(about, Verdict.OK, text)


def _instances(number: Any) -> Finding:
    about = "function"
    if number == 1:
        return Finding(about, Verdict.OK, "one instance at a time")
    if number == 0:
        text = "it is disabled: no instance may run"
        return Finding(
            about, Verdict.FAILED, text, "set Max. Instances per Function to 1 under Concurrency"
        )
    limit = f"up to {number} instances" if isinstance(number, int) and number > 0 else "no limit"
    why = "set Max. Instances per Function to 1 under Concurrency: a second run is no help"
    return Finding(about, Verdict.WARNING, f"instances at a time: {limit}", why)


def environment(config: Mapping[str, Any], texts: Mapping[str, str]) -> Iterator[Finding]:
    """Judge where the function has its keys from, and whether its settings are those here."""
    about, plain = "function", _variables(config.get("user_data"))
    encrypted = _variables(config.get("encrypted_user_data"))
    open_keys = sorted(name for name in SECRET_SETTINGS if plain.get(name))
    if open_keys:
        text = f"{', '.join(open_keys)} can be read by everybody who may look at the function"
        yield Finding(
            about, Verdict.WARNING, text, "replace the keys, and tick Encrypted for the new ones"
        )
    agency = config.get("app_xrole") or config.get("xrole")
    hidden = config.get("encrypted_user_data") not in (None, "", "{}")  # masked, if there are any
    if agency:
        yield Finding(about, Verdict.OK, f"its agency is {clean(str(agency))}")
    elif not open_keys and not hidden:
        text = "it has neither keys nor an agency"
        yield Finding(about, Verdict.FAILED, text, "give it an agency, or set both keys, encrypted")
    secret = {*SECRET_SETTINGS, *encrypted}
    names = [setting.name for setting in SETTINGS if setting.name not in secret]
    differing = [name for name in names if plain.get(name, "").strip() != texts.get(name, "")]
    if differing:
        text = f"its settings differ from those checked here: {', '.join(differing)}"
        yield Finding(about, Verdict.WARNING, text, "check again with the function's own settings")
    else:
        yield Finding(about, Verdict.OK, "its settings are the ones checked here")
    yield from unread(about, unknown([*plain, *encrypted]))


def asynchronous(config: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge retries and the destination of failures."""
    about = "function"
    retries = config.get("max_async_retry_attempts", USUAL_RETRIES)
    if retries == 0:
        yield Finding(about, Verdict.OK, "no retries: the next tick is the retry")
    else:
        text = f"retries of a failed run: {clean(str(retries))}"
        why = "set Max. Retries to 0 under Configure Async Notification: the next tick is the retry"
        yield Finding(about, Verdict.WARNING, text, why)
    wanted = _mapping(_mapping(config.get("destination_config")).get("on_failure"))
    if wanted.get("destination"):
        text = f"failed runs are reported through {clean(str(wanted['destination']))}"
        yield Finding(about, Verdict.OK, text)
    else:
        text = "nobody hears of a run that fails"
        why = "set Failure Notification to SMN under Configure Async Notification"
        yield Finding(about, Verdict.WARNING, text, why)


def timers(triggers: List[Mapping[str, Any]]) -> Iterator[Finding]:
    """Judge what wakes the function."""
    about = "function"
    found = [each for each in triggers if each.get("trigger_type_code") == "TIMER"]
    active = [each for each in found if each.get("trigger_status") == "ACTIVE"]
    if not active:
        text = "its timer is switched off" if found else "it has no timer: nothing wakes it"
        why = "switch it on under Triggers" if found else "create a timer trigger, every minute"
        yield Finding(about, Verdict.FAILED, text, why)
        return
    about_each = [_mapping(each.get("event_data")) for each in active]
    shown = ", ".join(clean(str(each.get("schedule"))) for each in about_each)
    yield Finding(about, Verdict.OK, f"woken by a timer: {shown}")
    if len(active) > 1:
        text = f"it has {len(active)} timers"
        yield Finding(about, Verdict.WARNING, text, "keep one: two may wake it at the same moment")


def _unseen(about: str, error: CloudError) -> Finding:
    if error.status == HTTPStatus.FORBIDDEN:
        text, why = f"these keys may not look at it: {error}", f"grant {READING}"
        return Finding(about, Verdict.WARNING, text, why)
    return Finding(about, Verdict.FAILED, str(error), remedy(error, READING, ADDRESS))


def _object(caller: Caller, operation: str, asked: Any) -> Dict[str, Any]:
    body = caller.read(operation, asked.invoke).body
    if not isinstance(body, dict) or not body:
        raise caller.malformed(operation)
    return body


def _asynchronous(caller: Caller, urn: str) -> Mapping[str, Any]:
    request = ShowFunctionAsyncInvokeConfigRequest(function_urn=urn)
    asked = caller.connection.client.show_function_async_invoke_config_invoker(request)
    try:
        return _object(caller, "look at its asynchronous execution", asked)
    except CloudError as error:
        if error.status == HTTPStatus.NOT_FOUND:  # nobody has set it
            return {}
        raise


def _triggers(caller: Caller, urn: str) -> List[Mapping[str, Any]]:
    operation = "look at its triggers"
    request = ListFunctionTriggersRequest(function_urn=urn)
    asked = caller.connection.client.list_function_triggers_invoker(request)
    body = caller.read(operation, asked.invoke).body
    if not isinstance(body, list):
        raise caller.malformed(operation)
    return [each for each in body if isinstance(each, dict)]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _variables(text: Optional[str]) -> Dict[str, str]:
    """Read variables as the service keeps them: JSON in a string; masked ones give nothing."""
    try:
        found = json.loads(text or "{}")
    except (TypeError, ValueError):
        return {}
    return {str(name): str(each) for name, each in found.items()} if isinstance(found, dict) else {}
