"""The house rules: layers, a light import, declared dependencies, no trace of the machine it was built on."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("pyspark", "py4j", "boto3", "botocore", "pyarrow", "psycopg", "rich", "click", "yaml", "jsonschema")
OWN = {"snowetl", "tests", "fixtures", "bench"}
SUFFIXES = {"", ".cfg", ".html", ".json", ".md", ".properties", ".py", ".sh", ".sql", ".toml", ".yaml", ".yml"}


def _tracked() -> list[Path]:
    """Files of the repository (what git would commit), or all files where this is not a clone."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if listed.returncode == 0:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]
    hidden = {".venv", ".git", "__pycache__"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not hidden.intersection(path.parts)]


def test_imports_point_down_only() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    if not lint.exists():
        pytest.skip("import-linter is not installed")
    result = subprocess.run([str(lint), "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def _kinds() -> dict[str, set[str]]:
    """What there are several of, one file each, from the tables that list them."""
    from snowetl.adapters.catalogue import BUILT_IN as ADAPTERS
    from snowetl.collector.formats import FORMATS
    from snowetl.ddl.dialects import DIALECTS
    from snowetl.enrich.enrichments import BUILT_IN as ENRICHMENTS
    from snowetl.load.layouts import LAYOUTS as LOADS
    from snowetl.load.warehouses import WAREHOUSES
    from snowetl.orchestrator.notify import NOTIFIERS
    from snowetl.transform.layouts import LAYOUTS

    return {
        "adapters": {f"snowetl.adapters.{name}" for name in ADAPTERS},
        "enrichments": {f"snowetl.enrich.enrichments.{name}" for name in ENRICHMENTS},
        "formats": {loader.__module__ for loader in FORMATS.values()},
        "dialects": {f"snowetl.ddl.{name}" for name in DIALECTS},
        "layouts of rows": {layout.__module__ for layout in LAYOUTS.values()},
        "layouts of loads": {plan.__module__ for plan in LOADS.values()},
        "warehouses": {place.partition(":")[0] for place in WAREHOUSES.values()},
        "notifiers": {place.partition(":")[0] for place in NOTIFIERS.values()},
        "worker pools": {f"snowetl.workers.{name}" for name in ("in_process", "process_pool", "spark")},
    }


@pytest.mark.parametrize("kind", sorted(_kinds()))
def test_things_of_a_kind_do_not_import_each_other(kind: str) -> None:
    """So each is one file to read, and one to copy."""
    grimp = pytest.importorskip("grimp", reason="import-linter is not installed")
    graph = grimp.build_graph("snowetl")
    modules = _kinds()[kind]
    assert modules <= graph.modules
    for importer in sorted(modules):
        for imported in sorted(modules - {importer}):
            chain = graph.find_shortest_chain(importer=importer, imported=imported, as_packages=True)
            assert chain is None, " -> ".join(chain)


def test_import_is_light() -> None:
    """Counted in modules, which no busy machine changes; ``python -m bench`` shows the time."""
    code = "import sys; before = set(sys.modules); import snowetl; print(*sorted(set(sys.modules) - before))"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split())
    assert {name for name in loaded if name.startswith("snowetl")} == {"snowetl", "snowetl.version"}
    assert not loaded.intersection(HEAVY)
    assert len(loaded) < 30


def test_help_is_light() -> None:
    """``--help`` asks each verb for its first sentence: what a verb works with is imported when it works."""
    code = """
import atexit, sys
from snowetl.cli.main import main
atexit.register(lambda: print(*sys.modules))
sys.argv = ["snowetl", "--help"]
main()
"""
    loaded = set(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).splitlines()[-1].split())
    assert "snowetl.cli.run" in loaded
    assert not loaded.intersection({*HEAVY, "asyncio", "pandas", "regex", "ssl", "urllib3"} - {"click"})


def test_enricher_needs_no_spark() -> None:
    code = "import sys; from snowetl import EnrichConfig, Enricher; print({'pyspark', 'py4j'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).strip() == "set()"


def test_a_worker_starts_without_what_few_runs_need() -> None:
    """Each Python worker of Spark pays for its imports: HTTP and deduplication import theirs when used."""
    code = "import sys; import snowetl.workers.spark, snowetl.steps.enrich_task; print(*sys.modules)"
    loaded = set(subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, text=True).split())
    assert not loaded.intersection({*HEAVY, "ssl", "urllib3", "snowetl.dedupe", "snowetl.transform", "snowetl.ddl"})


def test_only_the_spark_pool_names_pyspark() -> None:
    for path in (ROOT / "snowetl").rglob("*.py"):
        if not (path.parent.name == "workers" and path.name.startswith("spark")):
            assert "pyspark" not in path.read_text("utf-8"), path


@pytest.mark.slow
def test_every_imported_package_is_declared() -> None:
    """Whatever ``snowetl`` imports is in ``setup.py``, core or extra; what the tests import besides, in ``dev``."""
    core, extras, dev = _requirements()
    for folder, declared in (("snowetl", core | extras), ("tests", core | extras | dev), ("fixtures", core)):
        for name in sorted(_third_party(folder)):
            assert _distributions(name) & declared, f"{folder} imports {name}, but setup.py does not ask for it"


@pytest.mark.slow
def test_every_core_requirement_is_imported() -> None:
    used = set().union(*(_distributions(name) for name in _third_party("snowetl")))
    unused = _requirements()[0] - used - {"ua-parser"}  # what ua-parser-builtins is written for
    assert not unused


def _requirements() -> tuple[set[str], set[str], set[str]]:
    """Normalised names of the distributions ``setup.py`` asks for: core, extras, dev."""
    tree = ast.parse((ROOT / "setup.py").read_text("utf-8"))
    core: set[str] = set()
    extras: set[str] = set()
    dev: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.Assign):
            target = ast.unparse(node.targets[0])
            where = {"CORE": core, "EXTRAS": extras, "EXTRAS['testing']": extras, "EXTRAS['dev']": dev}.get(
                target, set()
            )
            texts = [part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant)]
            where.update(_normal(re.match(r"[\w.-]*", str(text))[0]) for text in texts)  # type: ignore[index]
    return core, extras, dev


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _distributions(name: str) -> set[str]:
    return {_normal(one) for one in _packages().get(name, [name])}


_packages = cache(packages_distributions)


@cache
def _third_party(folder: str) -> set[str]:
    imported = {name for path in (ROOT / folder).rglob("*.py") for name in _imports(path)}
    return imported - OWN - set(sys.stdlib_module_names)


def _imports(path: Path) -> set[str]:
    """Top-level names of the packages a module imports absolutely, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


def test_no_file_knows_this_machine() -> None:
    places = (ROOT, ROOT.parent / "shared", Path.home())
    here = [str(place) for place in places if len(place.parts) > 2]  # "/app" may stand anywhere
    for path in _tracked():
        if path.suffix in SUFFIXES:
            text = path.read_text("utf-8", "replace")
            for trace in here:
                assert trace not in text, f"{path.relative_to(ROOT)} mentions {trace}"


def test_no_file_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME)\b|# *XXX\b")
    for path in _tracked():
        if path.suffix == ".py" and path != Path(__file__):
            assert not marks.search(path.read_text("utf-8")), f"{path.relative_to(ROOT)} has an unfinished place"
