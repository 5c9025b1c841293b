"""``snowetl package``: all that a cluster needs to run the jobs, as one folder."""

from __future__ import annotations

from snowetl.cli import console
from snowetl.cli.verb import verb
from snowetl.orchestrator.verb_settings import PackageSettings
from snowetl.settings.words import size

EXAMPLES = (
    """
snowetl package s3://lake/snowetl""",
    """
snowetl package dist --python 3.13 --platform aarch64 --add acme_adapters-1.0-py3-none-any.whl""",
)


@verb(
    PackageSettings,
    examples=EXAMPLES,
    exit_codes={0: "done", 1: "failure", 2: "wrong usage, or a dependency has no wheel for that cluster"},
)
def command(settings: PackageSettings) -> None:
    """Pack snowetl and its dependencies for a cluster: environment.tar.gz, the jobs, and package.json.

    Any machine can make the package of any cluster: pip downloads wheels for the cluster's Python and processor.
    Spark and the Python interpreter are the cluster's own. The hot modules of snowetl are compiled if this machine
    has that Python and processor, and a C compiler.
    """
    from snowetl.orchestrator.package import ARCHIVE, Cluster, make_package

    interpreter = settings.interpreter or f"/usr/bin/python{settings.python}"
    cluster = Cluster(settings.python, settings.platform, interpreter)
    contents = make_package(settings.folder, cluster, settings.add, console.detail)
    archive = contents["files"][ARCHIVE]
    console.summarize(
        f"{settings.folder.rstrip('/')}: snowetl {contents['snowetl']} ({contents['build']}) for Python "
        f"{settings.python} on {settings.platform}, {len(contents['packages'])} packages in {ARCHIVE} "
        f"({size(archive['bytes'])}, sha256 {archive['sha256'][:12]})"
    )
