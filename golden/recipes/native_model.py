"""A small slim net saved by TF1's Saver, and what it computes in inference: for loading into a tf.layers model by name.
usage: TF_USE_LEGACY_KERAS=1 python native_model.py OUTDIR [SALT]   (TensorFlow 2.21.0, tf_slim)"""
import json, os, sys
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'; os.environ['CUDA_VISIBLE_DEVICES'] = ''
import importlib, numpy as np
import tf_keras.src.legacy_tf_layers as _l
sys.modules['tf_keras.legacy_tf_layers'] = _l
for n in ('base', 'convolutional', 'core', 'normalization', 'pooling'):
    sys.modules['tf_keras.legacy_tf_layers.' + n] = importlib.import_module('tf_keras.src.legacy_tf_layers.' + n)
import tensorflow as tf, tf_slim as slim
out = sys.argv[1]; salt = int(sys.argv[2]) if len(sys.argv) > 2 else 0
os.makedirs(out, exist_ok=True)
v1 = tf.compat.v1
rs = np.random.RandomState(7 + salt)
x = rs.randn(2, 12, 12, 3).astype(np.float32)
with tf.Graph().as_default():
    images = v1.placeholder(tf.float32, x.shape, 'x')
    norm = dict(is_training=False, scale=True, epsilon=0.001, decay=0.9)
    with v1.variable_scope('net'):
        h = slim.conv2d(images, 8, 3, stride=2, scope='conv1', normalizer_fn=slim.batch_norm, normalizer_params=norm)
        p = slim.max_pool2d(h, 2, scope='pool')
        h2 = slim.conv2d(p, 16, [1, 3], scope='conv2')
        f = slim.flatten(h2)
        logits = slim.fully_connected(f, 5, activation_fn=None, scope='logits')
    v1.train.get_or_create_global_step()
    with v1.Session(config=v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)) as s:
        s.run(v1.global_variables_initializer())
        for v in v1.global_variables():
            if v.op.name == 'global_step': continue
            value = rs.randn(*v.shape.as_list()).astype(np.float32) * 0.3
            v.load(np.abs(value) + 0.5 if 'variance' in v.op.name else value, s)
        v1.train.Saver().save(s, os.path.join(out, 'net.ckpt'), global_step=12, write_meta_graph=False)
        runs = s.run({'net/conv1': h, 'net/pool': p, 'net/conv2': h2, 'net/logits': logits}, {images: x})
enc = lambda a: dict(dtype=a.dtype.name, shape=list(a.shape), values=[float(v) for v in a.reshape(-1)])
json.dump(dict(x=enc(x), end_points={k: enc(v) for k, v in runs.items()}), open(os.path.join(out, 'expected.json'), 'w'))
