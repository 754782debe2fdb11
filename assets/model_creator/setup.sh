#!/bin/sh
# Makes .venv from requirements.txt, unless this Python has what is needed already.
set -eu
cd "$(dirname "$0")"
python=${PYTHON:-python3}

needed='import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, ("keras", "numpy", "tensorflow"))))'
if [ -f .venv/ready ] || "$python" -c "$needed"; then
    echo "Everything is there."
    exit 0
fi
"$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --requirement requirements.txt
touch .venv/ready
echo "Everything is installed in .venv."
