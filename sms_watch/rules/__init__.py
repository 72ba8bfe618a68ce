"""The rules: pure functions and small values, from a reading to a plan."""
