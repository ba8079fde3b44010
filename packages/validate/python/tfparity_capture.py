"""Records one side of a migration from TF1 code (tf.compat.v1) into a golden bundle, which @tfparity/validate checks anywhere.

Put this file beside your code; it needs TensorFlow and numpy only.

    import tfparity_capture

    capture = tfparity_capture.Capture('bundle')
    with capture.random(mode='num_random_ops'), tf.Graph().as_default():
        images = v1.placeholder(tf.float32, [2, 8, 8, 3])
        logits, end_points = my_net(images, is_training=False)
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            capture.run(session, 'infer', inputs={images: data}, outputs={'logits': logits, **end_points})
    capture.write()
"""
import contextlib
import hashlib
import json
import os
import platform

import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as v1

RANDOM_OPS = (
    'RandomUniform', 'RandomUniformInt', 'RandomStandardNormal', 'TruncatedNormal', 'RandomShuffle', 'Multinomial',
    'RandomGamma', 'RandomPoissonV2',
)


def _plain(name):
    """A variable's name without the output number."""
    return name.split(':')[0]


def _leaves(tree, path=''):
    """The tensors of nested dicts and lists with their paths, as @tfparity/numerics names them."""
    if isinstance(tree, dict):
        return [leaf for key, item in tree.items() for leaf in _leaves(item, f'{path}/{key}' if path else str(key))]
    if isinstance(tree, (list, tuple)):
        return [leaf for i, item in enumerate(tree) for leaf in _leaves(item, f'{path}[{i}]')]
    return [(path or 'output', tree)]


def random_ledger(graph):
    """The random ops of a graph, in the order in which they were made."""
    entries = []
    for op in graph.get_operations():
        if op.type not in RANDOM_OPS:
            continue
        shape = op.outputs[0].shape
        entries.append({
            'index': len(entries),
            'op': op.type,
            'shape': shape.as_list() if shape.is_fully_defined() else None,
            'dtype': op.outputs[0].dtype.base_dtype.name,
            'seed': int(op.get_attr('seed')),
            'seed2': int(op.get_attr('seed2')),
            'label': None,
            'callSite': None,
        })
    return entries


class Capture:
    """A recording: runs are added with `run`, and `write` makes the bundle."""

    def __init__(self, folder):
        self.folder = folder
        self._arrays = {}
        self._runs = []
        self._variables = {}
        self._random = None

    @contextlib.contextmanager
    def random(self, mode='num_random_ops', seed=42):
        """Aligns random numbers with TensorFlow's own DeterministicRandomTestTool while a graph is built."""
        os.environ.setdefault('TF_USE_LEGACY_KERAS', '1')
        tool = v1.keras.utils.DeterministicRandomTestTool(seed=seed, mode=mode)
        self._random = {'mode': mode, 'seed': seed}
        try:
            with tool.scope():
                yield tool
        finally:
            self._random = None

    def run(self, session, name, inputs, outputs, training=False, losses=None, gradients=None, updates=None):
        """Runs and records one forward pass.

        inputs: {placeholder: array}, in the order in which the migrated model takes them; a key may also be a pair
        (name, placeholder). outputs: tensors in nested dicts and lists. losses: {variable name: tensor}, or a list; the
        collection of regularization losses unless given. gradients: {variable name: tensor}. updates: ops that are run
        in the same step; in training the collection of update ops unless given.
        """
        graph = session.graph
        at = f'runs/{name}'
        variables = graph.get_collection(v1.GraphKeys.GLOBAL_VARIABLES)
        trainable = {v.name for v in graph.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES)}
        for v in variables:
            self._variables[_plain(v.name)] = {
                'name': _plain(v.name), 'shape': v.shape.as_list(), 'dtype': v.dtype.base_dtype.name,
                'trainable': v.name in trainable,
            }
        before = dict(zip([_plain(v.name) for v in variables], session.run(list(variables))))
        if losses is None:
            losses = graph.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)
        if not isinstance(losses, dict):
            losses = {str(i): loss for i, loss in enumerate(losses)}
        if updates is None:
            updates = graph.get_collection(v1.GraphKeys.UPDATE_OPS) if training else []
        named = self._named_inputs(inputs)
        leaves = _leaves(outputs)
        gradients = {key: tensor for key, tensor in (gradients or {}).items() if tensor is not None}
        fetches = [[tensor for _, tensor in leaves], list(gradients.values()), list(losses.values()), list(updates)]
        feeds = {tensor: array for _, tensor, array in named}
        values, gradient_values, loss_values, _ = session.run(fetches, feeds)
        after = dict(zip(before, session.run(list(variables))))
        changed = {k: a for k, a in after.items() if k not in {_plain(t) for t in trainable} and not _same(a, before[k])}
        self._runs.append({
            'name': name,
            'training': bool(training),
            'random': self._random,
            'inputs': self._add(f'{at}/inputs', {key: array for key, _, array in named}),
            'outputs': self._add(f'{at}/outputs', {path: value for (path, _), value in zip(leaves, values)}),
            'losses': {key: float(value) for key, value in zip(losses, loss_values)},
            'variables': self._add(f'{at}/variables', before),
            'updates': self._add(f'{at}/updates', changed),
            'gradients': self._add(f'{at}/gradients', dict(zip(gradients, gradient_values))),
            'ledger': random_ledger(graph) if self._random else None,
        })

    def write(self):
        """Writes arrays.npz, then manifest.json: a bundle that was not finished has no manifest."""
        os.makedirs(self.folder, exist_ok=True)
        np.savez(os.path.join(self.folder, 'arrays.npz'), **self._arrays)
        manifest = {
            'format': 'tfparity-golden-bundle',
            'version': 1,
            'versions': {
                'python': platform.python_version(), 'tensorflow': tf.__version__, 'numpy': np.__version__,
            },
            'variables': list(self._variables.values()),
            'runs': self._runs,
            'arrays': {
                key: {'dtype': array.dtype.name, 'shape': list(array.shape), 'sha256': _sha256(array)}
                for key, array in self._arrays.items()
            },
        }
        partial = os.path.join(self.folder, 'manifest.json.partial')
        with open(partial, 'w', encoding='utf8') as file:
            json.dump(manifest, file, indent=1)
            file.write('\n')
        os.replace(partial, os.path.join(self.folder, 'manifest.json'))

    def _add(self, prefix, arrays):
        keys = {}
        for name, value in arrays.items():
            keys[name] = f'{prefix}/{name}'
            self._arrays[keys[name]] = np.asarray(value)
        return keys

    @staticmethod
    def _named_inputs(inputs):
        named = []
        for i, (key, array) in enumerate(inputs.items()):
            name, tensor = key if isinstance(key, tuple) else (None, key)
            name = name or ('input' if len(inputs) == 1 else f'input_{i}')
            named.append((name, tensor, np.asarray(array, dtype=tensor.dtype.as_numpy_dtype)))
        return named


def _same(a, b):
    return a.tobytes() == b.tobytes()


def _sha256(array):
    """Of the bytes as they are in every file here: little endian, row-major."""
    ordered = np.ascontiguousarray(array)
    return hashlib.sha256(ordered.astype(ordered.dtype.newbyteorder('<')).tobytes()).hexdigest()
