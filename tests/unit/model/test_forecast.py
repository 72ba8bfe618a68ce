"""A forecast as a value."""

from __future__ import annotations

from sms_watch.model.forecast import End, Forecast
from tests.support.builders import NOW


def test_a_lean_forecast_has_no_name() -> None:
    """A message that SMN refuses is told again without what people have written."""
    made = Forecast(End(NOW, NOW, NOW, "a", "db-01"), copying=1)
    assert made.lean() == Forecast(End(NOW, NOW, NOW, "a"), copying=1)
    assert Forecast(still=1).lean() == Forecast(still=1)
