"""``cloud``: the simulated cloud, to try the commands on without an account."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Dict

import click

from local.cloud.server import CloudServer
from local.cloud.setup import KEY, TOPIC, Function, Subscription, settings
from local.cloud.shapes import PROJECT
from local.cloud.world import SimTask, World
from sms_watch.clock import SYSTEM_CLOCK

FUNCTION = f"urn:fss:ap-southeast-3:{PROJECT}:function:default:sms-watch"


def a_cloud() -> CloudServer:
    """Give a cloud at the time of this machine: four tasks, a topic, a function."""
    world = World(SYSTEM_CLOCK)
    world.add(SimTask("7d3c-web", "shop-web", size=560e9, speed=240, copied=230e9))
    world.add(SimTask("7d3c-db", "shop-db", size=2_000e9, speed=300, copied=400e9))
    world.add(SimTask("7d3c-files", "office-files", size=900e9, speed=90, copied=850e9))
    world.add(SimTask("7d3c-mail", "office-mail", size=300e9, speed=120, copied=66e9))
    world.fail("7d3c-mail", "SMS.1315", "/dev/vdb1")
    world.line_down("7d3c-files")
    server = CloudServer(world, [KEY], [TOPIC])
    server.cloud.subscriptions.append(Subscription("sms", "+4915100000042", status=0))
    return server


@click.command("cloud")
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("simulated.env"),
    show_default=True,
    help="Where to write the settings that reach it.",
)
def command(env_file: Path) -> None:
    """Serve a simulated cloud until Ctrl-C, to try the others on."""
    with a_cloud() as server:
        world = server.cloud.world
        texts = settings(server.url, world.tasks)
        server.cloud.functions[FUNCTION] = Function(FUNCTION, variables=_shown(texts))
        lines = "".join(f"{name}={text}\n" for name, text in texts.items())
        env_file.write_text(lines, encoding="utf-8")
        python, path = shlex.quote(_python()), shlex.quote(str(env_file))
        click.echo(f"The simulated cloud answers at {server.url}; its settings are in {env_file}:")
        for name in ("status", "invoke", "report"):
            click.echo(f"  {python} -m local {name} --env-file {path}")
        click.echo(f"  {python} -m local check --env-file {path} \\")
        click.echo(f"    --function {FUNCTION} \\")
        click.echo(f"    --function-endpoint {server.url}")
        while True:
            time.sleep(1)


def _python() -> str:
    """Name this Python as it can be typed here: in most shells no other one knows the packages."""
    python, here = Path(sys.executable), Path.cwd()
    return str(python.relative_to(here) if here in python.parents else python)


def _shown(texts: Dict[str, str]) -> Dict[str, str]:
    return {name: text for name, text in texts.items() if "_SDK_" not in name}
