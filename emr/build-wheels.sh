#!/usr/bin/env bash
# build-wheels.sh FOLDER: the wheel of snowetl and those of its dependencies, for emr/bootstrap.sh.
# Run it on the cluster's Python version and processor: PYTHON=python3.11 emr/build-wheels.sh dist/wheels
# The hot modules of snowetl are compiled; without gcc and python3.11-devel, SNOWETL_COMPILE=0 makes the slower Python.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export SNOWETL_COMPILE=${SNOWETL_COMPILE:-1}
rm -rf "$root"/build/{lib,bdist}* # what an earlier build left would go into the wheel, too
"${PYTHON:-python3.11}" -m pip wheel --quiet --wheel-dir "$1" "$root[cluster]"
ls "$1"
