import type * as tf from '@tensorflow/tfjs-core';
import { type InterceptedCall, type Interceptor, interceptKernels, type Proceed } from './kernel-interceptor.js';
import type { RunHooks } from './model-side.js';

/** What a fault is told while it is injected. */
export interface InjectionSite {
  /** How many places of that kind the model has in this mode, by `training`; 0 where it is not known yet. */
  count(training: boolean): number;
  /** Says that the fault took effect, and where. */
  note(where: string): void;
}

/** A fault of migrations, which can be injected into any model that has a place for it. */
export interface Fault {
  readonly id: string;
  readonly title: string;
  /** What it stands for in real migrations. */
  readonly description: string;
  /** How the model's places for it are counted, where it is injected into one of several. */
  readonly counts?: (call: InterceptedCall) => boolean;
  /** As `counts`, for places that are assignments to variables. */
  readonly countsAssignments?: (variable: tf.Variable) => boolean;
  inject(site: InjectionSite): RunHooks;
}

/** Which of the places that a fault fits it is injected into. */
export type FaultPlace = 'first' | 'middle' | 'last' | number;

/** The place as a number, from 0. */
export function placeOf(place: FaultPlace, count: number): number {
  if (typeof place === 'number') return place;
  if (place === 'first' || count === 0) return 0;
  return place === 'last' ? count - 1 : Math.floor(count / 2);
}

/** What defines a fault in one op. */
export interface KernelFault {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** Whether a kernel call is a place for it. */
  readonly applies: (call: InterceptedCall) => boolean;
  /** Computes the faulty result. */
  readonly change: (call: InterceptedCall, proceed: Proceed) => tf.Tensor | tf.Tensor[];
  /** `middle` unless said. */
  readonly at?: FaultPlace;
}

const shapeText = ({ inputs }: InterceptedCall): string =>
  Object.values(inputs as Record<string, tf.Tensor | undefined>)
    .flatMap((tensor) => (tensor ? [`[${tensor.shape}]`] : []))
    .join(' ');

/** A fault in one of a model's ops, made by changing one kernel call. */
export function kernelFault({ id, title, description, applies, change, at = 'middle' }: KernelFault): Fault {
  return {
    id,
    title,
    description,
    counts: applies,
    inject: (site) => ({
      call: (_, body, training) => {
        const place = placeOf(at, site.count(training));
        let seen = 0;
        const kernel: Interceptor['kernel'] = (call, proceed) => {
          if (!applies(call) || seen++ !== place) return proceed();
          site.note(`${call.kernel} ${shapeText(call)}, place ${place}`);
          return change(call, proceed);
        };
        return interceptKernels({ kernel }, body);
      },
    }),
  };
}

/** Hooks that change nothing and count the places for faults, by fault and mode. */
export function countingHooks(faults: readonly Fault[], counts: Map<string, number>): RunHooks {
  return {
    call: (_, body, training) => {
      const seen = new Map<string, number>();
      const add = (id: string) => seen.set(id, (seen.get(id) ?? 0) + 1);
      const kernel: Interceptor['kernel'] = (call, proceed) => {
        for (const { id, counts: applies } of faults) if (applies?.(call)) add(id);
        return proceed();
      };
      const assign: Interceptor['assign'] = (variable, value) => {
        for (const { id, countsAssignments: applies } of faults) if (applies?.(variable)) add(id);
        return value;
      };
      const result = interceptKernels({ kernel, assign }, body);
      for (const [id, count] of seen) counts.set(countKey(id, training), count);
      return result;
    },
  };
}

/** The key under which the places for a fault in a mode are counted. */
export const countKey = (id: string, training: boolean): string => `${id} ${training}`;
