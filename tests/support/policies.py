"""The policies of deploy/policies, read and checked for their form."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import List, Tuple

POLICIES = Path(__file__).parents[2] / "deploy" / "policies"
ACTION = re.compile(r"(?:sms|smn|obs):[a-z]+:[A-Za-z]+")


def policy(name: str) -> List[Tuple[str, str]]:
    """Return each action of a policy with its resource; check its form."""
    read = json.loads((POLICIES / f"{name}.json").read_text(encoding="utf-8"))
    assert set(read) == {"Version", "Statement"}
    assert read["Version"] == ("5.0" if name.startswith("v5") else "1.1")
    pairs = []
    for statement in read["Statement"]:
        assert set(statement) <= {"Effect", "Action", "Resource"}
        assert statement["Effect"] == "Allow"
        (resource,) = statement.get("Resource", [""])
        pairs += [(action, resource) for action in statement["Action"]]
    return pairs


def actions(*names: str) -> List[str]:
    """Return the actions of some policies, in their order."""
    return [action for name in names for action, _ in policy(name)]
