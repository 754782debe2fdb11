#!/bin/sh
# ./start_task.sh: shows one file after the other, asks for its label, writes answers.json.
set -eu
cd "$(dirname "$0")"
exec "${PYTHON:-python3}" data_annotator.py
