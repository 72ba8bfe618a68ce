"""What to do about a refusal of OBS of which only the status is known."""

from __future__ import annotations

import pytest

from sms_watch.adapters.obs_remedies import CANNOT_APPEND, GRANT, LATER, LOOK_AGAIN, by_status
from sms_watch.errors import CloudError


@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        (401, GRANT),
        (403, GRANT),
        (404, LOOK_AGAIN),
        (405, CANNOT_APPEND),
        (409, LATER),
        (429, LATER),
        (503, LATER),
        (None, LATER),
    ],
)
def test_every_status_has_its_remedy(status: int, remedy: str) -> None:
    """What people can change is theirs to change; the rest passes, or is a matter for support."""
    assert by_status(CloudError("read the journal", status=status), GRANT) == remedy


def test_a_redirect_names_the_region() -> None:
    """A bucket of another region is found by its region, not by waiting."""
    assert "OBS_REGION" in by_status(CloudError("read the journal", status=307), GRANT)
