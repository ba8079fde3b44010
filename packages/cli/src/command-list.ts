import type { CommandDefinition } from './command.js';

const VALUES: CommandDefinition['options'] = [
  ['--rtol <number>', 'Allowed relative difference; without any tolerance, the default of each dtype'],
  ['--atol <number>', 'Allowed absolute difference'],
  ['--max-ulps <number>', 'Allowed difference in representable values'],
];

const FILES: CommandDefinition['options'] = [
  ['--html <file>', 'Write the result as one self-contained page'],
  ['--junit <file>', 'Write the result as JUnit XML, for CI'],
];

/** Every command. The work of each is loaded when it is called, so that `--help` is there at once. */
export const COMMANDS: readonly CommandDefinition[] = [
  {
    usage: 'doctor',
    description: 'Say which TensorFlow.js backend works here, and why others do not',
    options: [['--backend <name>', 'Try this one only: tensorflow, wasm or cpu']],
    examples: ['doctor'],
    load: async () => (await import('./commands/doctor.js')).doctor,
  },
  {
    usage: 'inspect <file>',
    description: 'Show what is in a checkpoint, a model file or a TensorFlow graph',
    options: [
      ['--values', 'Read the values too: statistics and a histogram of each tensor'],
      ['--filter <text>', 'Only tensors whose name contains the text'],
    ],
    examples: ['inspect model.ckpt-7', 'inspect frozen.pb', 'inspect weights.safetensors --values --filter logits'],
    load: async () => (await import('./commands/inspect.js')).inspect,
  },
  {
    usage: 'diff <a> <b>',
    description: 'Compare the variables of two checkpoints, models or graphs: names, shapes, dtypes',
    options: [
      ['--values', 'Compare the values too, one tensor at a time'],
      ['--rename <rules>', 'Renames of A’s names: from=to (prefixes), or a JSON file of rules'],
      ['--order', 'Another order is a difference'],
      ...VALUES,
      ...FILES,
    ],
    examples: ['diff model.ckpt-7 weights.safetensors', 'diff a.npz b.npz --values --rename net/=InceptionResnetV2/'],
    load: async () => (await import('./commands/diff.js')).diff,
  },
  {
    usage: 'compare <actual> <expected>',
    description:
      'Compare arrays (npz, safetensors, golden bundles, checkpoints, JSON) or JSON traces, with full evidence',
    options: [
      ...VALUES,
      ['--filter <text>', 'Only arrays whose name contains the text'],
      ['--rename <rules>', 'Renames of the actual side’s names: from=to (prefixes), or a JSON file of rules'],
      ...FILES,
    ],
    examples: [
      'compare migrated.npz tf1.npz',
      'compare a.safetensors model.ckpt-7 --rtol 1e-6 --atol 1e-5 --html report.html',
    ],
    load: async () => (await import('./commands/compare.js')).compare,
  },
  {
    usage: 'convert <from> <to>',
    description: 'Write a checkpoint in another format',
    options: [
      ['--format <format>', 'V2, object, safetensors, npz or tfjs; by default what the ending says, else what it was'],
      ['--rename <rules>', 'Renames: from=to (prefixes), or a JSON file of renames and layout rules'],
      ['--inverse', 'The same rules the other way'],
      ['--filter <text>', 'Only tensors whose name contains the text'],
      ['--force', 'Replace what is there'],
    ],
    examples: ['convert model.ckpt-7 weights.safetensors', 'convert model.h5 ./out/model.ckpt --rename model/=net/'],
    load: async () => (await import('./commands/convert.js')).convert,
  },
  {
    usage: 'random <op>',
    description: 'Draw the numbers that a random op of TensorFlow draws from its seeds',
    options: [
      ['--shape <sizes>', 'Shape, such as 2,3; a scalar without it'],
      ['--seed <seed>', 'First seed (stateless ops: both, as a,b)'],
      ['--seed2 <seed>', 'Second seed'],
      ['--dtype <dtype>', 'dtype of the numbers'],
      ['--draws <count>', 'How many draws of the one op: 1'],
      ['--minval <number>', 'Integer ops: the least value'],
      ['--maxval <number>', 'Integer ops: one more than the greatest value'],
      ['--alpha <numbers>', 'RandomGamma'],
      ['--rate <numbers>', 'RandomPoissonV2'],
    ],
    examples: [
      'random RandomUniform --shape 3 --seed 42 --seed2 1',
      'random StatelessRandomNormal --shape 2,2 --seed 1,2',
    ],
    load: async () => (await import('./commands/random.js')).random,
  },
  {
    usage: 'validate <config>',
    description: 'Run the guide’s steps on two models: a module whose default export has both sides',
    options: [
      ['--steps <ids>', 'Only these steps, separated by commas'],
      ['--backend <name>', 'The TensorFlow.js backend: tensorflow, wasm or cpu'],
      ['--sensitivity', 'Inject faults and show which step catches each'],
      ['--out <file>', 'Write the result as JSON'],
      ...FILES,
    ],
    examples: ['validate migration.config.ts --html report.html'],
    load: async () => (await import('./commands/validate.js')).validate,
  },
  {
    usage: 'triage <config>',
    description: 'Name the op that makes two models differ, and say whether it is rounding or a bug',
    options: [
      ['--step <id>', 'Whose forward pass: by-name (the default), inference, training, golden:NAME, …'],
      ['--backend <name>', 'The TensorFlow.js backend: tensorflow, wasm or cpu'],
      ['--shadow', 'Hold both sides against a run in double precision, too (slow)'],
      ['--out <file>', 'Write the result as JSON'],
      ...FILES,
    ],
    examples: ['triage migration.config.ts --step training --html triage.html'],
    load: async () => (await import('./commands/triage.js')).triage,
  },
  {
    usage: 'report <result>',
    description: 'Make one self-contained page of a result (JSON of a run, validate, triage, compare or diff)',
    options: [
      ['--out <file>', 'The page; by default the result’s name with .html'],
      ['--title <text>', 'What was checked'],
    ],
    examples: ['report result.json --out report.html'],
    load: async () => (await import('./commands/report.js')).report,
  },
];
