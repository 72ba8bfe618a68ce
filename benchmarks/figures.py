"""Figures side by side with what they have to reach, on the screen and in a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Sequence

from rich.table import Table

HEADS = ("what", "measured", "bar", "")


@dataclass(frozen=True)
class Figure:
    """One measurement. ``bar`` and ``met`` are left out where nothing has to be reached."""

    what: str
    measured: str
    bar: str = ""
    met: Optional[bool] = None

    @property
    def verdict(self) -> str:
        """Return whether the bar was reached."""
        return "" if self.met is None else "met" if self.met else "missed"

    @property
    def cells(self) -> Sequence[str]:
        """Return the cells of a row."""
        return (self.what, self.measured, self.bar, self.verdict)


def at_most(what: str, value: float, bar: float, shown: str = "{:.2f} x") -> Figure:
    """Return a figure that has to stay at or below its bar."""
    return Figure(what, shown.format(value), f"at most {shown.format(bar)}", value <= bar)


def at_least(what: str, value: float, bar: float, shown: str = "{:.2f} x") -> Figure:
    """Return a figure that has to come up to its bar."""
    return Figure(what, shown.format(value), f"at least {shown.format(bar)}", value >= bar)


def on_screen(title: str, figures: Sequence[Figure]) -> Table:
    """Return a table for a terminal."""
    table = Table(title=title, title_justify="left")
    for number, head in enumerate(HEADS):
        table.add_column(head, justify="right" if number in (1, 2) else "left")
    for figure in figures:
        style = "red" if figure.met is False else None
        table.add_row(*figure.cells, style=style)
    return table


def in_markdown(title: str, figures: Sequence[Figure]) -> str:
    """Return a section of a document."""
    rows = [HEADS, ("---", "---:", "---:", "---"), *(figure.cells for figure in figures)]
    lines = ["| " + " | ".join(cells) + " |" for cells in rows]
    return "\n".join([f"## {title}", "", *lines, ""])
