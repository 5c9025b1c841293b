"""Whatever is wrong with a file of another program: it is refused in words, or carried as far as it goes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from snowetl.errors import ConfigError
from snowetl.orchestrator.imports import rdb_loader
from snowetl.orchestrator.imports.checked import checked
from snowetl.orchestrator.imports.dataflow_runner import convert as dataflow_runner
from snowetl.orchestrator.imports.dataflow_runner import files
from snowetl.orchestrator.imports.dataflow_runner.template import Template
from snowetl.orchestrator.imports.emr_etl_runner import companions, config, convert, preview, steps
from snowetl.orchestrator.imports.emr_etl_runner.errors import RunnerError
from snowetl.orchestrator.imports.emr_etl_runner.options import RunOptions
from snowetl.orchestrator.imports.emr_etl_runner.targets import Target, Targets
from snowetl.orchestrator.imports.found import Found
from snowetl.orchestrator.imports.yml import cluster_yml, snowetl_yml
from tests.orchestrator.imports.support import FILES

SEEDS = range(40)
VALUES = (None, True, 0, -1, 1.5, "", "x", "s3://", [], {}, [None], [{}], {"a": None}, "${X}", [1], {"a": {"b": 1}})


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with a key of it, however deep."""
    if isinstance(value, (dict, list)):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def _damaged(document: Any, dice: random.Random) -> Any:
    document = copy.deepcopy(document)
    for _ in range(dice.randint(1, 3)):
        places = list(_places(document))
        if places:
            container, key = dice.choice(places)
            if dice.random() < 0.2:
                del container[key]
            else:
                container[key] = copy.deepcopy(dice.choice(VALUES))
    return document


def _written(found: Found) -> None:
    found = checked(found)
    assert yaml.safe_load(snowetl_yml(found)) is not False
    if found.cluster is not None:
        assert yaml.safe_load(cluster_yml(found.cluster, found.source))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["config.yml", "config_r77.yml", "config_r62.yml"])
@pytest.mark.parametrize("seed", SEEDS)
def test_emr_etl_runner(seed: int, name: str) -> None:
    dice = random.Random(seed)
    text = (FILES / name).read_text().replace("<%= ENV['LARKSPUR_CORES'] %>", "3").replace("<%=", "").replace("%>", "")
    tree = _damaged(yaml.safe_load(text), dice)
    documents = [json.loads(path.read_text()) for path in sorted((FILES / "targets").glob("*.json"))]
    with suppress(ConfigError, RunnerError):
        read = config.parse(yaml.safe_dump(tree), name, {})
        beside = companions.read(read, None, None, None)
        damaged = tuple(Target(_damaged(document, dice), "target.json") for document in documents)
        beside = companions.Companions(targets=Targets((*beside.targets.all, *damaged)))
        _written(convert.found(read, beside, RunOptions()))
        job = preview.job(read, beside, RunOptions(stream=read.stream), preview.now())
        assert steps.plan(job, preview.ready(job))


@pytest.mark.parametrize("name", ["cluster.json", "playbook.json", "playbook_batch.json"])
@pytest.mark.parametrize("seed", SEEDS)
def test_dataflow_runner(seed: int, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FILES)
    template = Template({"environment": "live"}, {"LARKSPUR_SUBNET": "s"})
    document = _damaged(json.loads(template.fill(Path(name).read_text())), random.Random(seed))
    with suppress(ConfigError):
        file = files.parse(json.dumps(document), name)
        files.check_credentials(file.data.get("credentials") or {})
        _written(dataflow_runner.found([file], template))


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_rdb_loader(seed: int) -> None:
    dice = random.Random(seed)
    documents = [rdb_loader.parse((FILES / name).read_text(), name) for name in ("loader.hocon", "transformer.hocon")]
    with suppress(ConfigError):
        _written(rdb_loader.found([(_damaged(document, dice), "c.hocon") for document in documents]))
