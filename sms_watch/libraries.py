"""Where the libraries were loaded from: from beside this package, or from elsewhere before it.

FunctionGraph's runtimes have older ones of their own (requests 2.24, urllib3 1.25,
huaweicloudsdkcore 3.1.111), and dependency packages may hold any. ``index.py`` puts those that are
deployed with it first; what was loaded before it ran stays as it is.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Any, Dict, Mapping, Set

from sms_watch.errors import WatchError

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SDK = "huaweicloudsdk"
REMEDY = (
    "remove the dependency packages from the function (page Code): all that it needs is deployed"
    " with it; if it has none, its runtime loads them: choose another (Python 3.9, 3.10 or 3.12)"
)


def loaded_elsewhere(home: str = HOME, modules: Mapping[str, Any] = sys.modules) -> Dict[str, str]:
    """Return the file of each library that lies in ``home`` and was loaded from elsewhere.

    Where libraries are installed some other way, as on one's own machine, none lies there.
    """
    beside: Set[str] = set()
    with contextlib.suppress(OSError):
        beside = {os.path.splitext(each)[0] for each in os.listdir(home)}
    loaded = sorted(beside.intersection(modules))
    files = {name: getattr(modules[name], "__file__", None) or "" for name in loaded}
    return {
        name: file for name, file in files.items() if file and not file.startswith(home + os.sep)
    }


def refuse_another_sdk(elsewhere: Mapping[str, str]) -> None:
    """Raise WatchError if the SDK was loaded from elsewhere.

    What it sends depends on its version. The other libraries do in any version that imports.
    """
    if any(name.startswith(SDK) for name in elsewhere):
        raise WatchError(described(elsewhere))


def described(elsewhere: Mapping[str, str]) -> str:
    """Return what was loaded from where, and what to do about it."""
    listed = ", ".join(f"{name} from {file}" for name, file in elsewhere.items())
    return f"other libraries were loaded before those deployed in {HOME}: {listed}; {REMEDY}"
