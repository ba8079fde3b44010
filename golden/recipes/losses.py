"""TF1's losses with weights and reductions, in a session. usage: python losses.py OUT.json"""
import os, sys, json
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np, tensorflow as tf, tensorflow.compat.v1 as v1
L, R = v1.losses, v1.losses.Reduction
labels = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
predictions = np.array([[.7, .2, .4], [.1, .5, .9]], np.float32)
logits = np.array([[2, -1, .5], [-3, 1, 4]], np.float32)
weights = {'one': 1.0, 'rows': np.array([[0.], [2.]], np.float32)}
reductions = dict(weighted_sum_by_nonzero_weights=R.SUM_BY_NONZERO_WEIGHTS, weighted_mean=R.MEAN, weighted_sum=R.SUM, weighted_sum_over_batch_size=R.SUM_OVER_BATCH_SIZE)
cases = []
with tf.Graph().as_default(), v1.Session() as s:
    for name, w in weights.items():
        for reduction, r in reductions.items():
            k = dict(weights=w, reduction=r); per_row = dict(k, weights=w if name == 'one' else w[:, 0])
            f = dict(absoluteDifference=L.absolute_difference(labels, predictions, **k), meanSquaredError=L.mean_squared_error(labels, predictions, **k), hingeLoss=L.hinge_loss(labels, logits, **k),
                     huberLoss=L.huber_loss(labels, logits, delta=1.5, **k), logLoss=L.log_loss(labels, predictions, **k), cosineDistance=L.cosine_distance(labels, predictions, axis=1, **k),
                     sigmoidCrossEntropy=L.sigmoid_cross_entropy(labels, logits, label_smoothing=.1, **k), softmaxCrossEntropy=L.softmax_cross_entropy(labels, logits, label_smoothing=.1, **per_row))
            cases.append(dict(weights=name, reduction=reduction, values={n: float(v) for n, v in s.run(f).items()}))
json.dump(dict(tensorflow=tf.__version__, labels=labels.tolist(), predictions=predictions.tolist(), logits=logits.tolist(), rows=[0., 2.], label_smoothing=.1, delta=1.5, cases=cases), open(sys.argv[1], 'w'), indent=1)
