"""The folder that is built from: its files, as git knows them, and whether they are committed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Dict, List, Optional

from packaging_zip.errors import BuildError

ROOT = Path(__file__).resolve().parents[1]
BUILDERS = ("build_zip.py", "packaging_zip")
# All that decides what is in the zip.
INPUT = ("index.py", "sms_watch", "requirements.txt", *BUILDERS)
ASK_GIT = (
    "see that git is installed and what git status says there; or build with --allow-dirty, and"
    " nobody knows from what"
)


def changes(root: Path = ROOT) -> List[str]:
    """Return the files of the zip that differ from the last commit; none where there is no git.

    Raise BuildError if git, which is there, cannot be asked.
    """
    if not is_checkout(root):
        if (root / ".git").exists():
            raise BuildError(f"{root} is a checkout, but git does not answer: {ASK_GIT}")
        return []
    status = ask_git(root, "status", "--porcelain", "-uall", "--", *INPUT) or ""
    # What git was told to take for unchanged (git-update-index) is in no status.
    flags = ask_git(root, "ls-files", "-v", "--", *INPUT) or ""
    overlooked = [line[2:] for line in flags.splitlines() if not line.startswith("H ")]
    return [line[3:] for line in status.splitlines()] + overlooked


def is_checkout(root: Path) -> bool:
    """Return whether git tracks this folder; one within another checkout is no part of that."""
    top = ask_git(root, "rev-parse", "--show-toplevel")
    return top is not None and Path(top.strip()).resolve() == root.resolve()


def ask_git(root: Path, *arguments: str) -> Optional[str]:
    """Return what git says of a folder, ``None`` if it says nothing."""
    # In a hook of git's own, variables name the repository that the hook is for.
    plain = {name: text for name, text in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            # Whoever owns the folder: its code is about to run in any case.
            ["git", "-c", "safe.directory=*", "-C", str(root), *arguments],
            env=plain,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None


def sources(root: Path) -> Dict[str, bytes]:
    """Return the code: what git tracks or would, all of it where there is no git.

    Raise BuildError if a file lies elsewhere, behind a link.
    """
    chosen = [each for each in _found(root) if each.suffix in (".py", ".csv")]
    top = root.resolve()
    linked = [each for each in chosen if each.resolve() != top / each.relative_to(root)]
    if linked:
        names = ", ".join(str(each.relative_to(root)) for each in linked)
        raise BuildError(f"{names}: reached by a link; put the file itself in its place")
    # A file that was deleted, but not in a commit yet, is tracked still.
    there = [each for each in chosen if each.exists()]
    return {each.relative_to(root).as_posix(): each.read_bytes() for each in there}


def _found(root: Path) -> List[Path]:
    if not is_checkout(root):
        return [root / "index.py", *sorted((root / "sms_watch").rglob("*"))]
    listing = ("ls-files", "-z", "--cached", "--others", "--exclude-standard")
    names = ask_git(root, *listing, "--", "index.py", "sms_watch") or ""
    return [root / name for name in sorted(set(names.split("\0")) - {""})]
