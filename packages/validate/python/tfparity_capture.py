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
import math
import os
import platform
import warnings

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


def random_ledger(graph, shapes=None):
    """The random ops of a graph, in the order in which they were made; None where functions of it draw numbers.

    shapes: by op name, of those whose static shape is not known; without it that shape is None, which matches any.
    Ops in the body of a function (a v2 while loop or cond) have no place in that order, so that nothing can be compared.
    """
    # From the last version on there are no nodes but all functions; the nodes of a large net may not fit into a GraphDef.
    functions = graph.as_graph_def(from_version=graph.version).library.function
    inside = [node.name for function in functions for node in function.node_def if node.op in RANDOM_OPS]
    if inside:
        warnings.warn(f'random ops in functions ({", ".join(inside[:3])}): the run is recorded without a ledger')
        return None
    entries = []
    for op in graph.get_operations():
        if op.type not in RANDOM_OPS:
            continue
        shape = op.outputs[0].shape
        entries.append({
            'index': len(entries),
            'op': op.type,
            'shape': shape.as_list() if shape.is_fully_defined() else (shapes or {}).get(op.name),
            'dtype': op.outputs[0].dtype.base_dtype.name,
            'seed': int(op.get_attr('seed')),
            'seed2': int(op.get_attr('seed2')),
            'label': None,
            'callSite': None,
        })
    return entries


def _drawn(graph, fetches):
    """The random ops of unknown static shape that these fetches run anyway, outside of loops and branches."""
    seen = set()
    elements = [graph.as_graph_element(fetch) for fetch in tf.nest.flatten(fetches)]
    ahead = [getattr(element, 'op', element) for element in elements]
    while ahead:
        op = ahead.pop()
        if op.name not in seen:
            seen.add(op.name)
            ahead += [tensor.op for tensor in op.inputs] + list(op.control_inputs)
    return [
        op.outputs[0] for op in graph.get_operations()
        if op.type in RANDOM_OPS and op.name in seen and not op.outputs[0].shape.is_fully_defined()
        and op._get_control_flow_context() is None
    ]


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
        in the same step; in training the collection of update ops unless given. A net without losses in that collection
        is recorded as having none, which a migrated net with losses does not meet.

        Names of runs differ. None among outputs and gradients is left out, gradients of gathers (IndexedSlices) are
        recorded dense, bfloat16 as float32. Strings can't be recorded.
        """
        if any(run['name'] == name for run in self._runs):
            raise ValueError(f'there is a run called {name!r} already; each run needs a name of its own')
        graph = session.graph
        at = f'runs/{name}'
        variables = graph.get_collection(v1.GraphKeys.GLOBAL_VARIABLES)
        trainable = {v.name for v in graph.get_collection(v1.GraphKeys.TRAINABLE_VARIABLES)}
        for v in variables:
            self._variables[_plain(v.name)] = {
                'name': _plain(v.name), 'shape': v.shape.as_list(), 'dtype': v.dtype.base_dtype.name,
                'trainable': v.name in trainable,
            }
        if losses is None:
            losses = graph.get_collection(v1.GraphKeys.REGULARIZATION_LOSSES)
        if not isinstance(losses, dict):
            losses = {str(i): loss for i, loss in enumerate(losses)}
        if updates is None:
            updates = graph.get_collection(v1.GraphKeys.UPDATE_OPS) if training else []
        named = self._named_inputs(inputs)
        with graph.as_default():
            leaves = _recordable(graph, 'output', _leaves(outputs))
            gradients = dict(_recordable(graph, 'gradient', (gradients or {}).items()))
        feeds = {tensor: array for _, tensor, array in named}
        tensors = [[tensor for _, tensor in leaves], list(gradients.values()), list(losses.values()), list(updates)]
        drawn = _drawn(graph, tensors) if self._random else []
        before = dict(zip([_plain(v.name) for v in variables], session.run(list(variables))))
        values, gradient_values, loss_values, _, draws = session.run([*tensors, drawn], feeds)
        shapes = {tensor.op.name: list(draw.shape) for tensor, draw in zip(drawn, draws)}
        after = dict(zip(before, session.run(list(variables))))
        changed = {k: a for k, a in after.items() if k not in {_plain(t) for t in trainable} and not _same(a, before[k])}
        self._runs.append({
            'name': name,
            'training': bool(training),
            'random': self._random,
            'inputs': self._add(f'{at}/inputs', {key: array for key, _, array in named}),
            'outputs': self._add(f'{at}/outputs', {path: value for (path, _), value in zip(leaves, values)}),
            'losses': {key: _number(value) for key, value in zip(losses, loss_values)},
            'variables': self._add(f'{at}/variables', before),
            'updates': self._add(f'{at}/updates', changed),
            'gradients': self._add(f'{at}/gradients', dict(zip(gradients, gradient_values))),
            'ledger': random_ledger(graph, shapes) if self._random else None,
        })

    def write(self):
        """Writes arrays.npz, then manifest.json: a bundle that was not finished has no manifest, whatever was there."""
        os.makedirs(self.folder, exist_ok=True)
        manifest_file, arrays_file = (os.path.join(self.folder, name) for name in ('manifest.json', 'arrays.npz'))
        with open(f'{arrays_file}.partial', 'wb') as file:
            np.savez(file, **self._arrays)
        if os.path.exists(manifest_file):
            os.remove(manifest_file)
        os.replace(f'{arrays_file}.partial', arrays_file)
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
        with open(f'{manifest_file}.partial', 'w', encoding='utf8') as file:
            json.dump(manifest, file, indent=1, allow_nan=False)
            file.write('\n')
        os.replace(f'{manifest_file}.partial', manifest_file)

    def _add(self, prefix, arrays):
        keys = {}
        for name, value in arrays.items():
            keys[name] = f'{prefix}/{name}'
            array = np.asarray(value)
            # numpy's files have no bfloat16; float32 holds each of its values.
            self._arrays[keys[name]] = array.astype(np.float32) if array.dtype.name == 'bfloat16' else array
        return keys

    @staticmethod
    def _named_inputs(inputs):
        named = []
        for i, (key, array) in enumerate(inputs.items()):
            name, tensor = key if isinstance(key, tuple) else (None, key)
            name = name or ('input' if len(inputs) == 1 else f'input_{i}')
            named.append((name, tensor, np.asarray(array, dtype=tensor.dtype.as_numpy_dtype)))
        return named


def _recordable(graph, kind, named):
    """The tensors that a bundle can hold, by name."""
    tensors = []
    for name, tensor in named:
        if tensor is None:
            warnings.warn(f'{kind} {name} is None, and is left out')
            continue
        # Made dense only where it must be: a graph may be finalized.
        dense = tf.convert_to_tensor(tensor) if isinstance(tensor, tf.IndexedSlices) else graph.as_graph_element(tensor)
        if dense.dtype.base_dtype == tf.string:
            raise TypeError(f'{kind} {name} is of dtype string, which a bundle does not hold; leave it out')
        if any(name == other for other, _ in tensors):
            raise ValueError(f'two {kind}s are called {name}')
        tensors.append((name, dense))
    return tensors


def _number(value):
    """A number as JSON has it: what it has no word for as text."""
    number = float(value)
    if math.isnan(number):
        return 'NaN'
    return number if math.isfinite(number) else 'Infinity' if number > 0 else '-Infinity'


def _same(a, b):
    return a.tobytes() == b.tobytes()


def _sha256(array):
    """Of the bytes as they are in every file here: little endian, row-major."""
    ordered = np.ascontiguousarray(array)
    return hashlib.sha256(ordered.astype(ordered.dtype.newbyteorder('<')).tobytes()).hexdigest()
