#!/usr/bin/env bash
# pack-environment.sh FOLDER: FOLDER/environment.tar.gz, the Python packages for a cluster: snowetl without Spark, which is
# there, as is the interpreter (the archive only points to it).
# Run it on Amazon Linux 2023 of the cluster's processor (emr/Dockerfile does), from the root of this repository.
set -euo pipefail
target=$(mkdir -p "$1" && cd "$1" && pwd)
python=${PYTHON:-python3.11}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$python" -m venv --copies "$work/environment"
"$work/environment/bin/python" -m pip install --quiet '.[parquet]' venv-pack
"$work/environment/bin/venv-pack" --quiet --force --output "$target/environment.tar.gz"
echo "$target/environment.tar.gz"
