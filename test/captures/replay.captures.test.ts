/**
 * Captured traffic charged anew: each capture's credit control is sent to two workers as its
 * gateway sent it, and the answers, the records and the accounts are compared with a reckoning of
 * their own. What we put on the wire is judged by a strict parser and by tshark.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Schedule } from '../../src/trace/pace.ts';
import { ProblemLog } from '../../src/trace/problem.ts';
import { openTrace } from '../../src/trace/trace.ts';
import type { TraceEntry } from '../../src/trace/trace-file.ts';
import { ALLOWED, judgeAnswer } from './answer-grammar.ts';
import { type Balanced, balance, reckonedCounters } from './books.ts';
import { CREDIT_CONTROL, files, folder, pathOf, tshark } from './folder.ts';
import { Gateway } from './gateway.ts';
import { type Market, marketFor } from './market.ts';
import { readAsked } from './reading.ts';
import { Service } from './service.ts';
import { type Passed, WORKER, writePcap } from './wire.ts';

/** Of a longer capture only so many requests are sent. */
const MOST = 4_000;
/** A capture that took longer is sent faster, to take about so long; and once in a great hurry. */
const PACED_MS = 1_500;
const HURRIED_MS = 100;
/** How long silent sessions live where that is what is shown. */
const SUPERVISION = '3 s';
const LIMIT_MS = 120_000;

interface Capture {
  name: string;
  entries: TraceEntry[];
  /** By tshark. */
  seen: number;
  complaint: string | undefined;
}

async function load(name: string): Promise<Capture> {
  const { lines, complaint } = await tshark(pathOf(name), [
    ...[
      '-Y',
      CREDIT_CONTROL,
      '-T',
      'fields',
      '-E',
      'occurrence=a',
      '-e',
      'diameter.CC-Request-Type',
    ],
  ]);
  const trace = await openTrace(pathOf(name));
  const entries: TraceEntry[] = [];
  for await (const entry of trace?.entries(new ProblemLog()) ?? []) entries.push(entry);
  return { name, entries, seen: lines.flatMap((line) => line.split(',')).length, complaint };
}

const captures = await Promise.all(files.map(load));
const charged = captures.filter(({ entries }) => entries.length > 0);

test(`credit control is found in ${folder}`, () => {
  const each = captures.map(({ name, complaint = 'no credit control' }) => `${name}: ${complaint}`);
  expect(charged.length, `nothing to charge:\n${each.join('\n')}\n`).toBeGreaterThan(0);
});

test.for(captures)('$name: every request that tshark sees is sent', ({ entries, seen }) => {
  expect(entries.length).toBe(seen);
});

describe.each(charged)('$name', ({ entries: whole }) => {
  const entries = whole.slice(0, MOST);

  test('in order, each answer awaited, every balance looked at after it', {
    timeout: LIMIT_MS,
  }, async () => {
    const ended = await conduct(marketFor(entries), entries, async (gateway, service) => {
      const reckoning = gateway.stall.reckoning();
      let worker = 0;
      for (const entry of entries) {
        const { asked, answers } = await gateway.ask(entry, worker++);
        reckoning.apply(asked);
        const account = reckoning.sessions.get(asked.session)?.account;
        if (account === undefined) continue;
        const counters = await service.counters(gateway.stall.tenant, account);
        expect([worker, answers.length, counters]).toEqual([
          ...[worker, 1, reckonedCounters(reckoning, account)],
        ]);
      }
    });
    const { poor, priced } = ended;
    const short = ['final', 'service 4012', '4012'].map((code) => poor?.codes[code] ?? 0);
    expect(Math.max(...short) > 0).toBe((priced?.codes.granted ?? 0) > 0);
  });

  test.each([
    ['at its own pace', PACED_MS],
    ['in a hurry', HURRIED_MS],
  ])('%s, waiting for no answer', { timeout: LIMIT_MS }, async (_name, lastsMs) => {
    const span = (entries.at(-1)!.atUs - entries[0]!.atUs) / 1000;
    await conduct(marketFor(entries), entries, async (gateway) => {
      const speed = Math.max(1, span / lastsMs);
      const schedule = new Schedule({ kind: 'original', speed }, performance.now());
      const asked: Promise<unknown>[] = [];
      for (const [index, entry] of entries.entries()) {
        const due = (schedule.dueAt(entry, 0) ?? 0) - performance.now();
        if (due > 0) await pause(due);
        asked.push(gateway.ask(entry, index));
      }
      await Promise.all(asked);
    });
  });

  test('every request twice, the copy with the T flag at the other worker', {
    timeout: LIMIT_MS,
  }, async () => {
    await conduct(marketFor(entries), entries, async (gateway) => {
      const last = new Map<string, Promise<unknown>>();
      for (const [index, entry] of entries.entries()) {
        const before = last.get(entry.session) ?? Promise.resolve();
        const copy = index % 3 === 0 ? 'after' : 'at once';
        last.set(
          entry.session,
          before.then(() => gateway.ask(entry, index, copy)),
        );
      }
      await Promise.all(last.values());
    });
  });

  test('sessions whose client falls silent are closed by supervision', {
    timeout: LIMIT_MS,
  }, async () => {
    const left = entries.filter(({ request }) => readAsked(request, 0).kind !== 'termination');
    const market = marketFor(left, SUPERVISION);
    const sessions = Map.groupBy(left, ({ session }) => session);
    const ended = await conduct(market, left, async (gateway, service) => {
      let worker = 0;
      for (const session of sessions.values())
        for (const entry of session) await gateway.ask(entry, worker++);
      while ((await service.timers()) > 0) await pause(20);
    });
    for (const { open } of Object.values(ended)) expect(open).toBe(0);
  });
});

/** Sends for all tenants at once, then looks at everything. Returns what it came to by tenant. */
async function conduct(
  market: Market,
  entries: readonly TraceEntry[],
  send: (gateway: Gateway, service: Service) => Promise<void>,
): Promise<Record<string, Balanced>> {
  const service = await Service.start(market.yaml);
  try {
    const passed: Passed[] = [];
    const origin = originOf(entries[0]!);
    const to = { ports: service.ports, passed, origin };
    const gateways = await Promise.all(market.stalls.map((stall) => Gateway.open(stall, to)));
    await Promise.all(gateways.map((gateway) => send(gateway, service)));
    const balanced = await look(gateways, service);
    await Promise.all(gateways.map((gateway) => gateway.close()));
    await judgeWire(passed, gateways);
    return balanced;
  } finally {
    await service.stop();
  }
}

async function look(
  gateways: readonly Gateway[],
  service: Service,
): Promise<Record<string, Balanced>> {
  for (const { exchanges } of gateways)
    for (const { requests, answers } of exchanges)
      for (const [index, answer] of answers.entries()) judgeAnswer(answer, requests[index]!);
  const records = await service.records();
  const balanced: Record<string, Balanced> = {};
  for (const gateway of gateways)
    balanced[gateway.stall.tenant] = await balance(gateway, service, records);
  const open = Object.values(balanced).reduce((sum, one) => sum + one.open, 0);
  expect(await service.timers()).toBe(open);
  const { clean, findings, sessions } = await service.audit();
  expect({ clean, findings, sessions }).toEqual({ clean: true, findings: [], sessions: open });
  expect(service.complaints).toEqual([]);
  for (const gateway of gateways)
    for (const { asked } of gateway.exchanges.slice(0, 10))
      for (const identity of asked.identities)
        expect(service.logged.join('')).not.toContain(identity.replace(/^\w+:/, ''));
  return balanced;
}

function originOf({ request }: TraceEntry): { originHost: string; originRealm: string } {
  const text = (code: number): string => {
    for (let at = 20; at + 8 <= request.length; ) {
      const length = request.readUIntBE(at + 5, 3);
      if (request.readUInt32BE(at) === code) return request.toString('utf8', at + 8, at + length);
      at += Math.ceil(length / 4) * 4;
    }
    return '';
  };
  return { originHost: text(264), originRealm: text(296) };
}

/** tshark finds every answer, knows all that is in it, and has nothing to say against it. */
async function judgeWire(passed: readonly Passed[], gateways: readonly Gateway[]): Promise<void> {
  const where = mkdtempSync(join(tmpdir(), 'tk-captures-'));
  try {
    const file = join(where, 'sent.pcap');
    writePcap(file, passed);
    const filter = `ip.src==${WORKER}`;
    const [told, complaints] = await Promise.all([
      tshark(file, ['-Y', filter, '-V', '-O', 'diameter']),
      tshark(file, ['-q', '-z', `expert,warn,${filter}`]),
    ]);
    expect([told.complaint, ...complaints.lines]).toEqual([undefined]);
    const suspicious = /expert info|malformed|undecoded|\bunknown\b/i;
    const lines = told.lines.map((line) => line.trim());
    expect(lines.filter((line) => suspicious.test(line))).toEqual([]);
    const names = lines.flatMap((line) => /^AVP: (.+?)\(\d+\)/.exec(line)?.[1] ?? []);
    expect(names.filter((name) => !ALLOWED.has(name))).toEqual([]);
    const found = lines.filter((line) => line === 'Command Code: Credit-Control (272)');
    const answers = gateways.flatMap(({ exchanges }) => exchanges.flatMap((one) => one.answers));
    expect(found.length).toBe(answers.length);
    expect(names.length).toBeGreaterThan(0);
  } finally {
    rmSync(where, { recursive: true, force: true });
  }
}
