// What session.run is asked for (python/client/session.py _FetchHandler, TF 2.21).
import * as tf from '@tensorflow/tfjs-core';
import type { Graph } from './graph.js';
import { GraphError, isGraphError } from './graph-error.js';
import { describeTensor, Operation, type OutputRef, symbolOf } from './operation.js';

/** What a session can be asked for: tensors, variables, ops, names, and arrays and objects of them. */
export type Fetches = tf.Tensor | Operation | string | readonly Fetches[] | { readonly [name: string]: Fetches };

/** What a session returns for what it was asked for: the same structure, with null where an op stood. */
export type FetchResult<F> = 0 extends 1 & F
  ? // tfjs's ops infer "any" where their result is destructured; such a fetch is a tensor.
    tf.Tensor
  : F extends Operation
    ? null
    : F extends tf.Tensor
      ? tf.Tensor
      : F extends `${string}:${number}`
        ? tf.Tensor
        : F extends string
          ? tf.Tensor | null
          : { -readonly [K in keyof F]: FetchResult<F[K]> };

/** Fetches, resolved. */
export interface ResolvedFetches {
  readonly refs: readonly OutputRef[];
  readonly targets: readonly Operation[];
  /** Puts the values of `refs` into the structure of the fetches. */
  rebuild(values: readonly tf.Tensor[]): unknown;
}

type Rebuild = (values: readonly tf.Tensor[]) => unknown;

/** Finds out what fetches mean. @throws {GraphError} `NotFound` or `OtherGraph` in TensorFlow's words, `WrongValue` */
export function resolveFetches(graph: Graph, fetches: Fetches): ResolvedFetches {
  const refs: OutputRef[] = [];
  const targets: Operation[] = [];
  const one = (item: OutputRef | Operation): Rebuild => {
    if (item instanceof Operation) {
      targets.push(item);
      return () => null;
    }
    const at = refs.push(item) - 1;
    return (values) => values[at];
  };
  const visit = (fetch: Fetches): Rebuild => {
    if (typeof fetch === 'string' || fetch instanceof Operation || fetch instanceof tf.Tensor) {
      return one(resolveOne(graph, fetch));
    }
    if (Array.isArray(fetch)) {
      const parts = (fetch as readonly Fetches[]).map(visit);
      return (values) => parts.map((part) => part(values));
    }
    if (fetch === null || typeof fetch !== 'object') {
      throw new GraphError(
        'WrongValue',
        `Argument \`fetch\` = ${String(fetch)} has invalid type "${fetch === null ? 'null' : typeof fetch}" must be a ` +
          'string, Tensor, Operation or Variable, or an array or object of them.',
      );
    }
    const parts = Object.entries(fetch as { readonly [name: string]: Fetches }).map(
      ([name, part]) => [name, visit(part)] as const,
    );
    return (values) => Object.fromEntries(parts.map(([name, part]) => [name, part(values)]));
  };
  const rebuild = visit(fetches);
  return { refs, targets, rebuild };
}

function resolveOne(graph: Graph, fetch: string | Operation | tf.Tensor): OutputRef | Operation {
  if (typeof fetch === 'string') {
    try {
      if (fetch.includes(':')) return graph.getTensorByName(fetch).op.symbolicId(Number(fetch.split(':')[1]));
      return graph.getOperationByName(fetch);
    } catch (error) {
      if (!isGraphError(error)) throw error;
      throw notInterpretable(fetch, `"${error.message}"`, 'NotFound', error);
    }
  }
  if (fetch instanceof Operation) {
    if (fetch.graph === graph) return fetch;
    const said = `Operation ${fetch} is not an element of this graph.`;
    throw notInterpretable(String(fetch), said, 'OtherGraph');
  }
  const symbol = symbolOf(fetch);
  if (symbol?.op.graph === graph) return symbol;
  const what = symbol === undefined ? `an eager tensor of shape [${fetch.shape}]` : describeTensor(symbol);
  throw notInterpretable(what, `Tensor ${what} is not an element of this graph.`, 'OtherGraph');
}

function notInterpretable(what: string, why: string, code: 'NotFound' | 'OtherGraph', cause?: unknown): GraphError {
  const message = `Argument \`fetch\` = ${what} cannot be interpreted as a Tensor. (${why})`;
  return new GraphError(code, message, { fetch: what }, { cause });
}
