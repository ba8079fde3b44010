"""Outputs and updated variables of tf.compat.v1.layers and slim layers, in a TF1 graph and session.
usage: python layers.py OUTDIR [SALT]
Every input and variable holds ((i * 37 + offset) % 101) / 50 - 1 at flat index i, rounded to float32 (variances: its
square plus 0.5), where the input's offset is SALT (default 0) and the k-th variable's SALT + 11 * (k + 1)."""
import os, sys, json
os.environ['TF_USE_LEGACY_KERAS'] = '1'; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import warnings; warnings.filterwarnings('ignore')
import importlib, numpy as np
import tf_keras.src.legacy_tf_layers as _l
sys.modules['tf_keras.legacy_tf_layers'] = _l
for n in ('base', 'convolutional', 'core', 'normalization', 'pooling'):
    sys.modules['tf_keras.legacy_tf_layers.' + n] = importlib.import_module('tf_keras.src.legacy_tf_layers.' + n)
import tensorflow as tf, tensorflow.compat.v1 as v1, tf_slim as slim

# tf_slim 1.1.0 knows these under the names that they had in TensorFlow 2.8.
from tensorflow.python.framework import ops, tensor
ops.Tensor = tensor.Tensor

def short(a): return [float('%.9g' % q) for q in a.reshape(-1)]
def fill(shape, offset, positive=False):
    a = ((np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.int64) * 37 + offset) % 101).astype(np.float64) / 50 - 1
    return (a * a + 0.5 if positive else a).astype(np.float32).reshape(shape)

I, S, V = [2, 7, 6, 3], [2, 9, 3], [1, 4, 5, 4, 2]
LAYERS = [
    ('dense', [4, 5], dict(units=3)), ('dense', [2, 3, 5], dict(units=4, activation='relu', use_bias=False)),
    ('conv1d', S, dict(filters=4, kernel_size=3, strides=2, padding='same')), ('conv1d', S, dict(filters=2, kernel_size=3, padding='causal', dilation_rate=2)),
    ('conv2d', I, dict(filters=4, kernel_size=3)), ('conv2d', I, dict(filters=2, kernel_size=[3, 2], strides=[2, 1], padding='same', activation='relu')),
    ('conv2d', I, dict(filters=2, kernel_size=3, dilation_rate=2, padding='same', use_bias=False)),
    ('conv3d', V, dict(filters=3, kernel_size=2)), ('conv3d', V, dict(filters=2, kernel_size=3, strides=2, padding='same')),
    ('conv2d_transpose', I, dict(filters=4, kernel_size=3, strides=2, padding='same')), ('conv2d_transpose', I, dict(filters=2, kernel_size=[2, 3], strides=[1, 2])),
    ('conv3d_transpose', V, dict(filters=3, kernel_size=3, strides=2, padding='same')), ('conv3d_transpose', V, dict(filters=2, kernel_size=2)),
    ('separable_conv1d', S, dict(filters=4, kernel_size=3, depth_multiplier=2)), ('separable_conv1d', S, dict(filters=4, kernel_size=3, strides=2, padding='same')),
    ('separable_conv2d', I, dict(filters=4, kernel_size=3, depth_multiplier=2, padding='same')), ('separable_conv2d', I, dict(filters=2, kernel_size=3, strides=2)),
    ('separable_conv2d', I, dict(filters=2, kernel_size=3, dilation_rate=2, padding='same')),
    ('batch_normalization', I, dict(training=True)), ('batch_normalization', I, dict(training=False, scale=False)),
    ('batch_normalization', I, dict(training=True, axis=1, momentum=0.9, epsilon=0.01)), ('batch_normalization', I, dict(training=True, fused=False)),
    ('batch_normalization', I, dict(training=False, fused=False, center=False)), ('batch_normalization', [6, 5], dict(training=True)), ('batch_normalization', [6, 5], dict(training=False)),
    ('batch_normalization', [2, 5, 4], dict(training=True, axis=1)), ('batch_normalization', V, dict(training=True)),
    ('batch_normalization', I, dict(training=True, renorm=True, renorm_clipping=dict(rmax=1.5, rmin=0.5, dmax=0.5))), ('batch_normalization', I, dict(training=False, renorm=True)),
    ('batch_normalization', I, dict(training=True, trainable=False)),
    ('max_pooling1d', S, dict(pool_size=3, strides=2, padding='same')), ('max_pooling2d', I, dict(pool_size=3, strides=2)), ('max_pooling2d', I, dict(pool_size=[2, 3], strides=[2, 1], padding='same')),
    ('max_pooling3d', V, dict(pool_size=2, strides=2)), ('average_pooling1d', S, dict(pool_size=2, strides=2)), ('average_pooling2d', I, dict(pool_size=3, strides=2, padding='same')),
    ('average_pooling2d', I, dict(pool_size=3, strides=1)), ('average_pooling3d', V, dict(pool_size=[2, 3, 2], strides=2, padding='same')),
    ('flatten', I, dict()), ('dropout', I, dict(rate=0.3, training=True)), ('dropout', I, dict(rate=0.3)),
]
SLIM = [
    ('conv2d', I, [4, 3], {}), ('conv2d', I, [4, [1, 3]], dict(stride=2, normalizer_fn='batch_norm')), ('conv2d', I, [2, 3], dict(activation_fn=None, rate=2, biases_initializer=None)),
    ('conv2d_transpose', I, [3, 3], dict(stride=2)), ('conv2d_in_plane', I, [3], {}), ('separable_conv2d', I, [4, 3], {}), ('separable_conv2d', I, [None, 3], dict(depth_multiplier=2)),
    ('fully_connected', [4, 5], [3], {}), ('bias_add', I, [], {}), ('layer_norm', I, [], {}), ('unit_norm', [4, 5], [1], {}), ('softmax', [2, 3, 4], [], {}),
    ('batch_norm', I, [], dict(scale=True, decay=0.9)), ('batch_norm', I, [], dict(is_training=False)), ('batch_norm', [6, 5], [], dict(decay=0.9)),
    ('batch_norm', I, [], dict(updates_collections='mine', scale=True)), ('batch_norm', I, [], dict(fused=False)), ('batch_norm', I, [], dict(fused=False, updates_collections='mine')),
    ('max_pool2d', I, [3], {}), ('avg_pool2d', I, [2], dict(stride=1, padding='SAME')), ('flatten', I, [], {}), ('dropout', I, [], dict(keep_prob=0.8)), ('maxout', [4, 6], [3], {}),
]

def case(fn, shape, positional, args, salt):
    tf.compat.v1.reset_default_graph()
    tool = v1.keras.utils.DeterministicRandomTestTool(mode='num_random_ops')
    with tf.Graph().as_default(), v1.Session() as s, tool.scope():
        x = tf.constant(fill(shape, salt))
        with v1.variable_scope('case'): y = fn(x, *positional, **args)
        updates = v1.get_collection(v1.GraphKeys.UPDATE_OPS) + v1.get_collection('mine')
        gv = v1.global_variables()
        s.run([v1.assign(v, fill(v.shape.as_list(), salt + 11 * (k + 1), 'variance' in v.name or 'stddev' in v.name)) for k, v in enumerate(gv)])
        with tf.control_dependencies([y] + updates): done = tf.no_op()
        out, _ = s.run([y, done]); after = s.run(gv)
        return dict(input=list(shape), variables=[dict(name=v.name[:-2], shape=v.shape.as_list(), trainable=v.trainable) for v in gv], updates=len(updates),
                    output=dict(shape=list(out.shape), values=short(out)),
                    after={v.name[:-2]: short(a) for v, a in zip(gv, after) if 'moving' in v.name or 'renorm' in v.name})

if __name__ == '__main__':
    out, salt = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0; os.makedirs(out, exist_ok=True)
    cases = [dict(kind=k, args=a, **case(getattr(v1.layers, k), sh, [], a, salt)) for k, sh, a in LAYERS]
    json.dump(dict(tensorflow=tf.__version__, salt=salt, cases=cases), open(os.path.join(out, 'layers.json'), 'w'))
    cases = []
    for k, sh, p, a in SLIM:
        real = {key: getattr(slim, val) if key == 'normalizer_fn' else val for key, val in a.items()}
        cases.append(dict(kind=k, positional=p, args=a, **case(getattr(slim, k), sh, p, real, salt)))
    json.dump(dict(tensorflow=tf.__version__, salt=salt, cases=cases), open(os.path.join(out, 'slim.json'), 'w'))
    print('ok')
