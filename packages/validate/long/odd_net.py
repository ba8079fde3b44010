"""Records what recorders stumble over: python odd_net.py OUT; tfparity_capture.py must be on PYTHONPATH."""
import os
import sys
os.environ['TF_USE_LEGACY_KERAS'] = '1'
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as v1
import tfparity_capture

capture = tfparity_capture.Capture(sys.argv[1])


def refuses(error, run):
    try:
        run()
    except error:
        return
    raise AssertionError(f'no {error.__name__}')


with capture.random(), tf.Graph().as_default() as graph:
    x = v1.placeholder(tf.float32, [None, 3])
    w = v1.get_variable('w', [3, 4], initializer=v1.glorot_uniform_initializer())
    y = tf.matmul(x, w)
    dropped = v1.nn.dropout(y, rate=0.5)
    sparse = tf.gradients(tf.reduce_sum(tf.gather(w, [1, 2])), w)[0]
    assert isinstance(sparse, tf.IndexedSlices)
    outputs = {'dropped': dropped, 'half': tf.cast(y, tf.bfloat16), 'best': tf.argmax(y, 1), 'aux': None}
    feeds = {x: np.random.RandomState(3).uniform(-1, 1, [2, 3]).astype(np.float32)}
    with v1.Session() as session:
        session.run(v1.global_variables_initializer())
        losses = {'nan': tf.constant(np.nan), 'inf': tf.constant(-np.inf), 'w': tf.reduce_sum(w ** 2)}
        capture.run(session, 'odd', feeds, outputs, training=True, gradients={'w': sparse}, losses=losses)
        capture.run(session, 'name', feeds, {'y': y.name})
        refuses(ValueError, lambda: capture.run(session, 'odd', feeds, outputs))
        refuses(TypeError, lambda: capture.run(session, 'text', feeds, {'text': tf.constant(['a'])}))
        graph.finalize()
        capture.run(session, 'finalized', feeds, {'y': y, 'w': w})
capture.write()

inside = tfparity_capture.Capture(sys.argv[1] + '-inside')
with inside.random(), tf.Graph().as_default():
    x = v1.placeholder(tf.float32, [])
    y = tf.while_loop(lambda a: a < 3, lambda a: a + 1 + v1.random_uniform([]), [x])[0]
    with v1.Session() as session:
        inside.run(session, 'loop', {x: 0}, {'y': y})
inside.write()
