"""A simulated cloud at the time of this machine, for the commands that people call at a desk."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

from click.testing import CliRunner, Result

from simulated_cloud.buckets import Bucket
from simulated_cloud.server import CloudServer
from simulated_cloud.setup import Function
from simulated_cloud.shapes import PROJECT
from simulated_cloud.task import SimTask
from simulated_cloud.world import World
from sms_watch.clock import SYSTEM_CLOCK
from sms_watch_cli.commands import group
from tests.support.clouds import KEY, OWN, TEMPORARY, TOPIC

URN = f"urn:fss:ap-southeast-3:{PROJECT}:function:default:sms-watch"
# What only looks; every other operation of the simulated cloud changes or sends something.
LOOKING = {
    *("show_task", "list_tasks", "list_servers", "show_topic", "list_subscriptions"),
    *("get_object", "head_bucket", "show_function", "show_asynchronous", "list_triggers"),
}


class Day:
    """A world, its cloud, and the settings that reach it."""

    def __init__(self, server: CloudServer, world: World, place: Path) -> None:
        self.server, self.world, self.place = server, world, place
        self.cloud = server.cloud
        self.journal = place / "journal"
        self.texts: Dict[str, str] = {
            "SMS_TASK_IDS": " ".join(world.tasks),
            "SMN_TOPIC_URN": TOPIC,
            "JOURNAL_URI": self.journal.as_uri(),
            "HUAWEICLOUD_SDK_AK": KEY.access,
            "HUAWEICLOUD_SDK_SK": KEY.secret,
            "SMS_ENDPOINT": server.url,
            "SMN_ENDPOINT": server.url,
            "OBS_ENDPOINT": server.url,
        }

    def keep_journal_on_obs(self, uri: str = "") -> None:
        """Let the journal be kept in a bucket: the default one, or another."""
        del self.texts["JOURNAL_URI"]
        if uri:
            self.texts["JOURNAL_URI"] = uri

    def own_bucket(self, kind: str = "standard", region: str = "ap-southeast-3") -> None:
        """Let the default bucket be there already."""
        self.keep_journal_on_obs()
        self.cloud.storage.buckets[OWN] = Bucket(region, kind=kind)

    def deploy(self, **fields: Any) -> Function:
        """Let the function be deployed with the settings that are open, as the README asks."""
        shown = {name: text for name, text in self.texts.items() if "_SDK_" not in name}
        function = Function(URN, **{"variables": shown, **fields})
        self.cloud.functions[URN] = function
        return function

    def call(self, *arguments: str) -> Result:
        """Call a command with the settings in a file."""
        path = self.place / "my.env"
        lines = "".join(f"{name}={text}\n" for name, text in self.texts.items())
        path.write_text(lines, encoding="utf-8")
        return call(*arguments, "--env-file", str(path))

    def check(self, *more: str) -> Tuple[int, List[Dict[str, str]]]:
        """Check; give the exit status and what was found."""
        result = self.call("check", "--json", *more)
        assert result.exit_code in (0, 1, 2), result.output
        assert "Traceback" not in result.output
        found: List[Dict[str, str]] = json.loads(result.output)["findings"]
        return result.exit_code, found

    def check_function(self) -> Tuple[int, List[Dict[str, str]]]:
        """Check with the function; give the exit status and what was found of the function."""
        status, found = self.check("--function", URN, "--function-endpoint", self.server.url)
        return status, [each for each in found if each["about"] == "function"]


def call(*arguments: str) -> Result:
    """Call the command line as its user does."""
    return CliRunner().invoke(group, list(arguments))


@contextmanager
def a_day(place: Path, *tasks: SimTask) -> Iterator[Day]:
    """Return a day over some tasks, or over one that copies."""
    world = World(SYSTEM_CLOCK)
    for task in tasks or (SimTask("a", "web-01", copied=250e9),):
        world.add(task)
    with CloudServer(world, [KEY, TEMPORARY], [TOPIC]) as server:
        yield Day(server, world, place)
