/** Accounts, sessions and commits for the store's tests. */
import type { AccountDefinition, AccountRef, Bucket } from '../../src/charging/account.ts';
import type { ChargingRecord } from '../../src/charging/record.ts';
import type { Answered, Service, Session } from '../../src/charging/session.ts';
import type { Commit, Store } from '../../src/store/store.ts';

let count = 0;
/** A name that no other test uses. */
export const fresh = (prefix: string): string => `${prefix}-${++count}`;

export const money = (id = 'main'): Bucket => ({ id, unit: 'money', priority: 9, floor: 0 });

export function definitionOf(part: Partial<AccountDefinition> = {}): AccountDefinition {
  return {
    tenant: 'north',
    account: fresh('account'),
    plan: 'basic',
    status: 'active',
    buckets: [money()],
    subscribers: [],
    maxSessions: 100,
    ...part,
  };
}

export function serviceOf(part: Partial<Service> = {}): Service {
  return {
    ratingGroup: 10,
    serviceIds: [],
    rule: 'internet',
    planVersion: 3,
    unit: 'octets',
    price: { amount: 5, per: 1_048_576, increment: 102_400 },
    grant: {
      parts: [{ bucket: 'main', units: 10_485_760, amount: 50 }],
      units: 10_485_760,
      validUntil: 1_763_731_487_000,
      final: false,
    },
    used: 123_456_789,
    rated: 123_456_789,
    cost: 1_234,
    ...part,
  };
}

export function answeredOf(number: number): Answered {
  return {
    number,
    digest: 2 ** 53 - 1 - number,
    at: 1_763_727_887_000,
    answer: {
      outcome: 'success',
      level: 'services',
      services: [10, 20].map((ratingGroup) => ({
        ratingGroup,
        serviceIds: [],
        outcome: 'success',
        granted: { unit: 'octets', units: 10_485_760 },
        validitySeconds: 3_600,
        holdingSeconds: 600,
      })),
    },
  };
}

/** A session of two services and one answer, as a gateway's data session is stored. */
export function sessionOf(account: AccountRef, part: Partial<Session> = {}): Session {
  return {
    sessionId: 'pgw01.epc.mnc001.mcc999.3gppnetwork.org;1763727887;123456;42',
    account: { tenant: account.tenant, account: account.account },
    subscriber: { kind: 'e164', id: '999700000123' },
    client: {
      host: 'pgw01.epc.mnc001.mcc999.3gppnetwork.org',
      realm: 'epc.mnc001.mcc999.3gppnetwork.org',
    },
    context: '32251@3gpp.org',
    state: 'open',
    openedAt: 1_763_726_887_000,
    changedAt: 1_763_727_887_000,
    superviseAt: 1_763_735_087_000,
    armedAt: 1_763_731_487_000,
    services: [serviceOf(), serviceOf({ ratingGroup: 20 })],
    answers: [answeredOf(0)],
    seen: [[0, 0]],
    ...part,
  };
}

export function recordOf(account: AccountRef, part: Partial<ChargingRecord> = {}): ChargingRecord {
  return {
    kind: 'update',
    at: 1_763_727_887_000,
    account: { tenant: account.tenant, account: account.account },
    outcome: 'success',
    services: [],
    changes: [],
    ...part,
  };
}

/** An account that exists, and commits on it as they are decided right after reading it. */
export interface Desk {
  account: AccountRef;
  epoch: number;
  /** A session commit; `part.session` is completed. */
  change(
    key: string,
    expected: number,
    part?: Omit<Partial<Commit>, 'session'> & { session?: Partial<NonNullable<Commit['session']>> },
  ): Commit;
  /** A booking under an idempotency key. */
  book(key: string, part?: Partial<Commit>): Commit;
}

export async function openDesk(
  store: Store,
  openings: Record<string, number> = { main: 1_000 },
  part: Partial<AccountDefinition> = {},
): Promise<Desk> {
  const definition = definitionOf({ buckets: Object.keys(openings).map(money), ...part });
  const account = { tenant: definition.tenant, account: definition.account };
  await store.createAccount(definition, openings);
  const { epoch } = await store.load(account);
  const base = { account, epoch, accountVersion: 1, movements: [], record: recordOf(account) };
  return {
    account,
    epoch,
    change: (key, expected, { session, ...rest } = {}) => ({
      ...base,
      ...rest,
      session: {
        key,
        expected,
        value: sessionOf(account, { sessionId: key }),
        index: expected === 0 ? 'open' : 'keep',
        timer: expected === 0 ? 8_000_000_000_000 : 'keep',
        ...session,
      },
    }),
    book: (key, rest = {}) => ({
      ...base,
      ...rest,
      idempotency: { key, outcome: Uint8Array.of(1, 2, 3), ttlMs: 60_000 },
    }),
  };
}
