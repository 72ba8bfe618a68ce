"""A cold run as a function does it each minute: over TLS, with the journal on OBS, start to end.

Its processor time is measured, and where valgrind is installed its instructions are counted: these
say the same on a busy machine, so only they have bars.
"""

from __future__ import annotations

import functools
from datetime import datetime, timezone
from typing import Dict, List, Mapping, Sequence

from benchmarks.cloud import Account, Cost, Variant, an_account, costs
from benchmarks.figures import Figure, at_most
from benchmarks.fresh import (
    can_be_held_back,
    counts_instructions,
    held_back,
    interleaved,
    median,
)
from benchmarks.layouts import FORMER, Layouts
from benchmarks.night import gb_seconds
from benchmarks.service import ids

NOON = datetime(2026, 11, 24, 12, 5, tzinfo=timezone.utc)
MIB = 2**20
SHARE = 0.3  # of a processor: what a function of 128 MB gets
MANY = 100  # tasks
MOST_MIB, MOST_CALLS = 36, 5
OURS, PLAIN = "sms_watch, the zip", "sms_watch, without compiled files"
WAS, WAS_PLAIN = f"the zip of {FORMER}, compiled", f"the zip of {FORMER}, as it came"
SDK, BARE = "a script on the SDK, compiled", "a bare script, compiled"
# What our zip is compared with, and how many times the other it may cost.
BARS = {PLAIN: 0.45, WAS_PLAIN: 0.3, WAS: 0.6, BARE: 1.5}
MANY_BARS = {WAS: 0.35}


def figures(layouts: Layouts, times: int, counted: bool, number: int = MANY) -> List[Figure]:
    """Compare cold runs of the zip with those of scripts, and of the zip as it was."""
    variants = _variants(layouts)
    watching = {name: each for name, each in variants.items() if name in (OURS, WAS)}
    counted = counted and counts_instructions()
    with an_account(1, NOON, secure=True) as account:
        one = costs(account, variants, ids(1), times, counted)
        held = _held_back(account, variants, ids(1), times)
    with an_account(number, NOON, secure=True) as account:
        many = costs(account, watching, ids(number), times, counted)
    return [
        *(Figure(f"a run of one task: {name}", str(cost)) for name, cost in one.items()),
        *_compared(one, BARS),
        at_most("... peak memory", one[OURS].peak / MIB, MOST_MIB, "{:.1f} MiB"),
        *(Figure(f"a run of {number} ids: {name}", str(cost)) for name, cost in many.items()),
        *_compared(many, MANY_BARS),
        at_most("... calls", many[OURS].calls, MOST_CALLS, "{}"),
        *held,
    ]


def _variants(layouts: Layouts) -> Dict[str, Variant]:
    found = {OURS: (layouts.ours_compiled, "once"), PLAIN: (layouts.ours, "once")}
    if layouts.former and layouts.former_compiled:
        found[WAS] = (layouts.former_compiled, "once")
        found[WAS_PLAIN] = (layouts.former, "once")
    found[SDK] = (layouts.plain_compiled, "plain")
    found[BARE] = (layouts.plain_compiled, "bare")
    return found


def _held_back(
    account: Account, variants: Mapping[str, Variant], task_ids: Sequence[str], times: int
) -> List[Figure]:
    """Return how long a run of each takes with a share of a processor, where that can be given."""
    what = f"at {SHARE} of a processor"
    if not can_be_held_back():
        return [Figure(what, "not measured: not on this system")]
    hold = functools.partial(held_back, share=SHARE)
    found = interleaved(
        (times + 1) // 2,
        {
            name: functools.partial(account.run, hold, *each, *task_ids)
            for name, each in variants.items()
        },
    )
    seconds = {name: median(each) for name, each in found.items()}
    return [
        Figure(f"{what}: {name}", f"{each:.2f} s, {gb_seconds(each):,.0f} GB-seconds a month")
        for name, each in seconds.items()
    ]


def _compared(measured: Mapping[str, Cost], bars: Mapping[str, float]) -> List[Figure]:
    return [
        measured[OURS].to(measured[name], f"... to {name}", bar)
        for name, bar in bars.items()
        if name in measured
    ]
