"""Which notices are about one task, and which tasks are told together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, FrozenSet, Iterator, List, Mapping, Optional, Sequence, Tuple

from sms_watch.messages.facts import shown_code
from sms_watch.messages.failures import NO_TASK, PROMISE, remedy, say_in_vain
from sms_watch.messages.grammar import Telling
from sms_watch.messages.sentences import advice, sentence, title
from sms_watch.model.notice import Kind, Notice
from sms_watch.model.task import Task
from sms_watch.text import clean

MOST_AT_ONCE = 20  # notices about one task in one paragraph

WORST_FIRST = {kind: rank for rank, kind in enumerate(Kind)}
# What is over for a task once these are told of it, besides what they end; a rest ends whatever
# was told before.
SUPERSEDES: Mapping[Kind, FrozenSet[Kind]] = {
    Kind.RESUMED: frozenset(
        {Kind.REMINDER, Kind.HANGING, Kind.UNKNOWN_STATE, Kind.PAUSED, Kind.GONE}
    ),
    Kind.COPIED: frozenset({Kind.REMINDER, Kind.HANGING, Kind.UNKNOWN_STATE, Kind.PAUSED}),
    Kind.MOVING: frozenset({Kind.REMINDER}),
    Kind.UNKNOWN_STATE: frozenset({Kind.HANGING}),
    Kind.DIGEST: frozenset(Kind) - {Kind.NEEDS_PERSON},
    Kind.PAUSED: frozenset(Kind),
    Kind.FINISHED: frozenset(Kind),
    Kind.GONE: frozenset(Kind),
}
OF_THE_AGENT = frozenset({Kind.DISCONNECTED, Kind.CONNECTED})


@dataclass(frozen=True)
class Item:
    """All notices about one task, or about the watching, in the order of what happened."""

    notices: Tuple[Notice, ...]

    def standing(self) -> List[Notice]:
        """Return the notices of what is not over, the newest first."""
        standing: List[Notice] = []
        for notice in self.notices:
            over = SUPERSEDES.get(notice.kind, frozenset()).union(notice.kind.ends)
            standing = [notice, *(each for each in standing if each.kind not in over)]
        return standing

    def main(self) -> Notice:
        """Return the notice that names the state of things: the worst that is not over."""
        return min(self.standing(), key=lambda notice: WORST_FIRST[notice.kind])

    def rank(self) -> int:
        """Return the place of the item in a message, worst first."""
        return WORST_FIRST[self.main().kind]

    def task(self) -> Optional[Task]:
        """Return the task as it was last known; None if this is about the watching itself."""
        return self.notices[-1].task

    def failure(self) -> Optional[Notice]:
        """Return the newest notice of a failure, which knows code and attempts."""
        failures = [n for n in self.notices if n.verdict.error_class is not None]
        return failures[-1] if failures else None

    def name(self) -> str:
        """Return what the item is called in a heading."""
        task = self.task()
        if task is not None:
            return clean(task.name) or task.id
        return "digest of" if self.main().kind is Kind.DIGEST else "the watchdog"

    def title(self, telling: Telling) -> str:
        """Return what a heading says of it, with the code of its failure."""
        main, failure = self.main(), self.failure()
        text = title(main)
        if main.kind is Kind.RESUMED and not main.count and self._tells(Kind.FAILED):
            text = "failed{code} and " + title(main).replace("{code}", "")
        code = shown_code(failure.task or NO_TASK) if failure else ""
        return telling.say(text, code=f" ({code})" if code else "")

    def _tells(self, kind: Kind) -> bool:
        return any(notice.kind is kind for notice in self.notices)

    def said(self, telling: Telling) -> str:
        """Return the sentences about it; what is done about a failure is said once."""
        said: List[str] = []
        standing = self.standing()
        for notice in self.notices:
            text = sentence(notice, telling)
            if notice not in standing:
                text = text.replace(telling.say(PROMISE), "").rstrip()  # kept by now
            if notice.kind in OF_THE_AGENT and said:
                text = _without_said(text, remedy(notice, telling), said)
            said.append(text)
        said.append(say_in_vain(self.notices[-1], telling))
        return " ".join(dict.fromkeys(filter(None, said)))

    def advice(self, telling: Telling) -> str:
        """Return what people are to do about what is not over, besides what a code asks for."""
        standing = sorted(self.standing(), key=lambda notice: WORST_FIRST[notice.kind])
        said = (advice(notice, telling) for notice in standing)
        return " ".join(dict.fromkeys(filter(None, said)))


def _without_said(text: str, done: str, said: Sequence[str]) -> str:
    """Leave out of a text what is done about a failure, where that was said before."""
    known = done and any(done in each for each in said)
    return text.replace(done, "").rstrip() if known else text


def items(notices: Sequence[Notice]) -> Iterator[Item]:
    """Yield the notices by what they are about."""
    groups: Dict[str, List[Notice]] = {}
    for notice in notices:
        about = notice.task.id if notice.task else f"*{notice.kind}"
        groups.setdefault(about, []).append(notice)
    for group in groups.values():
        group.sort(key=lambda notice: notice.at)
        for start in range(0, len(group), MOST_AT_ONCE):
            yield Item(tuple(group[start : start + MOST_AT_ONCE]))
