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
    python=$PWD/.venv/bin/python
fi
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-3}"

# A task that was downloaded has its model; in the project's own tree the creator makes one first.
if [ ! -e base_model ] && [ -f ../model_creator/model_creator.py ]; then
    (cd ../model_creator && MODEL_PATH=../model_contributor MODEL_NAME=base_model "$python" model_creator.py)
fi
exec "$python" model_contributor.py
