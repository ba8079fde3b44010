// A run's result as a reference migration writes it, small: three end points, eight logits.

/** Distances of one end point: of both sides, and of the TF1 side from the recording. */
export interface Distances {
  sides: number | null;
  golden: number | null;
}

const distance = (d: number | null) => ({ maxAbsoluteDifference: d, bitIdentical: d === 0 });

/** A step that ran the whole net; an infinite distance is null, as JSON has it. */
export function netStep(id: string, passed: boolean, distances: readonly Distances[]) {
  const tf1 = [0.5, -1, 2, 3, -4, 5.5, 0, 1e-3].map(Math.fround);
  const differs = distances.some(({ sides }) => sides !== 0);
  return {
    id,
    title: `The step ${id}`,
    passed,
    seconds: 1.5,
    lines: ['regularization loss: TF1 1.25, migrated 1.25', 'a line <b>of markup</b>'],
    regularizationLoss: { tf1: 1.25, migrated: 1.25, published: 1.2500001 },
    logits: { tf1, migrated: differs ? tf1.map((v) => Math.fround(v * (1 + 3e-7))) : tf1 },
    endPoints: distances.map(({ sides, golden }, i) => ({
      name: `Mixed_${i}`,
      shape: [1, 8, 8, 4],
      sides: distance(sides),
      golden: { ...distance(golden), passed: golden !== null && golden < 1e-3 },
    })),
    golden: { variables: { count: 1114, identical: 1113 } },
  };
}

/** A whole run. */
export function runResult(...steps: ReturnType<typeof netStep>[]) {
  return {
    backend: 'tensorflow',
    versions: { node: '20.20.2', tfjs: '4.22.0', tensorflow: '2.21.0' },
    seconds: 61,
    passed: steps.every(({ passed }) => passed),
    steps,
  };
}

/** Identical at every end point. */
export const SAME: readonly Distances[] = [0, 0, 0].map((d) => ({ sides: d, golden: d }));
/** Drifts away, and ends in an infinity. */
export const DRIFT: readonly Distances[] = [
  { sides: 0, golden: 1e-7 },
  { sides: 3e-6, golden: 2e-5 },
  { sides: null, golden: 0.5 },
];
