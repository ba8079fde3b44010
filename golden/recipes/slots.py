"""TF1 trainings saved in the middle: a V2 checkpoint with every slot after 3 steps, and 4 steps more. usage: python slots.py OUT_DIR SALT"""
import os, sys, json
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import warnings; warnings.filterwarnings('ignore')
import numpy as np, tensorflow as tf, tensorflow.compat.v1 as v1
out, salt = sys.argv[1], int(sys.argv[2]); rs = np.random.RandomState(500 + salt); T = v1.train
opts = {
    'momentum': (T.MomentumOptimizer, dict(momentum=0.9)),
    'rmsprop': (T.RMSPropOptimizer, dict(decay=0.9, momentum=0.9, epsilon=1.0)),
    'adam': (T.AdamOptimizer, dict(epsilon=0.01)),
}
def hx(a): a = np.asarray(a, np.float32); return dict(shape=list(a.shape), hex=a.astype('<f4').tobytes().hex())
os.makedirs(out, exist_ok=True); cases = {}
for name, (cls, kw) in opts.items():
    g = tf.Graph()
    with g.as_default(), v1.Session(graph=g) as s:
        with v1.variable_scope('net'):
            w = v1.get_variable('w', initializer=rs.randn(3, 4).astype(np.float32))
            emb = v1.get_variable('emb', initializer=rs.randn(6, 2).astype(np.float32))
        step = T.get_or_create_global_step()
        rate = T.exponential_decay(0.1, step, decay_steps=2, decay_rate=0.5)
        opt = cls(rate, **kw)
        gw, ge, ids = v1.placeholder(tf.float32, [3, 4]), v1.placeholder(tf.float32, [3, 2]), v1.placeholder(tf.int32, [3])
        train = opt.apply_gradients([(gw, w), (tf.IndexedSlices(ge, ids, dense_shape=[6, 2]), emb)], global_step=step)
        s.run(v1.global_variables_initializer()); saver = T.Saver(max_to_keep=None); every = {v.op.name: v for v in v1.global_variables()}; steps = []
        for t in range(7):
            feed = {gw: rs.randn(3, 4).astype(np.float32), ge: rs.randn(3, 2).astype(np.float32), ids: rs.choice(6, size=3, replace=t % 2 == 1).astype(np.int32)}
            s.run(train, feed)
            if t == 2: saver.save(s, os.path.join(out, f'{name}.ckpt'), global_step=step, write_meta_graph=False, write_state=False)
            if t >= 3: steps.append(dict(w=hx(feed[gw]), emb=hx(feed[ge]), ids=[int(i) for i in feed[ids]], after={k: (int(a) if a.dtype == np.int64 else hx(a)) for k, a in s.run(every).items()}))
        cases[name] = dict(args=kw, checkpoint=f'{name}.ckpt-3', steps=steps)
json.dump(dict(tensorflow=tf.__version__, schedule=dict(learning_rate=0.1, decay_steps=2, decay_rate=0.5), note='hex: little-endian float32, row-major', cases=cases), open(os.path.join(out, 'slots.json'), 'w'))
print({k: [sorted(c['steps'][0]['after'])] for k, c in cases.items()})
