import { describe, expect, it } from 'vitest';
import { nameMap } from '../src/index.js';

describe('nameMap', () => {
  const map = nameMap([
    { exact: 'global_step', to: 'step' },
    { regex: 'tower_(\\d+)/(.*)/weights', to: '$2/kernel@$1' },
    { prefix: 'old/', to: 'new/scope/' },
  ]);

  it('renames, and leads back', () => {
    const names = ['global_step', 'tower_3/conv/a/weights', 'old/w', 'free'];
    const renamed = map.applyAll(names);
    expect([...renamed.values()]).toEqual(['step', 'conv/a/kernel@3', 'new/scope/w', 'free']);
    const back = map.inverse();
    expect([...renamed.values()].map((name) => back.apply(name))).toEqual(names);
  });

  it('leads every name back, those that no rule changed too', () => {
    const scopes = nameMap([
      { prefix: 'a/', to: 'x/' },
      { prefix: 'b/', to: 'x/y/' },
    ]);
    // By the rules alone, b/q would come back as a/y/q.
    expect(() => scopes.applyAll(['b/q'])).toThrow(expect.objectContaining({ code: 'Conflict' }));
    const names = ['a/q', 'x/z', 'global_step'];
    const back = scopes.inverse(names);
    expect(names.map((name) => back.apply(scopes.apply(name)))).toEqual(names);
    expect(scopes.inverse().apply('x/z')).toBe('a/z');
    const stripped = nameMap([{ prefix: 'net/', to: '' }]);
    expect(stripped.inverse(['net/w', 'global_step']).applyAll(['w', 'global_step'])).toEqual(
      new Map([
        ['w', 'net/w'],
        ['global_step', 'global_step'],
      ]),
    );
  });

  it('tries rules in their order, and says which is none', () => {
    const ordered = nameMap([
      { prefix: 'a/', to: 'p/' },
      { exact: 'a/b', to: 'whole' },
      { exact: 'c', to: 'd' },
    ]);
    expect(['a/b', 'c', 'e'].map((name) => ordered.apply(name))).toEqual(['p/b', 'd', 'e']);
    for (const rule of [{ from: 'a', to: 'b' }, { prefix: 'a' }, { prefix: 'a', exact: 'a', to: 'b' }, null, 'a=b']) {
      expect(() => nameMap([rule as never])).toThrow(expect.objectContaining({ code: 'InvalidArgument' }));
    }
  });

  it('refuses collisions, and rules that cannot be turned around', () => {
    expect(() => map.applyAll(['old/w', 'new/scope/w'])).toThrow('would both become new/scope/w');
    const code = 'InvalidArgument';
    for (const rule of [
      { regex: 'a.*b', to: 'x' },
      { regex: '(a)(b)', to: '$1' },
      { regex: '(a)', to: '$1$1' },
      { regex: '(a)+', to: '$1' },
      { regex: '((a))', to: '$1' },
      { regex: '(a', to: '$1' },
      { regex: 'a|b', to: 'c' },
    ]) {
      expect(() => nameMap([rule]), JSON.stringify(rule)).toThrow(expect.objectContaining({ code }));
    }
    const greedy = nameMap([{ regex: '(.*)_(.*)', to: '$1$2' }]);
    expect(() => greedy.applyAll(['a_b'])).toThrow(expect.objectContaining({ code: 'Conflict' }));
  });
});
