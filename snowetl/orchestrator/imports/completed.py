"""What our verbs have to be told, and the old programs had no words for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from snowetl.orchestrator.imports.found import Carried, Found, Left

_FORMATS = ("default-format", "json", "skip", "tsv")


def reports_folder(one: str, other: str | None = None) -> Carried:
    """The ``output-folder`` of runs whose events and rows go to folders of their own: reports go below it.

    ``snowetl/`` in the folder that holds both ``one`` and ``other``, at least in the bucket of ``one``.
    """
    first, second = one.rstrip("/").split("/"), (other or one).rstrip("/").split("/")
    shared = []
    for left, right in zip(first[:-1], second[:-1], strict=False):
        if left != right:
            break
        shared.append(left)
    base = "/".join(shared if len(shared) > 2 else first[:3])
    return Carried(f"{base}/snowetl/", "where reports of runs go")


def rows_for_warehouse(settings: Mapping[str, Carried], verbs: dict[str, dict[str, Carried]]) -> list[Left]:
    """Tell a transform that stands on its own which warehouse its rows are for; what does not go with it is dropped.

    Without a warehouse RDB Loader goes on loading: rows are Redshift's then, and may be JSON.
    """
    transform = verbs.get("transform")
    if transform is None:
        return []
    warehouse = settings.get("warehouse")
    if "transformation" not in transform:
        target = "postgres" if warehouse is not None and warehouse.value == "postgres" else "redshift"
        transform["target"] = Carried(target, warehouse.origin if warehouse else "rows as RDB Loader takes them")
    if warehouse is None:
        return []
    dropped = [(key, transform.pop(key)) for key in _FORMATS if key in transform]
    return [
        Left(
            carried.origin,
            f"all entities are loaded as TSV, by the names of their columns: {key} would make rows that a load refuses",
            "Tables go on working where their columns have the names of igluctl; see `snowetl load --dry-run`",
        )
        for key, carried in dropped
    ]


def with_cluster(found: Found, cluster_file: str) -> Found:
    """Tell a run of its cluster (``--executor emr`` starts it), and where ``snowetl package`` puts the jobs."""
    run = found.verbs.get("run")
    if run is None or found.cluster is None or "output-folder" not in run:
        return found
    own = {
        "emr-cluster": Carried(cluster_file, f"the cluster of {found.source}, for --executor emr"),
        "emr-package": Carried(f"{run['output-folder'].value.rstrip('/')}/package/", "where `snowetl package` goes"),
    }
    return replace(found, verbs={**found.verbs, "run": {**run, **own}})
