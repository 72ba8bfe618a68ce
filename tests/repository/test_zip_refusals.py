"""What is wrong with a build is said in words, and nothing is left to upload by mistake."""

from __future__ import annotations

import importlib.util
import subprocess
import zipfile
from pathlib import Path
from typing import Dict

import pytest

from packaging_zip import (
    build,
    checkout,
    command,
    errors,
    interpreters,
)
from packaging_zip.build import Built
from packaging_zip.lazy import LAZY as LAZY_FILES


@pytest.mark.parametrize(
    "more",
    [
        "from a.b import c as d\n",
        "from a.b import *\n",
        "from . import c\n",
        "from ..b import c\n",
        "c.begin()\nfrom a.b import c\n",
    ],
)
def test_a_package_that_does_more_than_import_is_not_made_lazy(tmp_path: Path, more: str) -> None:
    """When the SDK changes so that a lazy twin would do less, there is no zip."""
    root = _a_root(tmp_path, {})
    name = LAZY_FILES[0]
    with pytest.raises(errors.BuildError, match=f"{name}, line 1: .* LAZY in packaging_zip/lazy"):
        build._quick_to_load({name: more.encode()})
    assert root.is_dir()


def test_a_zip_that_cannot_be_imported_is_not_left_behind(tmp_path: Path) -> None:
    """When the proof fails there is an error that says why, and no zip to upload by mistake."""
    root = _a_root(tmp_path, {"index.py": "import nothing_of_that_name\n"})
    output = tmp_path / "out" / "sms-watch.zip"
    output.parent.mkdir()
    output.write_text("what an earlier build left")
    with pytest.raises(errors.BuildError, match="nothing_of_that_name"):
        build.build(output, root, [])
    assert list(output.parent.iterdir()) == []


def test_a_dependency_in_another_version_is_refused(tmp_path: Path) -> None:
    """Only the locked versions go into a zip; what is missing is named."""
    root = _a_root(tmp_path, {"requirements.txt": f"requests==0.0.1 \\\n    {NO_SUCH_HASH}\n"})
    with pytest.raises(errors.NotInstalledError, match=r"requests 0\.0\.1"):
        build.build(tmp_path / "out.zip", root)


def test_a_dependency_that_was_changed_is_refused(tmp_path: Path) -> None:
    """A file that is not as it was installed goes into no zip."""
    root = _a_root(tmp_path, {"requirements.txt": f"tiny==1.0 {NO_SUCH_HASH}\n"})
    _a_wheel(tmp_path, {"tiny.py": "changed = True\n"}, unpacked=True)
    with pytest.raises(errors.BuildError, match=r"tiny\.py of tiny was changed"):
        build.build(tmp_path / "out.zip", root, [str(tmp_path)])


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ("requests==2.0\n", "not a version with its hashes"),
        ("requests>=2.0 {hash}\n", "not a version with its hashes"),
        ("requests==2.0 {hash}\nrequests==2.1 {hash}\n", "not the same for every Python"),
        ("six==1.0 ; python_version < '3.10' {hash}\n", "not the same for every Python"),
    ],
)
def test_a_lock_that_cannot_hold_is_refused(tmp_path: Path, lock: str, words: str) -> None:
    """Every dependency has one version, for every Python, and its hashes."""
    root = _a_root(tmp_path, {"requirements.txt": lock.format(hash=NO_SUCH_HASH)})
    with pytest.raises(errors.BuildError, match=words):
        build.build(tmp_path / "out.zip", root, [])


@pytest.mark.parametrize(
    ("lock", "words"),
    [
        ("requests==0.0.1", "package index lacks a locked version"),
        ("tiny==1.0", "find out which of the two was changed"),
    ],
)
def test_what_pip_cannot_install_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock: str, words: str
) -> None:
    """Without the package index, or with another hash than the lock's, there is no zip."""
    root = _a_root(tmp_path, {"requirements.txt": f"{lock} {NO_SUCH_HASH}\n"})
    _a_wheel(tmp_path, {"tiny.py": ""})
    for name, value in {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(errors.BuildError, match=words):
        build.build_afresh(tmp_path / "out.zip", root)
    assert not (tmp_path / "out.zip").exists()


def test_a_python_that_is_not_here_is_said_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the wanted interpreter there is an error that says what to do, and no zip."""
    monkeypatch.setattr(
        interpreters, "_candidates", lambda version: iter([str(tmp_path / "python")])
    )
    interpreters.interpreter.cache_clear()
    with pytest.raises(errors.BuildError, match=r"no Python 3\.10 here .* install it"):
        build.build(tmp_path / "out.zip", versions=("3.10",))
    interpreters.interpreter.cache_clear()
    assert list(tmp_path.iterdir()) == []


def test_a_python_that_functiongraph_lacks_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is compiled for a version that FunctionGraph does not have."""
    with pytest.raises(SystemExit):
        command.main(["--python", "3.11"])
    assert "invalid choice: '3.11'" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    """A missing folder, or a file in a folder's place, ends the build with one line."""
    (tmp_path / "taken").write_text("")
    for folder, words in (
        ("taken", "Not a directory"),
        ("missing", "there is no folder .*missing"),
    ):
        output = tmp_path / folder / "sms-watch.zip"
        with pytest.raises(SystemExit, match=f"build_zip: .*{words}"):
            command.main(["--allow-dirty", "--output", str(output)])
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_a_place_that_cannot_be_written_is_told_before_the_work(tmp_path: Path) -> None:
    """Nothing is looked for, installed or compiled for a zip that has no place."""
    (tmp_path / "sms-watch.zip.unproved").mkdir()
    root = _a_root(tmp_path, {"requirements.txt": "no lock at all"})
    with pytest.raises(IsADirectoryError):
        build.build(tmp_path / "sms-watch.zip", root)


def test_what_is_in_no_commit_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A zip that nobody could build again is not built unless that is asked for."""
    output = tmp_path / "sms-watch.zip"
    output.write_text("what an earlier build left")
    monkeypatch.setattr(command, "changes", lambda: ["index.py"])
    with pytest.raises(SystemExit, match=r"index\.py: not as in the last commit.*--allow-dirty"):
        command.main(["--output", str(output)])
    assert list(tmp_path.iterdir()) == []


def test_only_changes_of_the_zip_count(tmp_path: Path) -> None:
    """What differs from the last commit is found, new files too; what is not in the zip is not."""
    root = _a_root(tmp_path, {"README.md": ""})
    assert checkout.changes(root) == []  # unpacked from an archive, without git
    _commit(root)
    assert checkout.changes(root) == []
    for name in ("README.md", "index.py", "sms_watch/new.py"):
        (root / name).write_text("changed = True\n", encoding="utf-8")
    assert checkout.changes(root) == ["index.py", "sms_watch/new.py"]
    assert checkout.changes(root / "sms_watch") == []  # lies within a checkout of something else


def test_a_change_that_git_was_told_to_overlook_counts(tmp_path: Path) -> None:
    """What is in no status of git may differ from the commit all the same."""
    root = _a_root(tmp_path, {"sms_watch/one.py": "", "sms_watch/two.py": ""})
    _commit(root)
    for flag, name in (("--assume-unchanged", "one.py"), ("--skip-worktree", "two.py")):
        _call_git(root, "update-index", flag, f"sms_watch/{name}")
        (root / "sms_watch" / name).write_text("changed = True\n", encoding="utf-8")
    assert checkout.changes(root) == ["sms_watch/one.py", "sms_watch/two.py"]


def test_what_git_ignores_is_in_no_zip(tmp_path: Path) -> None:
    """Of a checkout the zip holds what is tracked, and before a commit what will be."""
    ignored = {".gitignore": "ignored*\n", "sms_watch/ignored.py": "", "sms_watch/ignored.csv": ""}
    tracked = {"sms_watch/table.csv": "", "sms_watch/gone.py": "", "sms_watch/notes.txt": ""}
    root = _a_root(tmp_path, {**ignored, **tracked, "sms_watch/own.py": ""})
    (root / ".git" / "info").mkdir(parents=True)
    (root / ".git" / "info" / "exclude").write_text("own.py\n", encoding="utf-8")
    _commit(root)
    (root / "sms_watch" / "new.py").write_text("", encoding="utf-8")
    (root / "sms_watch" / "gone.py").unlink()
    assert set(checkout.sources(root)) == {"index.py", "sms_watch/new.py", "sms_watch/table.csv"}


def test_without_git_all_of_the_package_is_in_the_zip(tmp_path: Path) -> None:
    """What was unpacked from an archive is taken as it is, also within another checkout."""
    root = _a_root(tmp_path, {"sms_watch/one.py": "", "sms_watch/two.txt": ""})
    assert set(checkout.sources(root)) == {"index.py", "sms_watch/one.py"}
    (tmp_path / ".gitignore").write_text("root\n", encoding="utf-8")
    _commit(tmp_path)
    assert set(checkout.sources(root)) == {"index.py", "sms_watch/one.py"}


@pytest.mark.parametrize("in_git", [True, False])
@pytest.mark.parametrize("linked", ["sms_watch/link.py", "sms_watch/table.csv", "index.py"])
def test_what_lies_elsewhere_is_refused(tmp_path: Path, linked: str, in_git: bool) -> None:
    """A link is no file of the package: what stands behind it may be anything."""
    (tmp_path / "secret").write_text("password = 'hunter22'\n", encoding="utf-8")
    root = _a_root(tmp_path, {})
    (root / linked).unlink(missing_ok=True)
    (root / linked).symlink_to(tmp_path / "secret")
    if in_git:
        _commit(root)
    with pytest.raises(errors.BuildError, match=f"^{linked}: reached by a link"):
        build.build(tmp_path / "out.zip", root, [])


def test_a_package_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """The files are named, although none of them is a link itself."""
    root = _a_root(tmp_path, {"sms_watch/one.py": ""})
    (root / "sms_watch").rename(tmp_path / "elsewhere")
    (root / "sms_watch").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(errors.BuildError, match=r"^sms_watch/one\.py: reached by a link"):
        build.build(tmp_path / "out.zip", root, [])


def test_a_checkout_without_git_is_not_taken_for_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where git cannot be asked nobody knows what is in a commit."""
    root = _a_root(tmp_path, {})
    _commit(root)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(errors.BuildError, match=r"git does not answer.*--allow-dirty"):
        checkout.changes(root)


def test_a_hook_of_another_repository_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables that git gives to its hooks name another repository than this one."""
    root = _a_root(tmp_path, {"index.py": "this = 1\n"})
    another = _a_root(tmp_path / "another", {"index.py": "other = 1\n"})
    for each in (root, another):
        _commit(each)
    monkeypatch.setenv("GIT_DIR", str(another / ".git"))
    assert checkout.changes(root) == []


def test_without_the_library_there_is_a_zip_and_no_bill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The zip needs nothing but Python and pip; that its bill is missing is said."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    command._write_bill(tmp_path / "bill.json", b"", Built({}, ()))
    assert "no SBOM" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


NO_SUCH_HASH = f"--hash=sha256:{'0' * 64}"


def _a_root(place: Path, files: Dict[str, str]) -> Path:
    root = place / "root"
    (root / "sms_watch").mkdir(parents=True)
    for name, text in {"index.py": "", "requirements.txt": "", **files}.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def _commit(root: Path) -> None:
    """Make a repository of a folder, and commit all that is in it."""
    for step in (["init", "-q"], ["add", "."], ["commit", "-qm", "a"]):
        _call_git(root, *step)


def _call_git(root: Path, *arguments: str) -> None:
    git = ["git", "-C", str(root), "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, *arguments], check=True)


def _a_wheel(place: Path, files: Dict[str, str], unpacked: bool = False) -> None:
    """Make a wheel of a package "tiny", or lay its files where an installation would."""
    within = "tiny-1.0.dist-info"
    wrong = "sha256=AAAA" if unpacked else ""
    members = {
        **files,
        f"{within}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{within}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{within}/RECORD": "".join(f"{name},{wrong},\n" for name in files),
    }
    if unpacked:
        (place / within).mkdir()
        for name, text in members.items():
            (place / name).write_text(text, encoding="utf-8")
        return
    with zipfile.ZipFile(place / "tiny-1.0-py3-none-any.whl", "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
