"""The only modules that reach the outside: the SDK, the network, the disk."""

from __future__ import annotations

import contextlib
import importlib.util
import sys

# What the SDK imports for signatures that are not made here (SM2), a twentieth of a cold start.
UNUSED = ("pyasn1.codec.der.encoder", "pyasn1.codec.der.decoder", "pyasn1.type.univ")


def delay(name: str) -> None:
    """Have a module executed when something of it is asked for, and not when it is imported."""
    spec = None
    with contextlib.suppress(ImportError):  # then whoever imports it says so
        spec = importlib.util.find_spec(name)
    if name in sys.modules or spec is None or spec.loader is None:
        return
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    package, _, within = name.rpartition(".")
    setattr(sys.modules[package], within, module)


for _name in UNUSED:
    delay(_name)
