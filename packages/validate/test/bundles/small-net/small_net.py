"""Makes this folder's bundle with TensorFlow 2.21: python small_net.py [OUT [SALT]]; tfparity_capture.py must be on PYTHONPATH."""
import os
import sys
os.environ['TF_USE_LEGACY_KERAS'] = '1'
os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'
import numpy as np
import tensorflow as tf
import tensorflow.compat.v1 as v1
import tfparity_capture

OUT = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(os.path.abspath(__file__))
SALT = int(sys.argv[2]) if len(sys.argv) > 2 else 0


def net(images, training):
    # Keras's own default initializers draw from Python's random; TF1's take the test tool's seeds.
    with v1.variable_scope('net', initializer=v1.glorot_uniform_initializer()):
        l2 = v1.keras.regularizers.l2(0.01)
        x = v1.layers.conv2d(images, 6, 3, strides=2, padding='same', kernel_regularizer=l2, name='conv')
        x = v1.layers.batch_normalization(x, momentum=0.9, training=training, name='norm')
        x = tf.nn.relu(x)
        branches = [
            v1.layers.conv2d(x, 3, 1, activation=tf.nn.relu, name='a'),
            v1.layers.conv2d(x, 3, 3, padding='same', activation=tf.nn.relu, name='b'),
        ]
        x = tf.concat(branches, 3)
        x = v1.layers.flatten(v1.layers.average_pooling2d(x, 2, 2))
        x = v1.layers.dropout(x, rate=0.25, training=training)
        logits = v1.layers.dense(x, 4, name='logits')
    return {'logits': logits, 'endPoints': {'branches': branches, 'predictions': tf.nn.softmax(logits)}}


def main():
    data = np.random.RandomState(7 + SALT).uniform(-1, 1, (2, 9, 9, 3)).astype(np.float32)
    capture = tfparity_capture.Capture(OUT)
    for name, training in (('infer', False), ('train', True)):
        with capture.random(mode='num_random_ops', seed=42 + SALT), tf.Graph().as_default():
            images = v1.placeholder(tf.float32, [2, 9, 9, 3])
            outputs = net(images, training)
            variables = v1.trainable_variables()
            gradients = dict(zip([v.op.name for v in variables], tf.gradients(tf.reduce_sum(outputs['logits'] ** 2), variables)))
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                capture.run(session, name, inputs={images: data}, outputs=outputs, training=training, gradients=gradients)
    capture.write()


main()
