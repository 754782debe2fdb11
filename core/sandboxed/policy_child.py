"""One function of the creator's validation.py, called once.

Run as ``python -m decentralml.core.sandboxed.policy_child SCRIPT INPUT ANSWERS metrics|decide``. INPUT holds
``y.npy`` and ``p.npy``, or ``report.json``; ANSWERS/answer gets one JSON object, ``{"answer": …}`` or
``{"error": …}``.
"""

import importlib.util
import json
import os
import sys
import traceback
from typing import Any

ERROR_CHARACTERS = 2000


def main() -> None:
    script, given, answers, what = sys.argv[1:5]
    os.dup2(2, 1)
    try:
        answer = {"answer": _plain(_call(script, given, what))}
        text = json.dumps(answer, allow_nan=True)
    except BaseException:
        lines = traceback.format_exc().strip()
        text = json.dumps({"error": lines[-ERROR_CHARACTERS:]})
    with open(f"{answers}/answer", "x", encoding="utf-8") as file:
        file.write(text)
    sys.stdout.flush()
    os._exit(0)


def _call(script: str, given: str, what: str) -> Any:
    spec = importlib.util.spec_from_file_location("validation", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if what == "decide":
        with open(f"{given}/report.json", encoding="utf-8") as file:
            return module.decide(json.load(file))
    import numpy as np

    return module.metrics(np.load(f"{given}/y.npy"), np.load(f"{given}/p.npy"))


def _plain(value: Any) -> Any:
    """``value`` with NumPy's scalars as Python's; all else is left for json to refuse."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.item() if type(value).__module__ == "numpy" and not getattr(value, "shape", ()) else value


if __name__ == "__main__":
    main()
