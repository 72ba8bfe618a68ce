"""What FunctionGraph calls: ``index.handler`` on every tick, ``index.initializer`` before."""

from sms_watch.handler import handler, initializer

__all__ = ["handler", "initializer"]
