"""The virtual environment of a checkout, made step by step, with a word about each."""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import venv
from pathlib import Path
from typing import Iterable, Iterator, List, Optional, Set

from packaging_zip.checkout import ROOT
from packaging_zip.errors import BuildError
from packaging_zip.pip_words import reason

PLACE = Path(".venv")
WIDTH = 78
MOST_LINES = 5  # of pip's own words
INTERRUPTED = 130  # what a shell gives for a program that Ctrl-C ended
COLLECTED = re.compile(r"Collecting ([\w.-]+)")
NO_ANSWER = "Retrying ("
NO_VENV = (
    "this Python cannot make virtual environments: install its venv module (on Debian and Ubuntu:"
    " apt install python3-venv), or name another Python: make PYTHON=python3.12 demo"
)


def main(arguments: Optional[List[str]] = None) -> None:
    """Set up, and say what is done, or why it cannot be."""
    parser = argparse.ArgumentParser(prog="set_up.py", description="Set up .venv.")
    parser.add_argument("lock", type=Path, help="the locked packages to install")
    parser.add_argument("--on-top", action="store_true", help="of what is installed there")
    chosen = parser.parse_args(arguments)
    try:
        set_up(chosen.lock, chosen.on_top)
    except BuildError as error:
        raise SystemExit(f"set-up: {error}") from None
    except KeyboardInterrupt:
        print("\nset-up: interrupted; the same command begins it anew", file=sys.stderr)
        raise SystemExit(INTERRUPTED) from None


def set_up(lock: Path, on_top: bool, root: Path = ROOT) -> None:
    """Make ``.venv`` unless it is there, and install locked packages. Raise BuildError."""
    version = ".".join(map(str, sys.version_info[:3]))
    if not on_top:
        print(f"Setting up {PLACE} with Python {version}, once: a minute or less ...", flush=True)
        make(root / PLACE)
    print(f"Installing what {lock} names:", flush=True)
    python = root / PLACE / "bin" / "python"
    install(python, root, "--require-hashes", "-r", str(lock))
    if not on_top:
        print("Installing the command sms-watch:", flush=True)
        # From here, with the setuptools that was just installed: that needs no network.
        install(python, root, "--no-build-isolation", "--editable", ".")
    print("Done.", flush=True)


def make(place: Path) -> None:
    """Make an empty virtual environment. Raise BuildError."""
    if importlib.util.find_spec("ensurepip") is None:
        raise BuildError(NO_VENV)
    try:
        venv.create(place, clear=True, symlinks=True, with_pip=True)
    except OSError as error:
        raise BuildError(
            f"{error.filename or place} cannot be written ({error.strerror or error}): work in a"
            f" copy of your own, such as: git clone {place.parent} ~/sms_watch && cd ~/sms_watch &&"
            " make demo"
        ) from None
    except subprocess.CalledProcessError:
        raise BuildError(NO_VENV) from None


def install(python: Path, root: Path, *what: str) -> None:
    """Install with pip, and name each package as pip gets to it. Raise BuildError."""
    pip = (str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input")
    with subprocess.Popen(
        [*pip, "--progress-bar=off", *what],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        said = list(_followed(running.stdout or ()))
    if running.returncode:
        words = "".join(said)
        errors = [line for line in said if "ERROR" in line or "error:" in line] or said
        print(*(f"  pip: {line.rstrip()}" for line in errors[-MOST_LINES:]), sep="\n")
        raise BuildError(reason(words))


def _followed(lines: Iterable[str]) -> Iterator[str]:
    """Yield what pip says, and show of it what people wait for."""
    progress = _Progress()
    for line in lines:
        found = COLLECTED.match(line)
        if found:
            progress.name(found[1])
        elif line.startswith("Installing collected packages"):
            progress.line("putting them in place ...")
        elif NO_ANSWER in line:
            progress.once("the package index does not answer; pip tries again ...")
        yield line
    progress.end()


class _Progress:
    """Names as they come, side by side: this needs no terminal, and no more than a glance."""

    def __init__(self) -> None:
        self._column = 0
        self._said: Set[str] = set()

    def name(self, text: str) -> None:
        """Show a name after those before it."""
        if self._column + len(text) > WIDTH:
            self.end()
        print(f"  {text}", end="", flush=True)
        self._column += len(text) + 2

    def line(self, text: str) -> None:
        """Show a line of its own."""
        self.end()
        print(f"  {text}", flush=True)

    def once(self, text: str) -> None:
        """Show a line unless it was shown before."""
        if text not in self._said:
            self._said.add(text)
            self.line(text)

    def end(self) -> None:
        """End the line that was begun."""
        if self._column:
            print(flush=True)
            self._column = 0
