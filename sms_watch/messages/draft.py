"""A message that may be refused for its words, and what is sent in its place. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Tuple

from sms_watch.messages.compose import RunContext, compose, compose_bare
from sms_watch.model.notice import Message, Notice
from sms_watch.model.strenum import StrEnum


class Form(StrEnum):
    """How much of the notices is said."""

    FULL = "full"
    LEAN = "lean"  # nothing that came from outside: no names, details or error parameters
    BARE = "bare"  # of one notice its kind and its ids


@dataclass(frozen=True)
class Draft:
    """Notices that go out in one message. In ``Form.BARE`` it is one."""

    notices: Tuple[Notice, ...]
    form: Form = Form.FULL

    def message(self, context: RunContext) -> Message:
        """Return the message; its ``event_ids`` say which notices are in it."""
        if self.form is Form.BARE:
            return compose_bare(self.notices[0], context)
        if self.form is Form.LEAN:
            return compose([notice.lean() for notice in self.notices], context)
        return compose(self.notices, context)

    def holding(self, message: Message) -> Draft:
        """Return the draft with the notices that are in its message alone."""
        held = frozenset(message.event_ids)
        return replace(self, notices=tuple(n for n in self.notices if n.event_id in held))

    def plainer(self) -> Tuple[Draft, ...]:
        """Return what is sent in its place if its words are refused, one after the other.

        First without what came from outside, then in halves, at last each notice by itself and
        without a text of its own. There is nothing plainer than that.
        """
        if self.form is Form.FULL:
            return (replace(self, form=Form.LEAN),)
        if self.form is Form.BARE:
            return ()
        middle = len(self.notices) // 2
        if not middle:
            return (replace(self, form=Form.BARE),)
        halves = (self.notices[:middle], self.notices[middle:])
        return tuple(Draft(half, Form.LEAN) for half in halves)
