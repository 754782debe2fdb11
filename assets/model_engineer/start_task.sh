#!/bin/sh
# ./start_task.sh [DATA.npz]: trains on these data, by default on the digits beside this folder.
set -eu
if [ $# -gt 0 ]; then
    DATA_PATH=$(realpath "$1")
    export DATA_PATH
fi
cd "$(dirname "$0")"
python=${PYTHON:-python3}
if [ -f .venv/ready ]; then
    python=.venv/bin/python
fi
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"
exec "$python" model_engineer.py
