"""TF1's gradients of ops at the points where formulas part: zeros of both signs, ties, ends of ranges, huge and tiny values, infinities, NaN.
usage: python gradients.py OUT.json [SALT]"""
import os, sys, json
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np, tensorflow as tf, tensorflow.compat.v1 as v1
rng = np.random.default_rng(int(sys.argv[2]) if len(sys.argv) > 2 else 0)
inf, nan = np.inf, np.nan
EDGES = [0., -0., 1., -1., .5, -.5, 2., -2., 6., -6., 7., 1e-20, -1e-20, 1e25, -1e25, inf, -inf, nan]
f = lambda a: np.array(a, np.float32)
array = lambda a: None if a is None else dict(shape=list(a.shape), hex=np.ascontiguousarray(a, '<f4').tobytes().hex())
cases = []
def case(name, op, inputs, fn, note='', dy=None, **attrs):
    """One op at its inputs; dys are the gradients of its outputs (of the first ones alone where fewer are given)."""
    with tf.Graph().as_default(), v1.Session() as s:
        xs = [v1.placeholder(tf.float32, i.shape) for i in map(f, inputs)]
        ys = fn(*xs); ys = list(ys) if isinstance(ys, (list, tuple)) else [ys]
        dys = [np.resize(f([1.5, -2, .25, 3, -.75]), y.shape.as_list()) for y in ys] if dy is None else [f(d) for d in dy]
        grads = v1.gradients(ys[:len(dys)], xs, grad_ys=[tf.constant(d) for d in dys])
        grads = [None if g is None else tf.convert_to_tensor(g) for g in grads]
        values = iter(s.run([g for g in grads if g is not None], dict(zip(xs, map(f, inputs)))))
        cases.append(dict(name=name + (' ' + note if note else ''), op=op, attrs=attrs, inputs=[array(f(i)) for i in inputs], dys=[array(d) for d in dys],
                          gradients=[None if g is None else array(next(values)) for g in grads]))
U = dict(abs=tf.abs, acos=tf.acos, acosh=tf.acosh, asin=tf.asin, asinh=tf.asinh, atan=tf.atan, atanh=tf.atanh, ceil=tf.math.ceil, cos=tf.cos, cosh=tf.cosh, elu=tf.nn.elu, erf=tf.math.erf, exp=tf.exp,
         expm1=tf.math.expm1, floor=tf.floor, log=tf.math.log, log1p=tf.math.log1p, neg=tf.negative, onesLike=tf.ones_like, reciprocal=tf.math.reciprocal, relu=tf.nn.relu, relu6=tf.nn.relu6, round=tf.round,
         rsqrt=tf.math.rsqrt, selu=tf.nn.selu, sigmoid=tf.sigmoid, sign=tf.sign, sin=tf.sin, sinh=tf.sinh, softplus=tf.nn.softplus, sqrt=tf.sqrt, square=tf.square, tan=tf.tan, tanh=tf.tanh, zerosLike=tf.zeros_like)
for name, fn in U.items():
    # Not the sine of a huge number or a tiny one, of which wasm has another.
    edges = [e for e in EDGES if name not in ('sin', 'cos', 'tan') or e == 0 or .1 < abs(e) < 8 or not np.isfinite(e)]
    case(name, name, [edges], fn, 'at edges')
    case(name, name, [np.abs(rng.normal(size=9)) * .8 + (1 if name == 'acosh' else .05)], fn, 'within')
    if name != 'neg': case(name, name, [[-2., 0., 3., 7.]], fn, 'with gradients that are not finite', dy=[[inf, inf, nan, -inf]])
case('leakyRelu', 'leakyRelu', [EDGES], lambda x: tf.nn.leaky_relu(x, .2), 'at edges', alpha=.2)
case('prelu', 'prelu', [EDGES[:-1], np.resize([.2, .5], len(EDGES) - 1)], lambda x, a: tf.nn.relu(x) - a * tf.nn.relu(-x), "(Keras's formula) at edges")
case('clipByValue', 'clipByValue', [EDGES], lambda x: tf.clip_by_value(x, -1., 6.), 'at edges', min=-1, max=6)
A, B = [0, -0., 1, 2, -3, 4, 1e-25, 3, 1e25, inf, nan, 1, nan], [0, 0, 1, 3, 2, -4, 2e-25, 1e-25, 1e25, 1, 1, nan, nan]
BI = dict(add=tf.add, sub=tf.subtract, mul=tf.multiply, div=tf.divide, floorDiv=tf.math.floordiv, mod=tf.math.floormod, maximum=tf.maximum, minimum=tf.minimum, squaredDifference=tf.math.squared_difference,
          pow=tf.pow, atan2=tf.atan2)
for name, fn in BI.items():
    # 1 to the NaN is 1 in C and NaN in JavaScript.
    case(name, name, [A[:-2], B[:-2]] if name == 'pow' else [A, B], fn, 'at edges')
    case(name, name, [rng.normal(size=(2, 3)) ** 2 + .1, rng.normal(size=(2, 3)) ** 2 + .1], fn, 'within')
    case(name, name, [rng.normal(size=(2, 1, 3)) ** 2 + .1, rng.normal(size=(4, 1)) ** 2 + .1], fn, 'broadcast both')
    case(name, name, [rng.normal(size=(2, 3)) ** 2 + .1, rng.normal(size=()) ** 2 + .1], fn, 'broadcast scalar')
    case(name, name, [rng.normal(size=(3,)) ** 2 + .1, rng.normal(size=(2, 3)) ** 2 + .1], fn, 'broadcast row')
T = [[1, 3, 3, 2], [5, 5, 5, 5], [-1, -1, 0, -0.]]
for name, fn in dict(max=tf.reduce_max, min=tf.reduce_min, sum=tf.reduce_sum, mean=tf.reduce_mean, prod=tf.reduce_prod).items():
    for axis in (None, 0, 1, -1):
        for keep in (False, True):
            case(name, name, [T], lambda x: fn(x, axis=axis, keepdims=keep), f'axis {axis}{" kept" if keep else ""}', axis=axis, keepDims=keep)
    case(name, name, [rng.integers(-2, 3, size=(2, 3, 4))], lambda x: fn(x, axis=[0, 2]), 'axes 0 and 2', axis=[0, 2], keepDims=False)
    case(name, name, [[1, nan, 3]], lambda x: fn(x), 'with NaN', axis=None, keepDims=False)
for name, fn in dict(cumsum=tf.cumsum, cumprod=tf.math.cumprod).items():
    for axis in (0, 1):
        for exclusive in (False, True):
            for reverse in (False, True):
                case(name, name, [rng.integers(1, 5, size=(2, 3))], lambda x: fn(x, axis, exclusive, reverse), f'axis {axis}{" exclusive" if exclusive else ""}{" reverse" if reverse else ""}', axis=axis, exclusive=exclusive, reverse=reverse)
case('cumprod', 'cumprod', [[0, 2, 0, 3]], lambda x: tf.math.cumprod(x), 'of zeros', axis=0, exclusive=False, reverse=False)
case('topk', 'topk', [[[1, 3, 5, 2], [4, 4, 4, 0]]], lambda x: tf.nn.top_k(x, 2).values, k=2)
case('topk', 'topk', [[1, 3, 5, 2]], lambda x: tf.nn.top_k(x, 3).values, 'of a vector, with gradients that are not finite', dy=[[inf, 1, nan]], k=3)
for mode in ('reflect', 'symmetric'):
    case('mirrorPad', 'mirrorPad', [rng.normal(size=(3, 4))], lambda x: tf.pad(x, [[1, 2], [2, 0]], mode), mode, paddings=[[1, 2], [2, 0]], mode=mode)
    case('mirrorPad', 'mirrorPad', [rng.normal(size=(5,))], lambda x: tf.pad(x, [[4, 3]], mode), mode + ' far', paddings=[[4, 3]], mode=mode)
case('pad', 'pad', [rng.normal(size=(3, 4))], lambda x: tf.pad(x, [[1, 2], [2, 0]]), paddings=[[1, 2], [2, 0]])
C = [[1, 0, 1], [0, 0, 1]]
case('where', 'where', [rng.normal(size=(2, 3)), rng.normal(size=(2, 3))], lambda a, b: tf.where(f(C) > 0, a, b), condition=C)
case('where', 'where', [rng.normal(size=(2, 3)), rng.normal(size=(2, 3))], lambda a, b: tf.where(f(C) > 0, a, b), 'with gradients that are not finite', dy=[[[inf, inf, nan], [-inf, nan, 0]]], condition=C)
case('where', 'where', [rng.normal(size=(3,)), rng.normal(size=())], lambda a, b: tf.where(f(C) > 0, a, b), 'broadcast', condition=C)
case('tile', 'tile', [rng.normal(size=(2, 3))], lambda x: tf.tile(x, [2, 3]), reps=[2, 3])
case('tile', 'tile', [rng.normal(size=(1, 2, 1, 2, 1))], lambda x: tf.tile(x, [2, 1, 2, 1, 3]), 'of rank 5', reps=[2, 1, 2, 1, 3])
case('broadcastTo', 'broadcastTo', [rng.normal(size=(3, 1))], lambda x: tf.broadcast_to(x, [2, 3, 4]), shape=[2, 3, 4])
case('softmax', 'softmax', [[[1, 2, 3], [1000, 0, -1000], [-inf, 0, 1], [nan, 0, 1]]], tf.nn.softmax)
case('logSoftmax', 'logSoftmax', [[[1, 2, 3], [1000, 0, -1000], [nan, 0, 1]]], tf.nn.log_softmax)
case('gather', 'gather', [rng.normal(size=(4, 3))], lambda x: tf.gather(x, [2, 0, 2]), indices=[2, 0, 2], axis=0)
case('gather', 'gather', [rng.normal(size=(4, 3))], lambda x: tf.gather(x, [2, 0, 2], axis=1), 'axis 1', indices=[2, 0, 2], axis=1)
case('gather', 'gather', [rng.normal(size=(2, 3, 2))], lambda x: tf.gather(x, [[1, 0], [2, 2]], axis=1), 'by a matrix', indices=[[1, 0], [2, 2]], axis=1)
case('gatherND', 'gatherND', [rng.normal(size=(3, 4))], lambda x: tf.gather_nd(x, [[1, 2], [0, 0], [1, 2]]), indices=[[1, 2], [0, 0], [1, 2]])
case('gatherND', 'gatherND', [rng.normal(size=(3, 4))], lambda x: tf.gather_nd(x, [[1], [1]]), 'rows', indices=[[1], [1]])
case('scatterND', 'scatterND', [rng.normal(size=(3,))], lambda u: tf.scatter_nd([[1], [4], [1]], u, [6]), indices=[[1], [4], [1]], shape=[6])
case('concat', 'concat', [rng.normal(size=(2, 3)), rng.normal(size=(2, 1))], lambda a, b: tf.concat([a, b], 1), axis=1)
case('stack', 'stack', [rng.normal(size=(2, 3)), rng.normal(size=(2, 3))], lambda a, b: tf.stack([a, b], 1), axis=1)
case('unstack', 'unstack', [rng.normal(size=(2, 3))], lambda x: tf.unstack(x, axis=1), axis=1)
case('unstack', 'unstack', [rng.normal(size=(2, 1))], lambda x: tf.unstack(x, axis=1), 'of one', axis=1)
case('split', 'split', [rng.normal(size=(4, 3))], lambda x: tf.split(x, 2, 0), 'whose second part is not used', dy=[rng.normal(size=(2, 3))], parts=2, axis=0)
case('split', 'split', [rng.normal(size=(4, 3))], lambda x: tf.split(x, 1, 0), 'into one', parts=1, axis=0)
case('slice', 'slice', [rng.normal(size=(4, 3))], lambda x: tf.slice(x, [1, 0], [2, -1]), begin=[1, 0], size=[2, -1])
case('stridedSlice', 'stridedSlice', [rng.normal(size=(5, 4))], lambda x: x[4:0:-2, 1:4:2], begin=[4, 1], end=[0, 4], strides=[-2, 2])
case('reverse', 'reverse', [rng.normal(size=(2, 3, 2))], lambda x: tf.reverse(x, [0, 2]), axis=[0, 2])
case('transpose', 'transpose', [rng.normal(size=(2, 3, 4))], lambda x: tf.transpose(x, [2, 0, 1]), perm=[2, 0, 1])
case('matMul', 'matMul', [rng.normal(size=(2, 3)), rng.normal(size=(4, 3))], lambda a, b: tf.matmul(a, b, transpose_b=True), transposeA=False, transposeB=True)
case('matMul', 'matMul', [rng.normal(size=(5, 2, 3)), rng.normal(size=(3, 4))], lambda a, b: tf.matmul(a, b), 'that broadcasts', transposeA=False, transposeB=False)
case('depthToSpace', 'depthToSpace', [rng.normal(size=(1, 2, 2, 4))], lambda x: tf.nn.depth_to_space(x, 2), blockSize=2)
case('spaceToBatchND', 'spaceToBatchND', [rng.normal(size=(1, 3, 4, 1))], lambda x: tf.space_to_batch_nd(x, [2, 2], [[1, 0], [0, 0]]), blockShape=[2, 2], paddings=[[1, 0], [0, 0]])
case('batchToSpaceND', 'batchToSpaceND', [rng.normal(size=(4, 2, 2, 1))], lambda x: tf.batch_to_space(x, [2, 2], [[1, 0], [0, 0]]), blockShape=[2, 2], crops=[[1, 0], [0, 0]])
P = rng.integers(0, 3, size=(1, 5, 5, 2))
P3 = rng.integers(0, 3, size=(2, 3, 4, 3, 2))
for pad in ('same', 'valid'):
    for size, strides in ((2, 2), (3, 1), (3, 2)):
        case('maxPool', 'maxPool', [P], lambda x: tf.nn.max_pool2d(x, size, strides, pad.upper()), f'{pad} {size} by {strides} with ties', size=size, strides=strides, pad=pad)
        case('avgPool', 'avgPool', [P], lambda x: tf.nn.avg_pool2d(x, size, strides, pad.upper()), f'{pad} {size} by {strides}', size=size, strides=strides, pad=pad)
        case('conv2d', 'conv2d', [rng.normal(size=(1, 5, 5, 2)), rng.normal(size=(size, size, 2, 3))], lambda x, w: tf.nn.conv2d(x, w, strides, pad.upper()), f'{pad} {size} by {strides}', strides=strides, pad=pad)
        case('depthwiseConv2d', 'depthwiseConv2d', [rng.normal(size=(1, 5, 5, 2)), rng.normal(size=(size, size, 2, 2))], lambda x, w: tf.nn.depthwise_conv2d(x, w, [1, strides, strides, 1], pad.upper()), f'{pad} {size} by {strides}', strides=strides, pad=pad)
    case('maxPool3d', 'maxPool3d', [P3], lambda x: tf.nn.max_pool3d(x, 2, 2, pad.upper()), f'{pad} with ties', size=2, strides=2, pad=pad)
    case('avgPool3d', 'avgPool3d', [P3], lambda x: tf.nn.avg_pool3d(x, 2, 2, pad.upper()), pad, size=2, strides=2, pad=pad)
case('maxPool', 'maxPool', [[[[[nan], [1]], [[2], [0]]]]], lambda x: tf.nn.max_pool2d(x, 2, 2, 'VALID'), 'of NaN', size=2, strides=2, pad='valid')
for align, half in ((False, False), (True, False), (False, True)):
    for out in ([5, 4], [2, 2]):
        note = f'to {out[0]}x{out[1]}{" aligned corners" if align else " half pixel centers" if half else ""}'
        case('resizeBilinear', 'resizeBilinear', [rng.normal(size=(1, 3, 3, 2))], lambda x: tf.raw_ops.ResizeBilinear(images=x, size=out, align_corners=align, half_pixel_centers=half), note, size=out, alignCorners=align, halfPixelCenters=half)
        case('resizeNearestNeighbor', 'resizeNearestNeighbor', [rng.normal(size=(1, 3, 3, 2))], lambda x: tf.raw_ops.ResizeNearestNeighbor(images=x, size=out, align_corners=align, half_pixel_centers=half), note, size=out, alignCorners=align, halfPixelCenters=half)
case('localResponseNormalization', 'localResponseNormalization', [rng.normal(size=(1, 2, 2, 5))], lambda x: tf.nn.local_response_normalization(x, 1, 1., .5, .75), depthRadius=1, bias=1, alpha=.5, beta=.75)
case('unsortedSegmentSum', 'unsortedSegmentSum', [rng.normal(size=(4, 2))], lambda x: tf.math.unsorted_segment_sum(x, [1, 0, -1, 1], 3), segmentIds=[1, 0, -1, 1], segments=3)
case('addN', 'addN', [rng.normal(size=(2,)), rng.normal(size=(2,)), rng.normal(size=(2,))], lambda *x: tf.add_n(x))
case('l2Loss', 'l2Loss', [EDGES], tf.nn.l2_loss)
json.dump(dict(tensorflow=tf.__version__, cases=cases), open(sys.argv[1], 'w'), separators=(',', ':'))
print(len(cases), 'cases')
