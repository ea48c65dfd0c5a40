/** What an answer tells its client beside the quota (TS 32.299 7.1.9, 7.2). */
import type { ServiceAnswer } from './answer.ts';
import type { Directives, Rule } from './plan.ts';
import type { Asked, Unit } from './request.ts';

/** Thresholds, and seconds, are Unsigned32 on the wire (TS 32.299 7.2.243). */
export const MAX_UNSIGNED32 = 0xffff_ffff;

const UNITS: readonly Unit[] = ['octets', 'seconds', 'units', 'money'];

/** The rule's directives as they fit a grant of `units`; undefined: nothing is told. */
export function directivesFor(
  { directives, unit, beside }: Rule,
  { units, final, first }: { units: number; final: boolean; first: boolean },
): Directives | undefined {
  if (directives === undefined) return undefined;
  const { threshold, consumptionSeconds, timeMechanism, envelopes, triggers } = directives;
  const inTime = unit === 'seconds' || beside?.seconds !== undefined;
  const told: Directives = {};
  const kept = threshold === undefined ? 0 : thresholdWithin(threshold, units);
  // There is nothing more to be asked for before final units are used up.
  if (kept > 0 && !final) told.threshold = kept;
  // TS 32.299 7.2.159, 7.2.230: with time only, and one mechanism at a time.
  if (inTime && timeMechanism !== undefined) told.timeMechanism = timeMechanism;
  else if (inTime && consumptionSeconds !== undefined) told.consumptionSeconds = consumptionSeconds;
  // TS 32.299 7.2.61: once, when the service begins.
  if (first && envelopes !== undefined) told.envelopes = envelopes;
  if (triggers !== undefined) told.triggers = triggers;
  return Object.keys(told).length === 0 ? undefined : told;
}

/**
 * A threshold is less than the grant (TS 32.299 7.2.243): one that is not becomes half of it, so
 * that a client with little left does not ask again at once.
 */
function thresholdWithin(threshold: number, units: number): number {
  const fitting = threshold < units ? threshold : Math.floor(units / 2);
  return Math.min(fitting, MAX_UNSIGNED32);
}

/** Units of other kinds that go with a grant: of those that the client named, if it named any. */
export function besideFor({ beside, unit }: Rule, asked: Asked): ServiceAnswer['beside'] {
  if (beside === undefined) return undefined;
  const names = Object.keys(asked).length > 0;
  let granted: ServiceAnswer['beside'];
  for (const other of UNITS) {
    const units = beside[other];
    if (units === undefined || other === unit) continue;
    if (!names || asked[other] !== undefined) granted = { ...granted, [other]: units };
  }
  return granted;
}
