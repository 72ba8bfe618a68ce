"""The values and closed vocabularies that all parts share; no rules, no I/O, no clock.

The words are those of the SMS API reference where it has one: *task*, *state*, *sub-task*,
*start*. Every value is immutable, so what was read stays what was read.
"""
