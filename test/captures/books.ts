/**
 * Compares what a gateway was answered, what was recorded and what the accounts hold with the
 * reckoning. Requests that were under way together may have taken effect in any order: the records
 * say in which, and what was answered before another was sent must come before it.
 */
import { expect } from 'vitest';
import type { BucketChange, ChargingRecord } from '../../src/charging/record.ts';
import type { Exchange, Gateway } from './gateway.ts';
import { type Asked, readGranted } from './reading.ts';
import type { Moves, Reckoning } from './reckoning.ts';
import type { Service } from './service.ts';

/** The counters of an account as the reckoning has them. */
export function reckonedCounters(reckoning: Reckoning, account: string): Record<string, number> {
  const counters: Record<string, number> = { 'n:open': reckoning.openOn(account) };
  for (const [bucket, { available, reserved }] of reckoning.accounts.get(account) ?? []) {
    counters[`a:${bucket}`] = Number(available);
    counters[`r:${bucket}`] = Number(reserved);
  }
  return counters;
}

export interface Balanced {
  open: number;
  /** Counts of Result-Codes, those of services, grants and final units. */
  codes: Record<string, number>;
}

/** Everything of one gateway, after all of it was answered. */
export async function balance(
  gateway: Gateway,
  service: Service,
  records: readonly ChargingRecord[],
): Promise<Balanced> {
  const { exchanges, stall } = gateway;
  const reckoning = stall.reckoning();
  const known = new Map(exchanges.map((one) => [numbered(one), one] as const).reverse());
  const own = records.filter(
    ({ account, kind }) => account.tenant === stall.tenant && kind !== 'opening',
  );
  const recorded = new Set<Exchange>();
  const lastSent = new Map<string, number>();
  for (const record of own) {
    if (record.requestNumber === undefined) {
      expect({ record: record.kind, moves: movesOf(record.changes) }).toEqual({
        ...{ record: 'supervision', moves: reckoning.supervise(sessionOf(record)) },
      });
      continue;
    }
    const exchange = known.get(`${sessionOf(record)} ${record.requestNumber}`);
    if (exchange === undefined) throw new Error(`a record of nothing asked: ${record.kind}`);
    expect(recorded.has(exchange), 'a second record of one request').toBe(false);
    recorded.add(exchange);
    const { session } = exchange.asked;
    const before = lastSent.get(session) ?? 0;
    expect(exchange.answeredAt, 'answered before another was sent').toBeGreaterThan(before);
    lastSent.set(session, Math.max(before, exchange.sentAt));
    const crowded = overlapped(exchange, { exchanges, reckoning });
    const effect = reckoning.apply(exchange.asked, {
      putOff: crowded && wasPutOff(exchange),
      lastOnly: crowded && paidInMoney(record),
    });
    expect(seen(gateway, exchange, record)).toEqual({
      ...{ request: naming(exchange), answer: effect.answer, moves: effect.moves },
    });
  }
  for (const exchange of exchanges) {
    sameAnswers(exchange);
    if (!recorded.has(exchange)) withoutEffect(exchange, { known, recorded, reckoning, gateway });
  }
  for (const account of reckoning.accounts.keys())
    expect([account, await service.counters(stall.tenant, account)]).toEqual([
      ...[account, reckonedCounters(reckoning, account)],
    ]);
  const open = [...reckoning.sessions.values()].filter((session) => session.open).length;
  return { open, codes: codesOf(gateway) };
}

const numbered = ({ asked }: Exchange) => `${asked.session} ${asked.number}`;
const naming = ({ asked }: Exchange) => `${asked.kind} ${numbered({ asked } as Exchange)}`;

function sessionOf({ sessionId, subSessionId }: ChargingRecord): string {
  return [sessionId, subSessionId].join('\n');
}

function movesOf(changes: readonly BucketChange[]): Moves {
  return Object.fromEntries(
    changes.map(({ bucket, cause, available, reserved }) => [
      ...[`${bucket} ${cause}`, [available, reserved]],
    ]),
  );
}

function seen(gateway: Gateway, exchange: Exchange, record: ChargingRecord) {
  return {
    request: naming(exchange),
    answer: readGranted(exchange.answers[0]!, gateway.stall.digits),
    moves: movesOf(record.changes),
  };
}

/** Whether another request for the account was under way at the same time. */
function overlapped(
  { asked, sentAt, answeredAt }: Exchange,
  { exchanges, reckoning }: { exchanges: readonly Exchange[]; reckoning: Reckoning },
): boolean {
  const accountOf = ({ session }: Asked) => reckoning.sessions.get(session)?.account;
  const account = accountOf(asked);
  return exchanges.some(
    (other) =>
      other.asked !== asked &&
      other.sentAt < answeredAt &&
      other.answeredAt > sentAt &&
      (other.asked.session === asked.session || accountOf(other.asked) === account),
  );
}

/** Whether a request took effect without reserving anything: its client is to come back soon. */
function wasPutOff({ asked, answers }: Exchange): boolean {
  const { code, services } = readGranted(answers[0]!, 0);
  if (asked.kind === 'termination' || code !== 2001) return false;
  if (asked.services.every((one) => one.asked === undefined)) return false;
  return Object.values(services).some(({ granted, validity }) => granted < 0 && validity >= 0);
}

/** Whether no bundle was looked into for usage that was not granted. */
function paidInMoney({ changes }: ChargingRecord): boolean {
  const overrun = changes.filter(({ cause }) => cause === 'overrun');
  return overrun.length > 0 && overrun.every(({ bucket }) => bucket === 'main');
}

/** However often it is asked, the answer is the same but for the Hop-by-Hop Identifier. */
function sameAnswers({ answers }: Exchange): void {
  const [first, ...others] = answers.map((answer) => Buffer.from(answer).fill(0, 12, 16));
  for (const other of others) expect(other.equals(first!), 'the answer to a copy').toBe(true);
}

/** A request that left no record: a copy of one that did, or one that must be refused. */
function withoutEffect(
  exchange: Exchange,
  on: {
    known: ReadonlyMap<string, Exchange>;
    recorded: ReadonlySet<Exchange>;
    reckoning: Reckoning;
    gateway: Gateway;
  },
): void {
  const { asked, answers } = exchange;
  const { known, recorded, reckoning, gateway } = on;
  const { digits } = gateway.stall;
  const answer = readGranted(answers[0]!, digits);
  const first = known.get(numbered(exchange));
  if (first !== undefined && first !== exchange && recorded.has(first)) {
    const copy = first.asked.content === asked.content;
    const expected = copy ? readGranted(first.answers[0]!, digits) : { code: 5012, services: {} };
    expect([naming(exchange), answer]).toEqual([naming(exchange), expected]);
    return;
  }
  // It may have come before the session was opened, or after it ended, only if they overlapped.
  const ofSession = [...recorded].filter((other) => other.asked.session === asked.session);
  const openedAt = ofSession.find((other) => other.asked.kind === 'initial')?.answeredAt;
  const endedAt = ofSession.find((other) => other.asked.kind === 'termination')?.sentAt;
  const wasOpen =
    (openedAt ?? Infinity) < exchange.sentAt && (endedAt ?? Infinity) > exchange.answeredAt;
  expect([naming(exchange), wasOpen]).toEqual([naming(exchange), false]);
  const overlapped = asked.kind !== 'initial' && openedAt !== undefined && asked.kind !== 'event';
  const expected = overlapped ? 5002 : reckoning.apply(asked).answer.code;
  expect([naming(exchange), answer]).toEqual([naming(exchange), { code: expected, services: {} }]);
}

function codesOf({ exchanges, stall }: Gateway): Record<string, number> {
  const codes: Record<string, number> = {};
  const count = (name: string) => {
    codes[name] = (codes[name] ?? 0) + 1;
  };
  for (const { answers } of exchanges) {
    const { code, services } = readGranted(answers[0]!, stall.digits);
    count(String(code));
    for (const one of Object.values(services)) {
      count(`service ${one.code}`);
      if (one.granted > 0) count('granted');
      if (one.final) count('final');
    }
  }
  return codes;
}
