"""Telling people what is pending: in one message, or in plainer ones if SMN refuses its words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List, Optional, Sequence, Tuple, Union

from sms_watch.errors import PUBLISHING, SMN_ADDRESS, CloudError, remedy
from sms_watch.messages.compose import RunContext
from sms_watch.messages.draft import Draft
from sms_watch.model.notice import Notice
from sms_watch.ports import Ports
from sms_watch.text import count

# How often one run publishes at most. To find one notice among a thousand by halves takes a dozen,
# so that each run tells something.
MOST_MESSAGES = 16
NEXT_RUN = "the next run will send"
LATE = f"no time was left to publish; {NEXT_RUN} the message"


@dataclass(frozen=True)
class Sent:
    """The notices that were told, the id of the last message, and why others were not told."""

    notices: Tuple[Notice, ...] = ()
    message_id: str = ""
    failure: str = ""

    def after(self, earlier: Sent) -> Sent:
        """Return both as one; ``earlier`` came first."""
        return Sent(
            (*earlier.notices, *self.notices),
            self.message_id or earlier.message_id,
            self.failure or earlier.failure,
        )


@dataclass(frozen=True)
class _Refused:
    """A draft whose words SMN did not take, what it said, and what to do if none are taken."""

    draft: Draft
    answer: str
    remedy: str


def publish(pending: Sequence[Notice], context: RunContext, ports: Ports, last_work: float) -> Sent:
    """Publish what is pending; return what became of it.

    Nothing is sent from ``last_work`` on, in seconds since the run began.

    What SMN refuses for its words is put into plainer ones; any other error ends the publishing.
    Either is a failure of the run.
    """
    drafts: List[Draft] = [Draft(tuple(pending))] if pending else []
    sent = Sent()
    refused: Optional[_Refused] = None
    for _ in range(MOST_MESSAGES):
        if not drafts or sent.failure:
            break
        if ports.is_past(last_work):
            sent = Sent(failure=LATE).after(sent)
            break
        end = _send(drafts.pop(0), context, ports)
        if isinstance(end, _Refused):
            refused = refused or end
            drafts[:0] = end.draft.plainer()
        else:
            sent = end.after(sent)
    return _explained(sent, refused, len(pending)) if refused else sent


def _send(draft: Draft, context: RunContext, ports: Ports) -> Union[Sent, _Refused]:
    # What an older line of the journal remembers may hold what is a key by now.
    message = draft.message(context).with_texts(ports.redact)
    draft = draft.holding(message)
    try:
        return Sent(draft.notices, ports.publisher.publish(message))
    except CloudError as error:
        said, to_do = ports.redact(str(error)), remedy(error, PUBLISHING, SMN_ADDRESS)
        if error.refuses_words:
            return _Refused(draft, said, to_do)
        return Sent(failure=f"{said}; {to_do}; {NEXT_RUN} the message")


def _explained(sent: Sent, refused: _Refused, pending: int) -> Sent:
    """Add that SMN refused a message, and what was told all the same."""
    told = len(sent.notices)
    plainer = (
        f"{told} of {count(pending, 'notice')} went out without names and details: find out which"
        " task name or error text it rejects"
    )
    parts = [
        f"SMN refused a message: {refused.answer}",
        plainer if told else f"it refused plainer ones too: {refused.remedy}",
        sent.failure or (f"{NEXT_RUN} the others" if told < pending else ""),
    ]
    return replace(sent, failure="; ".join(filter(None, parts)))
