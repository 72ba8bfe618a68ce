"""What importing costs a cold start: ours, the bare clients of the SDK, and a plain zip."""

from __future__ import annotations

import functools
from typing import List

from benchmarks.figures import Figure, at_most
from benchmarks.fresh import import_once, interleaved, median
from benchmarks.layouts import Layouts

OURS = "import index; index.initializer(None)"
BARE = "from huaweicloudsdksms.v3 import SmsClient; from huaweicloudsdksmn.v2 import SmnClient"


def figures(layouts: Layouts, times: int) -> List[Figure]:
    """Compare imports from each folder, and weigh the zips."""
    variants = {
        "ours": (layouts.ours, OURS),
        "ours, compiled": (layouts.ours_compiled, OURS),
        "bare, compiled": (layouts.plain_compiled, BARE),
        "plain": (layouts.plain, OURS),
    }
    measured = interleaved(
        times,
        {name: functools.partial(import_once, *variant) for name, variant in variants.items()},
    )
    seconds = {name: median(each) for name, each in measured.items()}
    ours = seconds["ours, compiled"]
    return [
        Figure("import of the zip with .pyc", f"{ours:.2f} s"),
        at_most("... to the bare import of both clients", ours / seconds["bare, compiled"], 1.15),
        at_most("... to a plain zip without .pyc", ours / seconds["plain"], 0.5),
        Figure(
            "the zip without .pyc, to the plain one", f"{seconds['ours'] / seconds['plain']:.2f} x"
        ),
        at_most("size of the zip", layouts.size / 1e6, 1.8, "{:.2f} MB"),
        *(
            at_most(f"... with .pyc for Python {versions}", size / 1e6, 6.0, "{:.2f} MB")
            for versions, size in layouts.sizes.items()
        ),
    ]
