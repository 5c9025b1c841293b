"""A worker pool in a file outside the package: registered by its entry point, run through the command line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snowetl.cli.main import main
from snowetl.errors import ConfigError
from snowetl.workers.masters import masters

ROOT = Path(__file__).parents[2]
RUN = "2026-03-05-00-00-00"
SOURCE = '''
"""A pool that does the last split first, each in a process of its own."""
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from snowetl.workers.base import unheard
from snowetl.workers.gathering import Gathering


class Backwards(Gathering):
    def run(self, task, work, advance):
        files = {name: Path(path) for name, path in task.files.items()}
        for split, size in reversed(work):
            with ProcessPoolExecutor(1) as process:
                yield process.submit(task.run, split, files, unheard).result()
            advance(0, size)


@contextmanager
def opened(request):
    print(f"{request.app} on {request.master}")
    yield Backwards()
'''


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package beside the test, as pip would install it; the folder of its entry points."""
    site = tmp_path / "site"
    info = site / "acme_pools-1.0.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_pools.py").write_text(SOURCE)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-pools\nVersion: 1.0.0\n")
    (info / "entry_points.txt").write_text("[snowetl.masters]\nbackwards = acme_pools:opened\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.delitem(sys.modules, "acme_pools", raising=False)
    masters.cache_clear()
    yield info
    masters.cache_clear()


def enrich(folder: Path, master: str) -> int:
    return main(
        [
            *("enrich", "--input-folder", str(ROOT / "fixtures/logs/cloudfront"), "--input-format", "cloudfront"),
            *("--output-folder", f"{folder}/good", "--bad-folder", f"{folder}/bad", "--run-id", RUN),
            *("--iglu-config", str(ROOT / "fixtures/resolver.json"), "--master", master),
        ]
    )


def parts(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("part-*")}


@pytest.mark.slow
def test_one_file_and_one_entry_point_make_a_worker_pool(
    tmp_path: Path, installed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert enrich(tmp_path / "there", "backwards:two-at-most") == 0
    assert f"snowetl enrich {RUN} on backwards:two-at-most" in capsys.readouterr().out
    assert enrich(tmp_path / "here", "none") == 0
    assert parts(tmp_path / "there") == parts(tmp_path / "here")
    assert enrich(tmp_path / "nowhere", "backward") == 2
    assert "did you mean backwards" in capsys.readouterr().err


def test_an_entry_point_that_opens_nothing_is_refused(installed: Path) -> None:
    (installed / "entry_points.txt").write_text("[snowetl.masters]\nbackwards = acme_pools:SOURCE\n")
    with pytest.raises(ConfigError, match="master 'backwards' of acme-pools .*cannot be loaded"):
        masters()
