"""The record of the watching, by what changed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sms_watch.journal.changes import Changes, bare
from sms_watch.rules.airtime import Airtime
from sms_watch.rules.record import WatchRecord
from sms_watch.rules.sight import Sight
from tests.support.builders import NOW, minutes

NAMES = st.sampled_from("abc")
SIGHTS = st.dictionaries(NAMES, st.builds(Sight, st.just(NOW), st.integers(0, 3)))
AIRTIMES = st.dictionaries(NAMES, st.builds(Airtime, st.just((NOW,)), st.integers(0, 3)))
RECORDS = st.builds(
    WatchRecord, blind_runs=st.integers(0, 3), unread=SIGHTS, absent=SIGHTS, airtime=AIRTIMES
)


@given(RECORDS, RECORDS)
def test_what_changed_makes_one_record_the_other(before: WatchRecord, after: WatchRecord) -> None:
    """Whatever was new, became another, or was forgotten."""
    assert Changes.between(before, after).applied(bare(after), before) == after


def test_what_stays_is_not_written() -> None:
    """Between a record and itself nothing has changed."""
    record = WatchRecord(unread={"a": Sight(NOW)}, airtime={"a": Airtime((NOW,))})
    assert Changes.between(record, record) == Changes()
    later = replace(record, unread={"a": Sight(NOW).passed(NOW + minutes(1))})
    assert Changes.between(record, later) == Changes(unread=later.unread)
