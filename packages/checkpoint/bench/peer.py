"""The peer of checkpoint.bench.ts: TensorFlow's own reader. usage: python peer.py read|list|save-v1 PREFIX [TO]; prints seconds"""
import os, sys, time
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import tensorflow as tf

task, prefix = sys.argv[1:3]


def read():
    reader = tf.train.load_checkpoint(prefix)
    for name in reader.get_variable_to_shape_map():
        reader.get_tensor(name)


def names():
    return tf.train.load_checkpoint(prefix).get_variable_to_shape_map()


if task == 'save-v1':
    reader = tf.train.load_checkpoint(prefix)
    keys = sorted(names())
    tf.raw_ops.Save(filename=sys.argv[3], tensor_names=keys, data=[reader.get_tensor(key) for key in keys])
    sys.exit()
least = 1e9
for _ in range(7):
    start = time.perf_counter()
    (read if task == 'read' else names)()
    least = min(least, time.perf_counter() - start)
print(least)
