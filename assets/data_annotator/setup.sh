#!/bin/sh
# Labelling needs Python alone.
set -eu
"${PYTHON:-python3}" --version
