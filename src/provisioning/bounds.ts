/**
 * What every account keeps to, although files, HTTP and commands each change a part of it: what it
 * becomes could be written in one file. What is beyond that no import would take.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccountDefinition } from '../charging/account.ts';
import { takesAnything } from './accounts.ts';
import { LIMITS } from './limits.ts';
import { type Finding, fieldOf, show } from './problem.ts';

/**
 * What `next` is beyond, each with its path within the account. What `stored`, which it was, is beyond
 * as well is passed over: such an account can still be changed, and brought back.
 */
export function outOfBounds(next: AccountDefinition, stored: AccountDefinition): Finding[] {
  const misplaced = (of: AccountDefinition) => [...outOfOrder(of), ...divided(of)];
  const before = new Set(misplaced(stored).map(({ path }) => fieldOf(path)));
  return [
    ...tooMany('buckets', { next, stored, what: 'buckets and limits' }),
    ...tooMany('subscribers', { next, stored, what: 'subscribers' }),
    ...misplaced(next).filter(({ path }) => !before.has(fieldOf(path))),
  ];
}

function tooMany(
  member: 'buckets' | 'subscribers',
  { next, stored, what }: { next: AccountDefinition; stored: AccountDefinition; what: string },
): Finding[] {
  const { length } = next[member];
  if (length <= Math.max(LIMITS[member], stored[member].length)) return [];
  return [{ path: [], found: `${length} ${what}`, expected: `at most ${LIMITS[member]}` }];
}

/** Buckets with a priority that no file may have, or that are not drawn before the last. */
function outOfOrder({ buckets }: AccountDefinition): Finding[] {
  const main = buckets.findLast(takesAnything);
  if (main === undefined) {
    const expected = 'money that never expires and pays for every rule';
    return [{ path: ['buckets'], found: 'none that takes what no other can', expected }];
  }
  const findings: Finding[] = [];
  for (const bucket of buckets) {
    const { id, priority, limits } = bucket;
    if (limits !== undefined) continue;
    const path = ['buckets', id, 'priority'];
    if (priority < 1 || priority > LIMITS.priority) {
      const found = `${priority}, to stay in order`;
      findings.push({ path, found, expected: `1 to ${LIMITS.priority}` });
    } else if (bucket !== main && priority >= main.priority) {
      const expected = `less than ${main.priority}: ${show(main.id)} is drawn last`;
      findings.push({ path, found: String(priority), expected });
    }
  }
  return findings;
}

/** Limits of identities that have not all of theirs in common, and so are no one subscriber. */
function divided({ buckets }: AccountDefinition): Finding[] {
  const limitsOf = new Map<string, string[]>();
  for (const { id, limits = [] } of buckets)
    for (const name of limits) limitsOf.set(name, [...(limitsOf.get(name) ?? []), id]);
  const findings: Finding[] = [];
  for (const { id, limits = [] } of buckets) {
    const [one = '', ...others] = limits;
    const has = limitsOf.get(one);
    const other = others.find((name) => !isDeepStrictEqual(limitsOf.get(name), has));
    if (other === undefined) continue;
    const found = `${show(one)} and ${show(other)} with other limits`;
    const expected = 'one subscriber, all of whose identities have its limits';
    findings.push({ path: ['buckets', id], found, expected });
  }
  return findings;
}
