#!/usr/bin/env bash
# EMR bootstrap action, instead of shipping an archive with each job: installs snowetl on every node.
#   bootstrap.sh s3://BUCKET/snowetl/wheels/
# The folder holds the wheel of snowetl and those of all it needs (emr/build-wheels.sh): nodes need no way to PyPI.
set -euo pipefail
wheels=$1
python=${PYTHON:-python3.11}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
aws s3 cp --recursive --only-show-errors "$wheels" "$folder"
sudo "$python" -m venv /opt/snowetl
sudo /opt/snowetl/bin/python -m pip install --quiet --no-index --find-links "$folder" 'snowetl[cluster]'
/opt/snowetl/bin/snowetl --version
