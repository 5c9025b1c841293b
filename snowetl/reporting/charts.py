"""Charts as SVG inside the page: bars over time with their gaps, and sparklines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from snowetl.reporting.markup import number, short, text
from snowetl.reporting.timeline import Bars

_WIDTH, _HEIGHT, _LINE_HEIGHT = 720, 120, 44
_DAY = 1440


def over_time(bars: Bars) -> str:
    """Bars of events; where there are none, a mark on the ground says so. Hovering tells time and count."""
    most = max((bar.events for bar in bars.bars), default=0)
    if not most:
        return ""
    step = _WIDTH / len(bars.bars)
    width = max(1.0, step * 0.86)
    shapes = []
    for place, bar in enumerate(bars.bars):
        title = f"<title>{when(bar.start, bars.minutes)}: {number(bar.events)}</title>"
        left = place * step + (step - width) / 2
        if bar.events:
            height = max(2.0, _HEIGHT * bar.events / most)
            shape = f'class="there" x="{left:.1f}" y="{_HEIGHT - height:.1f}" width="{width:.1f}" height="{height:.1f}"'
        else:
            shape = f'class="gap" x="{left:.1f}" y="{_HEIGHT - 4}" width="{width:.1f}" height="4"'
        shapes.append(f"<rect {shape}>{title}</rect>")
    first, last = when(bars.bars[0].start, bars.minutes), when(bars.bars[-1].start, bars.minutes)
    return (
        f'<figure class="chart"><div class="most">{short(most)}</div>'
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" preserveAspectRatio="none" role="img" '
        f'aria-label="events over time">{"".join(shapes)}</svg>'
        f"<figcaption><span>{first}</span><span>{last}</span></figcaption></figure>"
    )


def when(time: datetime, minutes: int) -> str:
    """A time as exactly as bars of ``minutes`` need it."""
    return f"{time:%Y-%m-%d}" if minutes >= _DAY else f"{time:%Y-%m-%d %H:%M}"


def length(minutes: int) -> str:
    """``5 minutes``, ``1 hour``, ``7 days``."""
    for unit, size in (("day", _DAY), ("hour", 60), ("minute", 1)):
        if minutes % size == 0:
            count = minutes // size
            return f"{count:,} {unit}{'' if count == 1 else 's'}"
    raise AssertionError(minutes)


def sparkline(values: Sequence[float | None], labels: Sequence[str]) -> str:
    """Bars without axes, the latest at the right; ``None`` is left empty. ``labels`` are told when hovering."""
    most = max((value for value in values if value), default=0) or 1
    step = _WIDTH / max(len(values), 24)
    shapes = []
    for place, (value, label) in enumerate(zip(values, labels, strict=True)):
        if value is None:
            continue
        height = max(1.0, _LINE_HEIGHT * value / most)
        left = _WIDTH - (len(values) - place) * step
        shapes.append(
            f'<rect class="there" x="{left:.1f}" y="{_LINE_HEIGHT - height:.1f}" width="{max(1.0, step * 0.8):.1f}" '
            f'height="{height:.1f}"><title>{text(label)}</title></rect>'
        )
    return (
        f'<svg class="spark" viewBox="0 0 {_WIDTH} {_LINE_HEIGHT}" preserveAspectRatio="none" role="img">'
        f"{''.join(shapes)}</svg>"
    )
