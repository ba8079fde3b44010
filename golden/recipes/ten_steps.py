"""Ten steps of training a slim net as slim trains, in a real TF1 graph and session, and the noise floor of the same trajectory.
usage: python ten_steps.py NET OUTDIR [STEPS]  (slim's `nets` folder must be on PYTHONPATH; it is not kept here)
RMSProp with slim's defaults (decay 0.9, momentum 0.9, epsilon 1), its rate 0.01 times 0.94 every two steps; step k is fed
RandomUniform(seed=42, seed2=100000 + k). Arrays are packed in the order of `names`: of each the first 8 hex digits of its
sha256 (little-endian, row-major), and, but for gradients, in base64 of float32 its l2 and its values at flat indices 0 and size // 2.
Noise floor: the same steps from initial values of which each is moved to the next float32 up or down (numpy's default_rng(7));
a variable's drift is its largest difference by its root mean square, and `sampled` is the same of the two packed values."""
import base64, hashlib, json, os, sys, time
import numpy as np
from slim_net import image, net_fn, slim, tf, v1

CLASSES, BATCH, STEPS = 10, 2, int(sys.argv[3]) if len(sys.argv) > 3 else 10

def hashes(arrays): return ''.join(hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:8] for a in arrays)
def floats(values): return base64.b64encode(np.asarray(values, '<f4').tobytes()).decode()
def l2(a): return np.sqrt((a.reshape(-1).astype(np.float64) ** 2).sum())
def pack(arrays):
    two = [x for a in arrays for x in (a.reshape(-1)[0], a.reshape(-1)[a.size // 2])]
    return dict(hashes=hashes(arrays), l2=floats([l2(a) for a in arrays]), samples=floats(two))

def drifts(names, a, b):
    def relative(x, y, d):
        worst = float(d.max())
        return worst / float(np.sqrt((x.astype(np.float64) ** 2).mean())) if worst else 0.
    def sampled(x): f = x.reshape(-1); return f[[0, f.size // 2]].astype(np.float64)
    whole = [relative(x, y, np.abs(x.astype(np.float64) - y)) for x, y in zip(a, b)]
    two = [relative(x, y, np.abs(sampled(x) - sampled(y))) for x, y in zip(a, b)]
    return dict(max=max(whole), name=names[int(np.argmax(whole))], median=float(np.median(whole)), sampled=max(two), sampled_median=float(np.median(two)))

def main(name, out):
    fn, scope, size = net_fn(name)
    noise = [image(BATCH, size, 100000 + k) for k in range(STEPS)]
    with v1.keras.utils.DeterministicRandomTestTool(mode='num_random_ops').scope():
        g = tf.Graph()
        with g.as_default():
            images = v1.placeholder(tf.float32, [BATCH, size, size, 3], name='images')
            with slim.arg_scope(scope): logits, _ = fn(images, CLASSES, is_training=True)
            labels = tf.one_hot([i * 7 % CLASSES for i in range(BATCH)], CLASSES)
            xent = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=labels, logits=logits))
            total = xent + tf.add_n(v1.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES))
            model = v1.global_variables()
            step = v1.train.get_or_create_global_step()
            rate = v1.train.exponential_decay(0.01, step, 2, 0.94, staircase=True)
            opt = v1.train.RMSPropOptimizer(rate, decay=0.9, momentum=0.9, epsilon=1.0)
            pairs = []
            def keep(gv): pairs.extend(p for p in gv if p[0] is not None); return gv
            train_op = slim.training.create_train_op(total, opt, global_step=step, transform_grads_fn=keep)
            init = v1.global_variables_initializer()
            slots = opt.variables()
        names = dict(variables=[v.op.name for v in model], slots=[v.op.name for v in slots], gradients=[v.op.name for _, v in pairs])
        # The loss does not depend on these: nothing puts the forward pass there before the update of its weights, and TensorFlow
        # gives one value or another.
        racing = [n for n in names['variables'] if '/AuxLogits/' in n and '/moving_' in n]
        print(len(model), 'variables', len(slots), 'slots', len(pairs), 'gradients', flush=True)
        res, kept = [], []
        for nudged in (False, True):
            with v1.Session(graph=g) as s:
                s.run(init)
                if nudged:
                    rng = np.random.default_rng(7)
                    moved = [np.where(a == 0, a, np.nextafter(a, np.where(rng.random(a.shape) < .5, -np.inf, np.inf).astype(np.float32))).astype(np.float32) for a in s.run(model)]
                    s.run([v.initializer for v in model], {v.initializer.inputs[1]: a for v, a in zip(model, moved)})
                for k in range(STEPS):
                    started = time.time()
                    fetches = dict(total_loss=train_op, cross_entropy=xent, learning_rate=rate, gradients=[gr for gr, _ in pairs])
                    if nudged: fetches.pop('gradients')
                    got = s.run(fetches, {images: noise[k]})
                    took = time.time() - started
                    values = s.run(model)
                    if not nudged:
                        scalars = {key: float(got[key]) for key in ('total_loss', 'cross_entropy', 'learning_rate')}
                        res.append(dict(scalars, gradients=dict(hashes=hashes(got['gradients'])), variables=pack(values), slots=pack(s.run(slots)), global_step=int(s.run(step))))
                        kept.append(values)
                    else: res[k]['noise_floor'] = drifts(names['variables'], kept[k], values)
                    print(k, got['total_loss'], res[k].get('noise_floor'), '%.1fs' % took, flush=True)
    os.makedirs(out, exist_ok=True)
    json.dump(dict(net=name, tensorflow=tf.__version__, optimizer='rmsprop', batch=BATCH, classes=CLASSES, input='RandomUniform(seed=42, seed2=100000 + step)', names=names, racing=racing, steps=res), open(os.path.join(out, f'{name}.ten_steps.json'), 'w'))

if __name__ == '__main__': main(sys.argv[1], sys.argv[2])
