import * as tf from '@tensorflow/tfjs-core';
import { backends, useBackend } from '@tfparity/testing';
import { Module, trackTf1StyleVariables } from '@tfparity/variables';
import { beforeAll, describe, expect, it } from 'vitest';
import { argScope, conv2d, nets } from '../src/index.js';

class Base extends Module {
  readonly call = trackTf1StyleVariables(function (
    this: Base,
    size: number,
    args: nets.InceptionResnetV2BaseArguments,
  ) {
    const weightsInitializer = (shape: number[]) => tf.zeros(shape);
    return argScope([conv2d], { weightsInitializer, biasesInitializer: null }, () =>
      nets.inceptionResnetV2Base(tf.ones([1, size, size, 3]), args),
    );
  });
}

const shapes = (size: number, args: nets.InceptionResnetV2BaseArguments) =>
  tf.tidy(() => {
    const { net, endPoints } = new Base().call(size, args);
    expect(net).toBe(Object.values(endPoints).at(-1));
    return Object.fromEntries(Object.entries(endPoints).map(([name, { shape }]) => [name, shape.slice(1)]));
  });

/** The plain JavaScript backend is tested for the layers that the net is made of. */
describe.each(backends.filter((name) => name !== 'cpu'))('inceptionResnetV2Base on %s', (backend) => {
  beforeAll(() => useBackend(backend));

  it('stops at the final end point', () => {
    expect(Object.keys(shapes(75, { finalEndpoint: 'MaxPool_3a_3x3' }))).toEqual([
      'Conv2d_1a_3x3',
      'Conv2d_2a_3x3',
      'Conv2d_2b_3x3',
      'MaxPool_3a_3x3',
    ]);
    expect(() => shapes(75, { finalEndpoint: 'Mixed_9' })).toThrow('final_endpoint (Mixed_9) not recognized');
  });

  it('aligns feature maps, and keeps them larger with an output stride of 8', () => {
    const wide = shapes(33, { finalEndpoint: 'Mixed_6a', alignFeatureMaps: true });
    expect(wide).toMatchObject({ Conv2d_1a_3x3: [17, 17, 32], Mixed_5b: [5, 5, 320], Mixed_6a: [3, 3, 1088] });
    const atrous = shapes(33, { finalEndpoint: 'PreAuxLogits', alignFeatureMaps: true, outputStride: 8 });
    expect(atrous).toMatchObject({ Mixed_6a: [5, 5, 1088], PreAuxLogits: [5, 5, 1088] });
  });

  it("refuses other output strides, in slim's words", () => {
    expect(() => shapes(33, { outputStride: 4 })).toThrow('output_stride must be 8 or 16.');
    expect(() => shapes(33, { outputStride: 8, alignFeatureMaps: true })).toThrow(
      'output_stride==8 is only supported up to the PreAuxlogits end_point for now.',
    );
  });
});
