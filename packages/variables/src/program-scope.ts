import { currentContext } from './context.js';
import { getVariableScope } from './variable-scope.js';

const withoutNumber = (scope: string) => scope.slice(scope.lastIndexOf('/') + 1).replace(/_\d+$/, '');

/**
 * Where the program is, without a trailing slash: its variable scope where the op name scope ends alike (those of eager
 * code are not numbered, and a scope that is opened again by its object is nested in itself), else the op name scope.
 */
export function programScope(): string {
  const names = currentContext().names.current.replace(/\/$/, '');
  const variables = getVariableScope().name;
  return variables !== '' && withoutNumber(names) === withoutNumber(variables) ? variables : names;
}
