"""Polygraphy's comparator on the arrays that validate.bench.mjs wrote: one folder a case, one npz a side and iteration."""
import contextlib
import json
import os
import sys

import numpy as np
from polygraphy.comparator import Comparator, CompareFunc, IterationResult, RunResults
from polygraphy.logger import G_LOGGER

G_LOGGER.module_severity = {"": G_LOGGER.CRITICAL}


def iterations(folder, side):
    files = sorted(name for name in os.listdir(folder) if name.startswith(side))
    results = []
    for name in files:
        with np.load(os.path.join(folder, name)) as arrays:
            # Outputs in the order in which they were computed.
            order = json.load(open(os.path.join(folder, "order.json")))
            outputs = {key: arrays[key] for key in order if key in arrays.files}
        results.append(IterationResult(outputs=outputs, runner_name=side))
    return results


def judge(folder, rtol, atol):
    runs = RunResults()
    for side in ("migrated", "legacy"):
        runs.append((side, iterations(folder, side)))
    with contextlib.redirect_stdout(sys.stderr):
        result = Comparator.compare_accuracy(runs, compare_func=CompareFunc.simple(rtol=rtol, atol=atol))
    # From 0.50 on there is one result for each comparison function.
    tables = [result] if hasattr(result, "values") else list(result)
    failed = []
    for comparisons in (each for table in tables for each in table.values()):
        for comparison in comparisons:
            for name, match in comparison.items():
                if not match and name not in failed:
                    failed.append(name)
    return {"passed": bool(result), "failed": failed}


root, rtol, atol = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
print(json.dumps({case: judge(os.path.join(root, case), rtol, atol) for case in sorted(os.listdir(root))}))
