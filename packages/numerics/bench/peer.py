"""numpy's times on the arrays of numerics.bench.ts. usage: python peer.py COUNT RUNS; prints one line of JSON"""
import json, sys, time
import numpy as np

count, runs = int(sys.argv[1]), int(sys.argv[2])
desired = (np.arange(count, dtype=np.uint32) * np.uint32(2654435761) >> np.uint32(8) | np.uint32(1)).astype(np.float32) / np.float32(2**23) - np.float32(1)
actual = (desired.view(np.int32) + (1 + np.arange(count, dtype=np.int32) % 3)).view(np.float32)


def best(run):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


print(json.dumps({
    'numpy': np.__version__,
    'allclose': best(lambda: np.allclose(actual, desired, rtol=1e-5, atol=1e-6)),
    'assertAllclose': best(lambda: np.testing.assert_allclose(actual, desired, rtol=1e-5, atol=1e-6)),
}))
