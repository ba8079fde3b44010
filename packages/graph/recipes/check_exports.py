"""Runs exported graphs in Python TensorFlow: check_exports.py MANIFEST.json, which check_exports.mjs writes.

Prints one JSON line per case: the sha256 of every fetched tensor's bytes."""
import hashlib
import json
import os
import sys
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf
from google.protobuf import text_format
v1 = tf.compat.v1

def sha(value):
    return hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()

def from_graph_def(case, feeds):
    graph_def = v1.GraphDef()
    with open(case['file'], 'rb') as file:
        data = file.read()
    if case['file'].endswith('.pbtxt'): text_format.Parse(data.decode(), graph_def)
    else: graph_def.ParseFromString(data)
    with v1.Graph().as_default() as graph:
        v1.import_graph_def(graph_def, name='')
        config = v1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = case.get('optimizer') is False
        with v1.Session(config=config) as session:
            for op in case.get('init', []): session.run(op)
            return session.run(case['fetches'], {graph.get_tensor_by_name(k): v for k, v in feeds.items()})

def from_saved_model(case, feeds):
    with v1.Graph().as_default(), v1.Session() as session:
        v1.saved_model.load(session, ['serve'], case['file'])
        return session.run(case['fetches'], feeds)

def from_tf2_saved_model(case, feeds):
    signature = tf.saved_model.load(case['file']).signatures['serving_default']
    outputs = signature(**{key: tf.constant(feeds[name]) for key, name in case['keys'].items()})
    return [outputs[key].numpy() for key in case['outputs']]

for case in json.load(open(sys.argv[1])):
    feeds = {name: np.array(value['data'], np.float32).reshape(value['shape']) for name, value in case['feeds'].items()}
    run = {'graph': from_graph_def, 'savedModel': from_saved_model, 'tf2': from_tf2_saved_model}[case['kind']]
    print(json.dumps({'name': case['name'], 'sha256': [sha(value) for value in run(case, feeds)]}))
