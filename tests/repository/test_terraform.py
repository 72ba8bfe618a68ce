"""The infrastructure as code: names that the provider knows, the usual form, the same rights."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Tuple

import hcl2
import pytest
from packaging.version import Version

from simulated_cloud.setup import Function, trigger_list
from sms_watch.settings.table import SETTINGS
from sms_watch.timetable import Timetable
from tests.support.policies import ACTION, actions

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
MODULE = DEPLOY / "terraform"
FILES = sorted(DEPLOY.rglob("*.tf"))
EXAMPLES = sorted(MODULE.glob("examples/*/main.tf"))
VERSIONS = [MODULE / "versions.tf", *EXAMPLES]
PROVIDER = json.loads(
    (Path(__file__).parents[1] / "support" / "data" / "terraform_provider.json").read_text(
        encoding="utf-8"
    )
)["resources"]
# The version whose documents have every argument that the data knows no first version of.
OLDEST = Version("1.70.1")
TERRAFORM = shutil.which("terraform")
# Terraform's own, in every resource.
META = {"count", "for_each", "depends_on", "lifecycle"}
# Functions that Resource Formation Service refuses (its "Template Constraints and Limitations").
REFUSED = [
    "abspath",
    "basename",
    "dirname",
    "file",
    "filebase64",
    "filebase64sha256",
    "filebase64sha512",
    "fileexists",
    "fileset",
    "filemd5",
    "filesha1",
    "filesha256",
    "filesha512",
    "pathexpand",
    "templatefile",
]
# Set by the module itself, or by variables of their own.
ITS_OWN = {
    "SMS_TASK_IDS",
    "SMS_REGION",
    "SMN_TOPIC_URN",
    "JOURNAL_URI",
    "HUAWEICLOUD_SDK_AK",
    "HUAWEICLOUD_SDK_SK",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN",  # for one's own machine; such a token ends within a day
}


def _bare(value: Any) -> Any:
    """Take the parser's quotes and marks off."""
    if isinstance(value, dict):
        return {_bare(key): _bare(item) for key, item in value.items() if key[:2] != "__"}
    if isinstance(value, list):
        return [_bare(item) for item in value]
    return value.strip('"') if isinstance(value, str) else value


def _parsed(path: Path) -> Dict[str, Any]:
    with path.open(encoding="utf-8") as stream:
        bare: Dict[str, Any] = _bare(hcl2.load(stream))
    return bare


def _module(kind: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Return what the module declares of a kind, by name."""
    for path in MODULE.glob("*.tf"):
        for each in _parsed(path).get(kind, []):
            yield from each.items()


def _resources(paths: Iterable[Path]) -> List[Tuple[str, str, Dict[str, Any]]]:
    """Return type, name and body of each resource, override files laid over the others."""
    found: Dict[Tuple[str, str], Dict[str, Any]] = {}
    for path in sorted(paths, key=lambda path: (_overrides(path), path.name)):
        for each in _parsed(path).get("resource", []):
            ((of, one),) = each.items()
            ((name, body),) = one.items()
            known = found.get((of, name))
            assert (known is not None) == _overrides(path), f"{path.name}: {of}.{name}"
            found[of, name] = {**(known or {}), **body}
    return [(of, name, body) for (of, name), body in found.items()]


def _overrides(path: Path) -> bool:
    """Return whether Terraform lays a file over the others ("Override Files")."""
    return path.stem.endswith("_override")


def _template() -> List[Path]:
    """Return the files that ``make template`` packs for Resource Formation Service."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    line = re.search(r"^TEMPLATE := \$\(filter-out (.+),\$\(wildcard (.+)\)\) (.+)$", text, re.M)
    assert line, "TEMPLATE has another form now: read it in another way"
    left_out = [each.replace("%", "*") for each in line[1].split()]
    found = [str(path.relative_to(ROOT)) for path in sorted(ROOT.glob(line[2]))]
    kept = [name for name in found if not any(fnmatch(name, each) for each in left_out)]
    return [ROOT / name for name in [*kept, *line[3].split()]]


def _wanted(path: Path) -> str:
    """Return which versions of the provider a file asks for."""
    (block,) = _parsed(path)["terraform"]
    version: str = block["required_providers"][0]["huaweicloud"]["version"]
    return version


def _newest(resources: Iterable[Tuple[str, str, Dict[str, Any]]]) -> Version:
    """Return the first version of the provider that knows every argument of some resources."""
    since = [
        Version(version)
        for of, _, body in resources
        for argument, version in PROVIDER[of].get("since", {}).items()
        if argument in body
    ]
    return max([OLDEST, *since])


def _terraform(
    *arguments: str, given: str = "", at: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run Terraform without a look for newer versions of itself, which would leave the machine."""
    assert TERRAFORM
    return subprocess.run(
        [TERRAFORM, *arguments],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        cwd=at,
        env={**os.environ, "CHECKPOINT_DISABLE": "1"},
    )


RESOURCES = _resources(MODULE.glob("*.tf"))
FUNCTION = next(body for of, _, body in RESOURCES if of == "huaweicloud_fgs_function")
TIMER = next(body for of, _, body in RESOURCES if of == "huaweicloud_fgs_function_trigger")
VARIABLES = dict(_module("variable"))


@pytest.mark.parametrize(
    ("of", "body"), [pytest.param(of, body, id=f"{of}.{name}") for of, name, body in RESOURCES]
)
def test_the_provider_knows_every_argument(of: str, body: Dict[str, Any]) -> None:
    """Every argument is in the provider's documents, and the required ones are given."""
    known = PROVIDER[of]
    ours = {name: value for name, value in body.items() if name not in META}
    _check(of, ours, known["arguments"], known["blocks"])


def _check(
    where: str, body: Dict[str, Any], arguments: Dict[str, bool], blocks: Dict[str, Dict[str, bool]]
) -> None:
    given = set(body)
    assert given <= set(arguments), where
    assert {name for name, required in arguments.items() if required} <= given, where
    for name in given & set(blocks):
        for block in body[name]:
            _check(f"{where}.{name}", block, blocks[name], blocks)


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.parent.name)
def test_a_provider_that_knows_every_argument_is_asked_for(path: Path) -> None:
    """Module and examples ask for the version that brought the newest argument, or a later one."""
    assert _wanted(path) == f">= {_newest(RESOURCES)}" == ">= 1.75.2"


def test_everything_that_a_watchdog_needs_is_there() -> None:
    """Function, timer, topic, subscriptions, logs, bucket, agency, rights and alarms are made."""
    assert {of.replace("huaweicloud_", "") for of, _, _ in RESOURCES} == {
        "fgs_function",
        "fgs_function_trigger",
        "fgs_async_invoke_configuration",
        "smn_topic",
        "smn_subscription",
        "lts_group",
        "lts_stream",
        "obs_bucket",
        "identity_agency",
        "identity_role",
        "ces_alarmrule",
    }


def test_the_function_is_set_up_as_the_readme_says() -> None:
    """One instance, no retry, a timeout above the budget, keys only among the encrypted ones."""
    bodies = {of: body for of, _, body in RESOURCES}
    function = FUNCTION
    assert function["handler"] == "index.handler"
    assert function["initializer_handler"] == "index.initializer"
    assert function["max_instance_num"] == "1"
    assert bodies["huaweicloud_fgs_async_invoke_configuration"]["max_async_retry_attempts"] == 0
    values = dict(_module("locals"))
    budget = next(setting for setting in SETTINGS if setting.name == "RUN_BUDGET_SECONDS")
    assert f'"{budget.default}")) + {Timetable(0).timeout}' in values["timeout"]
    assert "local.plain" in function["user_data"]
    assert "SDK" not in values["plain"]
    assert all(VARIABLES[name]["sensitive"] for name in ("access_key", "secret_key"))


def test_keys_that_are_taken_away_are_taken_out_of_the_function() -> None:
    """Encrypted variables are always sent, as an empty object without keys.

    The provider does not pass an argument on that is null, and the service keeps what it had.
    """
    assert FUNCTION["encrypted_user_data"] == "${jsonencode(local.keys)}"
    assert str(dict(_module("locals"))["keys"]).startswith('${var.access_key == "" ? {} : {')


def test_another_name_of_the_zip_changes_nothing() -> None:
    """What the service calls the zip is no change: for that alone no code would be uploaded.

    In its place the provider sends the checksum that its state has of the code.
    """
    (lifecycle,) = FUNCTION["lifecycle"]
    assert lifecycle["ignore_changes"] == ["code_filename"]


def test_the_timer_says_that_it_does_not_wait() -> None:
    """The event has what the service answers in any case, and no user_event that is empty."""
    event = TIMER["event_data"]
    assert "sync_execution = false" in event
    always, _, sometimes = event.partition('var.user_event == "" ? {} : {')
    assert "user_event" not in always
    assert "user_event = var.user_event" in sometimes


@pytest.mark.parametrize("more", [{}, {"user_event": "test"}], ids=["without", "with"])
def test_the_timer_is_described_letter_for_letter_as_the_service_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: Dict[str, str]
) -> None:
    """The provider compares the event as text: another order or form is a change in every plan."""
    shutil.copy(MODULE / "variables.tf", tmp_path)
    for name, value in {"region": "ap-southeast-3", "task_ids": "*", **more}.items():
        monkeypatch.setenv(f"TF_VAR_{name}", value)
    expression = TIMER["event_data"][len("${") : -len("}")]
    assert "sync_execution" in expression
    if not TERRAFORM:
        return  # nothing else works the expression out
    done = _terraform("console", given=expression, at=tmp_path)
    assert done.returncode == 0, done.stderr
    (answer,) = trigger_list(Function("urn:fss:ap-southeast-3:0:function:default:sms-watch"))
    answered = answer["event_data"]
    assert json.loads(done.stdout) == json.dumps(
        {**answered, **more}, sort_keys=True, separators=(",", ":")
    )


@pytest.mark.parametrize(
    ("name", "fits"), [("our-operations", True), ("our.operations", False), ("a", False)]
)
def test_a_bucket_with_a_dot_is_refused(name: str, fits: bool) -> None:
    """No certificate of OBS fits the address of a bucket that has a dot in its name."""
    condition = VARIABLES["bucket"]["validation"][0]["condition"]
    pattern = re.search(r'regex\("(.+?)"', condition)
    assert pattern
    assert bool(re.search(pattern[1], name)) == fits


def test_the_rights_are_those_of_the_policies() -> None:
    """The module grants what deploy/policies lists for the older model, and no bucket's making."""
    granted = {
        name: ACTION.findall(body["policy"])
        for of, name, body in RESOURCES
        if of == "huaweicloud_identity_role"
    }
    assert granted == {"global": actions("v1.1-global"), "project": actions("v1.1-project")}


def test_every_setting_can_be_given() -> None:
    """The settings that the module takes are those of the code, but for what it sets itself."""
    condition = VARIABLES["settings"]["validation"][0]["condition"]
    listed = re.findall(r'"([A-Z_]+)"', condition)
    assert sorted(listed) == sorted({each.name for each in SETTINGS} - ITS_OWN)
    chosen = " ".join(str(value) for _, value in _module("locals"))
    assert ITS_OWN - {"HUAWEICLOUD_SDK_SECURITY_TOKEN"} <= set(re.findall(r"[A-Z_]+", chosen))


def test_inputs_and_outputs_are_described() -> None:
    """Each has a description and each input a type; only two inputs have to be given."""
    assert all(body["description"].endswith(".") and body["type"] for body in VARIABLES.values())
    assert {name for name, body in VARIABLES.items() if "default" not in body} == {
        "region",
        "task_ids",
    }
    assert all(body["description"] and body["value"] for _, body in _module("output"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_examples_give_what_the_module_takes(path: Path) -> None:
    """An example sets inputs that exist, all that are required, and the code of the zip."""
    (call,) = _parsed(path)["module"]
    inputs = call["sms_watch"]
    assert (path.parent / inputs["source"]).resolve() == MODULE
    assert set(inputs) - {"source"} <= set(VARIABLES)
    assert {"region", "task_ids", "code"} <= set(inputs)
    assert "/../../../../dist/sms-watch.zip" in inputs["code"]
    assert (path.parent / "../../../..").resolve() == DEPLOY.parent


def test_there_is_an_example_for_all_new_and_one_for_what_exists() -> None:
    """The second example makes neither topic nor bucket."""
    given = {path.parent.name: _parsed(path)["module"][0]["sms_watch"] for path in EXAMPLES}
    assert set(given) == {"new", "existing"}
    assert {"topic_urn", "bucket"} <= set(given["existing"])
    assert not {"topic_urn", "bucket"} & set(given["new"])


def test_the_module_is_a_template_for_resource_formation_service() -> None:
    """It calls no function that RFS refuses; the provider has another name there."""
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(MODULE.glob("*.tf")))
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    assert not [name for name in REFUSED if re.search(rf"\b{name}\(", bare)]
    here, there = _parsed(MODULE / "versions.tf"), _parsed(DEPLOY / "rfs" / "versions.tf")
    assert "provider" not in here
    assert there["provider"] == [{"huaweicloud": {"region": "${var.region}"}}]
    ours, theirs = (json.dumps(each["terraform"]) for each in (here, there))
    assert theirs.replace("huawei.com/provider/huaweicloud", "huaweicloud/huaweicloud") == (
        ours.replace(_wanted(MODULE / "versions.tf"), _wanted(DEPLOY / "rfs" / "versions.tf"))
    )


def test_the_template_asks_for_no_more_than_old_providers_know() -> None:
    """RFS gets every resource, its own versions.tf, and no argument that came after 1.70.1."""
    template = _resources(_template())
    names = [path.name for path in _template()]
    assert len(names) == len(set(names)), "the zip is flat"
    assert [each[:2] for each in template] == [each[:2] for each in RESOURCES]
    assert DEPLOY / "rfs" / "versions.tf" in _template()
    (path,) = (path for path in _template() if path.name == "versions.tf")
    assert _wanted(path) == f">= {_newest(template)}" == ">= 1.70.1"


def test_the_template_differs_in_the_switch_for_logs_alone() -> None:
    """Old providers collect logs once group and stream are named; newer ones have a switch."""
    ours = {each[:2]: each[2] for each in RESOURCES}
    theirs = {each[:2]: each[2] for each in _resources(_template())}
    changed = {key for key in ours if ours[key] != theirs[key]}
    assert changed == {("huaweicloud_fgs_function", "watch")}
    assert {**theirs["huaweicloud_fgs_function", "watch"], "enable_lts_log": True} == FUNCTION


# terraform fmt


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_the_files_have_their_usual_form(path: Path) -> None:
    """They are as terraform fmt would leave them."""
    text = path.read_text(encoding="utf-8")
    assert _complaints(text) == []
    if TERRAFORM:
        done = _terraform("fmt", "-check", "-", given=text)
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "a = 1\nlonger = 2\n",
        "a  = 1\n\nlonger = 2\n",
        "b {\n   a = 1\n}\n",
        "b {\n  a = 1\n  longer = 2\n}\n",
        "a = 1 \n",
        "a = 1",
        "b {\n\ta = 1\n}\n",
    ],
)
def test_another_form_is_seen(text: str) -> None:
    """What terraform fmt would change is found where there is no terraform."""
    assert _complaints(text)


def _complaints(text: str) -> List[str]:
    """Return where a file differs from the form of terraform fmt, as far as these files go."""
    found = [] if text.endswith("\n") and not text.endswith("\n\n") else ["the end of the file"]
    levels: List[int] = []  # the brackets open at each level: a line opens one level at most
    group: List[Tuple[int, str]] = []
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        opened = _opened(line)
        outer = list(levels)
        _count(levels, opened)
        if line != line.rstrip() or "\t" in line:
            found.append(f"line {number}: blanks")
        depth = len(levels if opened < 0 else outer)
        if line and len(line) - len(line.lstrip()) != 2 * depth:
            found.append(f"line {number}: indentation")
        pair = re.match(r"\s*[\w\"-]+ *= ", line)
        # What opens a bracket ends the group of lines that it stands in.
        if pair and opened == 0:
            group.append((number, pair.group()))
        else:
            found += _misaligned(group)
            group = []
    return found


def _opened(line: str) -> int:
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|#.*', "", line)
    return sum(bare.count(each) for each in "{[(") - sum(bare.count(each) for each in "}])")


def _count(levels: List[int], opened: int) -> None:
    if opened > 0:
        levels.append(opened)
    while opened < 0 and levels:
        closed = min(-opened, levels[-1])
        levels[-1] -= closed
        opened += closed
        if not levels[-1]:
            levels.pop()


def _misaligned(group: List[Tuple[int, str]]) -> List[str]:
    longest = max((len(head.rstrip("= ")) for _, head in group), default=0)
    return [f"line {at}: alignment" for at, head in group if len(head) != longest + 3]
