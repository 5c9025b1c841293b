"""Report pages as Chromium lays them out: nothing is wider than the window, and the console stays empty."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from snowetl.reporting.html import render
from snowetl.reporting.runs_index import line_of
from snowetl.reporting.runs_index import render as render_runs
from tests.reporting.test_html import ENRICH, LOAD, TRANSFORM, WHOLE
from tests.reporting.test_runs_index import report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--enable-logging=stderr"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
)
ASK = (
    "<script>const d=document.documentElement;document.querySelectorAll('details').forEach(each=>each.open=true);"
    "parent.document.documentElement.dataset.widths="
    "d.scrollWidth+' '+innerWidth+' '+matchMedia('(prefers-color-scheme: dark)').matches</script>"
)
"""Added to the page for the test: all that is behind a click is opened, and the page says how wide it is.

It stands in a frame, since Chromium's own window is never narrower than 500 pixels.
"""

LONG = "x" * 400
HOSTILE = ENRICH | {
    "sources": [{"appId": LONG, "platform": LONG, "tracker": LONG, "events": 3}],
    "badReasons": [ENRICH["badReasons"][0] | {"field": LONG, "reason": LONG, "faults": [LONG], "examples": [LONG]}],
    "eventTypes": {LONG: {f"2026-01-02 {hour:02d}": 5 for hour in range(24)}},
    "settings": {"inputFolder": [LONG]},
    "discarded": {LONG: 3},
}
PAGES = {
    "run": render("run=2026-01-02-03-04-05", [ENRICH, TRANSFORM, LOAD], WHOLE, [("bad rows", "../bad/", "x")]),
    "hostile": render(LONG, [HOSTILE, LOAD], None, [("elsewhere", None, LONG)]),
    "runs": render_runs([line_of(report(f"2026-01-{day:02d}-00-00-00")) for day in range(1, 29)], ["2026-02-01"]),
}


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_nothing_is_wider_than_the_window(page: str, width: int, dark: bool, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    inner = html.escape(PAGES[page].replace("</body>", f"{ASK}</body>"))
    file.write_text(f'<!DOCTYPE html><iframe style="border:0;width:{width}px;height:900px" srcdoc="{inner}"></iframe>')
    scheme = ["--blink-settings=preferredColorScheme=0"] if dark else ["--blink-settings=preferredColorScheme=1"]
    command = [
        *(str(CHROMIUM), *FLAGS, *scheme, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1400,900"),
        *("--dump-dom", file.as_uri()),
    ]
    result = subprocess.run(command, capture_output=True, text=True, timeout=600)
    found = re.search(r'data-widths="(\d+) (\d+) (\w+)"', result.stdout)
    assert found is not None, result.stderr
    assert int(found[1]) <= int(found[2])
    assert int(found[2]) == width
    assert found[3] == ("true" if dark else "false")
    assert "CONSOLE" not in result.stderr
