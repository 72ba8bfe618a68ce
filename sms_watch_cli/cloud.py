"""``cloud``: the simulated cloud, to try the commands on without an account."""

from __future__ import annotations

import contextlib
import functools
import shlex
import time
from datetime import timedelta
from pathlib import Path
from typing import Dict, Iterator

import click
import flask

from simulated_cloud.server import CloudServer
from simulated_cloud.setup import KEY, TOPIC, Function, Subscription, settings
from simulated_cloud.shapes import PROJECT
from simulated_cloud.task import SimTask
from simulated_cloud.world import World
from sms_watch.clock import SYSTEM_CLOCK
from sms_watch_cli.session import CommandError, command_here, shown

FUNCTION = f"urn:fss:ap-southeast-3:{PROJECT}:function:default:sms-watch"
# What stands at the head of a file that may be written again.
MARK = "# Settings of the simulated cloud; its command writes this file whenever it begins."
OUTAGE = timedelta(minutes=10)
STORY = """\
Four migrations are under way there, in real time:
  shop-web      is copying
  shop-db       is copying
  office-files  has lost its connection for ten minutes; after that a restart helps
  office-mail   has failed on a full disk (SMS.1315), so restarting cannot help
"""
COMMANDS = {
    "status": "the tasks, live",
    "invoke": "one run of the watchdog, with the restart and the message that it sends",
    "report": "a page about all this, once the watchdog has run",
}
SERVICES = (("/v3/", "SMS"), ("/fgs/", "FunctionGraph"), ("/notifications/", "SMN"))
ACCEPTED = 200
LONGEST, HEAD = 48, 12  # letters of a path that are shown, and those of them before what is cut


def a_cloud() -> CloudServer:
    """Return a cloud at the time of this machine: four tasks, a topic, a function."""
    world = World(SYSTEM_CLOCK)
    world.add(SimTask("7d3c-web", "shop-web", size=560e9, speed=240, copied=230e9))
    world.add(SimTask("7d3c-db", "shop-db", size=2_000e9, speed=300, copied=400e9))
    world.add(SimTask("7d3c-files", "office-files", size=900e9, speed=90, copied=850e9))
    world.add(SimTask("7d3c-mail", "office-mail", size=300e9, speed=120, copied=66e9))
    world.fail("7d3c-mail", "SMS.1315", "/dev/vdb1")
    world.line_down("7d3c-files")
    world.at(world.clock.now() + OUTAGE, functools.partial(world.line_up, "7d3c-files"))
    server = CloudServer(world, [KEY], [TOPIC])
    server.cloud.subscriptions.append(Subscription("sms", "+4915100000042", status=0))
    return server


@click.command("cloud")
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("simulated.env"),
    show_default=True,
    help="Where to write the settings for it.",
)
def command(env_file: Path) -> None:
    """Serve a simulated cloud, to try the other commands on.

    Runs until Ctrl-C, and shows each call received and the subject of each message.
    """
    with a_cloud() as server:
        world = server.cloud.world
        texts = settings(server.url, world.tasks)
        server.cloud.functions[FUNCTION] = Function(FUNCTION, variables=_shown(texts))
        write_settings(env_file, texts)
        server.cloud.app.after_request(functools.partial(_log, world))
        for line in _welcome(server.url, env_file):
            click.echo(line)
        while True:
            time.sleep(1)


def write_settings(path: Path, texts: Dict[str, str]) -> None:
    """Write settings to a file. Raise CommandError if it is there and this did not write it."""
    if path.exists() and not path.read_bytes().startswith(MARK.encode()):
        raise CommandError(
            f"{path} was not written by this command, so it is left as it is; name another file"
            " with --env-file"
        )
    lines = "".join(f"{name}={text}\n" for name, text in texts.items())
    path.write_text(f"{MARK}\n{lines}", encoding="utf-8")


def _welcome(url: str, env_file: Path) -> Iterator[str]:
    path = shlex.quote(str(env_file))
    command = command_here()
    yield f"A simulated cloud answers at {url}, on this machine only."
    yield STORY
    yield f"Its settings are in {env_file}. In a second terminal, in this folder, type one of:"
    for name, what in COMMANDS.items():
        yield f"  {command} {name} --env-file {path}"
        yield f"      {what}"
    yield f"  {command} check --env-file {path} \\"
    yield f"    --function {FUNCTION} \\"
    yield f"    --function-endpoint {url}"
    yield "      checks the set-up, the function included"
    yield ""
    yield "The first run looks for a journal of the last month and finds none: hence the 404s."
    yield "The check compares clocks by a call without keys: hence its 401."
    yield "Press Ctrl-C to end it. Calls received:"


def _log(world: World, answer: flask.Response) -> flask.Response:
    """Show a call, if there is still somebody to read it; it is answered in any case."""
    with contextlib.suppress(BrokenPipeError):
        for line in _lines(world, answer):
            click.echo(line)
    return answer


def _lines(world: World, answer: flask.Response) -> Iterator[str]:
    """Yield a line for a call, and one for the message that it published, if it did."""
    method, path = flask.request.method, flask.request.path
    service = next((name for part, name in SERVICES if part in path), "OBS")
    short = path if len(path) <= LONGEST else f"{path[:HEAD]}...{path[HEAD + 3 - LONGEST :]}"
    yield shown(f"{time.strftime('%H:%M:%S')} {service} {method} {short} {answer.status_code}")
    if path.endswith("/publish") and answer.status_code == ACCEPTED:
        yield f"{'':9}message: {shown(world.inbox[-1]['subject'])}"


def _shown(texts: Dict[str, str]) -> Dict[str, str]:
    return {name: text for name, text in texts.items() if "_SDK_" not in name}
