#!/usr/bin/env bash
# build-wheels.sh FOLDER: the wheel of snowetl and those of its dependencies, for emr/bootstrap.sh.
# Run it on the cluster's Python version and processor: PYTHON=python3.11 emr/build-wheels.sh dist/wheels
# With gcc and python3.11-devel there, the hot modules of snowetl are compiled.
set -euo pipefail
"${PYTHON:-python3.11}" -m pip wheel --quiet --wheel-dir "$1" '.[cluster]'
ls "$1"
