"""The rights that are asked for: those that the calls in the code need, and no other."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Set

import pytest

from tests.support.policies import ACTION, POLICIES, actions, policy

ADAPTERS = sorted(Path(__file__).parents[2].glob("sms_watch/adapters/*.py"))


class Rights(NamedTuple):
    """The actions that a call needs, in each of IAM's models."""

    v1_1: FrozenSet[str]
    v5: FrozenSet[str]


def _rights(v1_1: str, v5: str) -> Rights:
    return Rights(frozenset(v1_1.split()), frozenset(v5.split()))


# SMS API reference, "Permissions and Supported Actions"; SMN and OBS API reference, likewise. The
# right to list a bucket is what makes OBS answer 404 for an object that is missing.
NEEDED: Dict[str, Rights] = {
    "show_task": _rights("sms:server:queryServer", "sms:server:getTask"),
    "list_tasks": _rights("sms:server:queryServer", "sms:server:listTask"),
    "list_servers": _rights("sms:server:queryServer", "sms:server:list"),
    "update_task_status": _rights("sms:server:migrationServer", "sms:server:manageTask"),
    "publish_message": _rights("smn:topic:publish", "smn:topic:publish"),
    "GET object": _rights(
        "obs:object:GetObject obs:bucket:ListBucket", "obs:object:getObject obs:bucket:listBucket"
    ),
    "HEAD object": _rights("obs:object:GetObject", "obs:object:getObject"),
    "POST object": _rights("obs:object:PutObject", "obs:object:putObject"),
    "PUT bucket": _rights("obs:bucket:CreateBucket", "obs:bucket:createBucket"),
}
FIRST_RUN = "PUT bucket"
NO_CALLS = {"get_http_client"}


def _calls(source: str) -> Iterator[str]:
    """Return every call to the outside in a module: methods of a client, and requests to OBS."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr.endswith("_invoker"):
            yield node.attr[: -len("_invoker")]
        elif isinstance(node, ast.Attribute) and _name(node.value) == "client":
            yield node.attr
        elif isinstance(node, ast.Call) and _name(node.func) == "_request":
            method, target = node.args[:2]
            assert isinstance(method, ast.Constant), (
                "a method that is worked out cannot be read here"
            )
            whole = isinstance(target, ast.Constant) and target.value is None
            yield f"{method.value!s} {'bucket' if whole else 'object'}"


def _name(node: ast.AST) -> str:
    return getattr(node, "attr", "") or getattr(node, "id", "")


def _called() -> Set[str]:
    found = {call for path in ADAPTERS for call in _calls(path.read_text(encoding="utf-8"))}
    return found - NO_CALLS


def test_every_call_in_the_code_has_its_rights() -> None:
    """A call that nobody asked rights for would be refused at night; a right without a call goes.

    What is called is read from the source of the adapters.
    """
    called = _called()
    assert called <= set(NEEDED), "a new call: name the actions that it needs, and grant them"
    assert set(NEEDED) <= called, "nothing calls this any more: take its actions away"


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("self._caller.connection.client.delete_task_invoker(request).invoke", "delete_task"),
        ("client.list_tasks(request)", "list_tasks"),
        ("self._request('DELETE', name)", "DELETE object"),
        ("self._request('GET', None, {'prefix': ''})", "GET bucket"),
    ],
)
def test_a_new_call_is_seen(source: str, call: str) -> None:
    """However a call is written, it is found in the source."""
    assert list(_calls(source)) == [call]


@pytest.mark.parametrize(
    ("model", "always", "once"),
    [
        (0, ["v1.1-global", "v1.1-project"], "v1.1-first-run"),
        (1, ["v5"], "v5-first-run"),
    ],
)
def test_exactly_what_is_needed_is_granted(model: int, always: List[str], once: str) -> None:
    """In both of IAM's models each action is granted once, and no pattern grants more."""
    needed = {call: rights[model] for call, rights in NEEDED.items()}
    granted = sorted(actions(*always))
    assert granted == sorted(
        frozenset().union(*(needed[call] for call in needed if call != FIRST_RUN))
    )
    assert actions(once) == list(needed[FIRST_RUN])
    assert all(ACTION.fullmatch(action) for action in [*granted, *actions(once)])


def test_global_and_project_rights_are_kept_apart() -> None:
    """In the older model a policy is for global services, SMS and OBS, or for a project, SMN."""
    assert {action.split(":")[0] for action in actions("v1.1-global")} == {"sms", "obs"}
    assert {action.split(":")[0] for action in actions("v1.1-project")} == {"smn"}


@pytest.mark.parametrize("name", sorted(path.stem for path in POLICIES.glob("*.json")))
def test_what_is_granted_on_obs_is_for_one_bucket(name: str) -> None:
    """No right on OBS reaches beyond the bucket of the journal."""
    for action, resource in policy(name):
        kind = action.split(":")[1]
        within = {"object": "<bucket>/*", "bucket": "<bucket>"}.get(kind)
        expected = f"obs:*:*:{kind}:{within}" if action.startswith("obs:") else ""
        assert resource == expected


def test_every_action_has_its_reason() -> None:
    """The table beside the policies has each action once, with a line that says why."""
    text = (POLICIES / "README.md").read_text(encoding="utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if ACTION.search(line)]
    for column, prefix in ((0, "v1.1"), (1, "v5")):
        named = [each for row in rows for each in ACTION.findall(row[column])]
        files = [path.stem for path in POLICIES.glob(f"{prefix}*.json")]
        assert sorted(named) == sorted(actions(*files))
    assert all(len(row[2].strip()) > 10 for row in rows)
