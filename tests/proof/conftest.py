"""Fixtures of this folder: troubles on the wire, which load Flask, TLS and the SDK."""

from tests.support.network_faults import places, wire

__all__ = ["places", "wire"]
