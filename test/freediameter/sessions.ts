/**
 * A thousand sessions of a hundred subscribers, and what they must cost: an independent
 * calculation, from nothing but the plan's price, the accounts' openings and what was reported.
 */
import assert from 'node:assert/strict';
import { all, avp, group, only, type Parsed, parseAVPs, resultCode } from '../peer/raw.ts';
import type { Agent } from './agent.ts';
import type { Gateway } from './gateway.ts';
import { ACCOUNTS, OPENING, REALM } from './service.ts';

export const SESSIONS = 1000;
/** Copies that the clients send although nothing was lost: see `runSession`. */
export const NEEDLESS_COPIES = 0.8 * SESSIONS;
const AT_ONCE = 150;

export const INITIAL = 1;
export const UPDATE = 2;
export const TERMINATION = 3;
/** Rating groups. */
export const PAID = 1;
export const BUNDLED = 2;
const ASKED_OCTETS = 500_000;
/** 0.05 EUR a MiB by the KiB begun, in millionths of a euro. */
const PRICE = { amount: 50_000n, per: 1_048_576n, increment: 1024n };

/** Octets that a session reports: with its first update, its second, and at its end. */
export function usageOf(session: number): { paid: number[]; bundled: number[] } {
  return {
    // Every fiftieth runs over what it was granted.
    paid: [100_000 + 37 * session, session % 50 === 7 ? 700_001 : 13 * session, session],
    bundled: [5 * session, 50_000 + session, 999],
  };
}

/** 0 to `count` - 1. */
export function numbersTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}

/** What each account must have left when these sessions are over. */
export function expectedBalances(sessions: Iterable<number>): { bundle: number; main: number }[] {
  const left = Array.from({ length: ACCOUNTS }, () => ({ ...OPENING }));
  for (const session of sessions) {
    const account = left[session % ACCOUNTS]!;
    const { paid, bundled } = usageOf(session);
    account.bundle -= sum(bundled);
    account.main -= Number(costOf(BigInt(sum(paid))));
  }
  return left;
}

function costOf(octets: bigint): bigint {
  const { amount, per, increment } = PRICE;
  const counted = (octets + increment - 1n) / increment;
  return (counted * increment * amount + per - 1n) / per;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * Runs these sessions through the agent, 150 at a time. `onAnswer` is told how many requests are
 * answered so far; returned is how many each identity answered.
 */
export async function runSessions(
  sessions: readonly number[],
  {
    gateway,
    agent,
    onAnswer,
  }: { gateway: Gateway; agent: Agent; onAnswer?: (answered: number) => void },
): Promise<ReadonlyMap<string, number>> {
  const answers = new Map<string, number>();
  let answered = 0;
  const send: Send = async (avps, { endToEnd = gateway.nextEndToEnd(), again = false } = {}) => {
    const answer = await gateway.insist(avps, agent, { endToEnd, again });
    const worker = String(only(answer, 264));
    answers.set(worker, (answers.get(worker) ?? 0) + 1);
    onAnswer?.(++answered);
    return answer;
  };
  const queue = [...sessions];
  const lane = async () => {
    try {
      for (let next = queue.shift(); next !== undefined; next = queue.shift())
        await runSession(next, gateway, send);
    } finally {
      // After a failure nothing more is begun.
      queue.length = 0;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return answers;
}

type Send = (
  avps: readonly Buffer[],
  how?: { endToEnd?: number; again?: boolean },
) => Promise<Parsed>;

async function runSession(session: number, gateway: Gateway, send: Send): Promise<void> {
  const usage = usageOf(session);
  let host: Buffer[] = [];
  for (const [number, type] of [INITIAL, UPDATE, UPDATE, TERMINATION].entries()) {
    const last = type === TERMINATION;
    const reported = (octets: readonly number[]) => ({
      last,
      ...(type === INITIAL ? {} : { used: octets[number - 1]! }),
    });
    const avps = creditControl(gateway, { session, type, number }, [
      ...host,
      ...(type === INITIAL ? [subscriber(session)] : []),
      service(PAID, reported(usage.paid)),
      service(BUNDLED, reported(usage.bundled)),
    ]);
    const endToEnd = gateway.nextEndToEnd();
    const sendCopy = () => send(avps, { endToEnd, again: true });
    // Every tenth sends a copy at the same time; every tenth when it has the answer already.
    const [copy, answer] = await Promise.all([
      session % 10 === number ? sendCopy() : undefined,
      send(avps, { endToEnd }),
    ]);
    judge(answer, { session, type, number, granted: !last });
    if (copy !== undefined) assertSame(copy, answer);
    if (session % 10 === 4 + number) assertSame(await sendCopy(), answer);
    // Half of the clients address the rest of a session to the host that answered its first.
    if (type === INITIAL && session % 2 === 1) host = [avp(293, only(answer, 264))];
  }
}

export function creditControl(
  gateway: Gateway,
  { session, type, number }: { session: number | string; type: number; number: number },
  more: readonly Buffer[],
): Buffer[] {
  return [
    avp(263, sessionId(session)),
    ...gateway.origin,
    avp(283, REALM),
    avp(258, 4),
    avp(461, '32251@3gpp.org'),
    avp(416, type),
    avp(415, number),
    ...more,
  ];
}

function sessionId(session: number | string): string {
  return `client.gw.example;1;${session}`;
}

export function subscriber(session: number): Buffer {
  const number = 491_700_000_000 + (session % ACCOUNTS);
  return group(443, [avp(450, 0), avp(444, String(number))]);
}

export function service(
  ratingGroup: number,
  { used, last = false }: { used?: number; last?: boolean },
): Buffer {
  return group(456, [
    ...(last ? [] : [group(437, [octets(ASKED_OCTETS)])]),
    ...(used === undefined ? [] : [group(446, [octets(used)])]),
    avp(432, ratingGroup),
  ]);
}

function octets(amount: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(amount));
  return avp(421, bytes);
}

/** What every answer must say. */
function judge(
  answer: Parsed,
  asked: { session: number; type: number; number: number; granted: boolean },
): void {
  assert.equal(resultCode(answer), 2001);
  assert.equal(String(only(answer, 263)), sessionId(asked.session));
  assert.equal(String(only(answer, 296)), REALM);
  assert.equal(only(answer, 416).readUInt32BE(), asked.type);
  assert.equal(only(answer, 415).readUInt32BE(), asked.number);
  const services = all(answer, 456).map((data) => parseAVPs(data));
  const groups = services.map((members) => only(members, 432).readUInt32BE());
  assert.deepEqual(groups.sort(), [PAID, BUNDLED]);
  for (const members of services) {
    assert.equal(only(members, 268).readUInt32BE(), 2001);
    const granted = all(members, 431).map((data) => only(parseAVPs(data), 421).readBigUInt64BE());
    assert.deepEqual(granted, asked.granted ? [BigInt(ASKED_OCTETS)] : []);
  }
}

/**
 * Two answers that may differ in nothing but who gives them: Origin-Host, Origin-State-Id, and the
 * Route-Record that freeDiameter puts into answers, too.
 */
function assertSame(one: Parsed, other: Parsed): void {
  const told = ({ avps }: Parsed) =>
    avps
      .filter(({ code }) => ![264, 278, 282].includes(code))
      .map(({ bytes }) => bytes.toString('hex'));
  assert.deepEqual(told(one), told(other));
}
