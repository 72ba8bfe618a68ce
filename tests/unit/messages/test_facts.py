"""The facts of a task in words: its code, and its servers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.builders import a_task
from tests.support.messages import a_notice, message_of, web_notices


@pytest.mark.parametrize(
    ("code", "shown"),
    [("SMS.0807", " (SMS.0807)"), ("SMS.0807-and-more", " (SMS.0807-...)"), ("?", ""), ("", "")],
)
def test_only_what_looks_like_a_code_is_shown_as_one(code: str, shown: str) -> None:
    """A code is short and begins with SMS; anything else is no part of a heading."""
    message = message_of(a_notice(task=a_task(code=code)))
    assert message.email.startswith(f"web-01 failed{shown} and was restarted\n")
    assert web_notices(message)[0]["code"] == (shown.strip(" ()") or code)


@pytest.mark.parametrize(
    ("source", "target", "shown"),
    [("a", "", "a -> unknown"), ("", "b", "unknown -> b"), ("a", "b", "a -> b"), ("", "", None)],
)
def test_a_server_that_is_not_known_is_called_so(source: str, target: str, shown: Any) -> None:
    """Of source and target each may be unknown; of two unknown ones nothing is said."""
    email = message_of(a_notice(task=a_task(source=source, target=target))).email
    assert (f"  Servers      {shown}\n" in email) is (shown is not None)
    assert ("Servers" in email) is (shown is not None)
