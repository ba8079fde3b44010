"""Seconds of a warm run of a graph in tf.compat.v1.Session, and peak megabytes: peer.py GRAPH.pb INIT_OP FETCH RUNS."""
import resource
import sys
import time

import tensorflow.compat.v1 as tf

path, init, fetch, runs = sys.argv[1:5]
graph_def = tf.GraphDef()
with open(path, "rb") as file:
    graph_def.ParseFromString(file.read())
with tf.Graph().as_default():
    tf.import_graph_def(graph_def, name="")
    with tf.Session() as session:
        session.run(init)
        times = []
        for _ in range(int(runs) + 2):
            start = time.perf_counter()
            session.run(fetch)
            times.append(time.perf_counter() - start)
        print(min(times[2:]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
