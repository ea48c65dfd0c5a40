/** The record that an account's opening amounts are accounted for by. */
import type { AccountDefinition } from '../charging/account.ts';
import type { ChargingRecord } from '../charging/record.ts';
import { checkFigure } from './commit-check.ts';

/** Throws TypeError when an amount is not exact or belongs to no bucket of the account. */
export function openingRecord(
  definition: AccountDefinition,
  openings: Readonly<Record<string, number>>,
  at: number,
): ChargingRecord {
  const { tenant, account, buckets } = definition;
  for (const [bucket, amount] of Object.entries(openings)) {
    if (!buckets.some(({ id }) => id === bucket)) throw new TypeError(`no bucket ${bucket}`);
    checkFigure(amount);
  }
  return {
    kind: 'opening',
    at,
    account: { tenant, account },
    outcome: 'success',
    services: [],
    changes: buckets
      .filter(({ id }) => (openings[id] ?? 0) !== 0)
      .map(({ id }) => ({
        bucket: id,
        cause: 'opening',
        available: openings[id] as number,
        reserved: 0,
      })),
  };
}

/** The record that opens an epoch; `reference` is the last record before it. */
export function epochRecord(at: number, reference?: string): ChargingRecord {
  return {
    kind: 'epoch',
    at,
    account: { tenant: '', account: '' },
    outcome: 'success',
    services: [],
    changes: [],
    ...(reference === undefined ? {} : { reference }),
  };
}
