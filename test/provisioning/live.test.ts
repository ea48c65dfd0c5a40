/** The configuration of a running process: swapped as a whole, and only for one that compiles. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { ruleFor } from '../../src/charging/match.ts';
import { preparing } from '../../src/cli/serve.ts';
import { changeConfiguration } from '../../src/provisioning/change.ts';
import type { Configuration } from '../../src/provisioning/configuration.ts';
import { LiveConfiguration, type LiveEvents } from '../../src/provisioning/live.ts';
import type { Peers } from '../../src/provisioning/provisioning.ts';
import type { WrittenFile, WrittenTenant } from '../../src/provisioning/schema.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { file, plan, tenant } from './configurations.ts';

const put = (store: Store, written: WrittenFile) => changeConfiguration(store, () => written);
const priced = (amount: string) =>
  file(['one', 'two'].map((id) => tenant(id, { plans: [plan(amount)] })));
const amountOf = (configuration: Configuration, id: string) =>
  configuration.plan(id, 'p')?.rules[0]?.price?.amount;

/** Puts a text in place of the configuration, whatever it says. */
async function write(store: Store, document: string): Promise<void> {
  const expected = (await store.readConfiguration())?.version ?? 0;
  expect(await store.writeConfiguration({ expected, document, plans: [] })).toBe('written');
}

async function open(store: Store, more: Partial<LiveEvents> = {}) {
  const told: unknown[] = [];
  const live = await LiveConfiguration.open(store, {
    ...more,
    changed: ({ version }) => told.push(version),
    refused: (problems) => told.push(problems),
    failed: (error) => told.push(error),
  });
  return { live: live!, told };
}

test('a store without one has nothing to open', async () => {
  const store = new MemoryStore();
  const events = { changed() {}, refused() {}, failed() {} };
  expect(await LiveConfiguration.open(store, events)).toBeUndefined();
});

test('a change is taken at the next pass, whole, and listeners are told after it', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  const { live, told } = await open(store);
  const seen: unknown[] = [];
  const end = live.onChange((current) => {
    seen.push(live.current === current, amountOf(current, 'one'));
  });
  await live.pass();
  expect(told).toEqual([]);
  const before = live.current;
  await put(store, priced('0.02'));
  await live.pass();
  await live.pass();
  expect(told).toEqual([2]);
  expect(seen).toEqual([true, 20_000]);
  // Who holds the old one still has all of it.
  expect(['one', 'two'].map((id) => amountOf(before, id))).toEqual([10_000, 10_000]);
  expect(['one', 'two'].map((id) => amountOf(live.current, id))).toEqual([20_000, 20_000]);
  end();
  await put(store, priced('0.03'));
  await live.pass();
  expect(seen).toHaveLength(2);
});

test('one that does not compile is not taken, is told once, and the next good one is taken', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  const { live, told } = await open(store);
  await store.writeConfiguration({ expected: 1, document: '{"tenants":[]}', plans: [] });
  await live.pass();
  await live.pass();
  expect(told).toEqual([['tenants: found an empty list, expected a list of tenants']]);
  await store.writeConfiguration({ expected: 2, document: 'no JSON', plans: [] });
  await live.pass();
  expect(told).toHaveLength(2);
  expect(live.current.version).toBe(1);
  const document = JSON.stringify(priced('0.05'));
  await store.writeConfiguration({ expected: 3, document, plans: [] });
  await live.pass();
  expect(amountOf(live.current, 'two')).toBe(50_000);
  await expect(
    (async () => {
      await store.writeConfiguration({ expected: 4, document: '{}', plans: [] });
      await open(store);
    })(),
  ).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
});

const KNOWN = { known: [{ host: 'gateway.example' }] };
/** As on a listener that is reachable from outside. */
const outside = {
  problems: ({ anybody }: Peers) => (anybody === undefined ? [] : ['anybody may connect']),
  changed() {},
  failed() {},
};

test('of one with peers that cannot be served, all else is taken, and it is told', async () => {
  const store = new MemoryStore();
  await put(store, { ...priced('0.01'), peers: KNOWN });
  const told: unknown[] = [];
  const refused = (problems: readonly string[]) => told.push(problems);
  const live = (await LiveConfiguration.open(store, { ...outside, refused }))!;
  const { peers } = live.current.provisioning;
  await put(store, { ...priced('0.02'), peers: { anybody: {} } });
  await live.pass();
  expect(told).toEqual([['anybody may connect']]);
  expect(live.untaken).toEqual(['anybody may connect']);
  expect(live.current.version).toBe(2);
  expect(amountOf(live.current, 'one')).toBe(20_000);
  expect(live.current.provisioning.peers).toEqual(peers);
  // A process that starts meanwhile has no peers to go on with, unless it is given them.
  await expect(LiveConfiguration.open(store, { ...outside, refused })).rejects.toMatchObject({
    code: 'PEERS_UNFIT',
  });
  const another = await LiveConfiguration.open(store, { ...outside, refused }, peers);
  expect(another?.current.provisioning.peers).toEqual(peers);
  expect(amountOf(another!.current, 'one')).toBe(20_000);
  await put(store, { ...priced('0.03'), peers: KNOWN });
  await live.pass();
  expect(live.untaken).toEqual([]);
  expect(amountOf(live.current, 'one')).toBe(30_000);
});

test('a store that is away changes nothing, and the change is taken when it is back', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  let away = false;
  const { live, told } = await open(withFaults(store, () => (away ? 'refuse' : 'none')));
  await put(store, priced('0.02'));
  away = true;
  await live.pass();
  expect(told).toHaveLength(1);
  expect(amountOf(live.current, 'one')).toBe(10_000);
  away = false;
  await live.pass();
  expect(amountOf(live.current, 'one')).toBe(20_000);
});

test('a plan that accounts have and the configuration has not is told of once', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  const { live } = await open(store);
  const missing: string[] = [];
  for (let i = 0; i < 3; i++)
    expect(live.current.planOf('one', 'gone', (of, id) => missing.push(`${of} ${id}`))).toEqual(
      expect.objectContaining({ id: 'gone', rules: [] }),
    );
  expect(missing).toEqual(['one gone']);
});

test('a store that is lost between a change and what it says is asked again', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  let lost = false;
  const { live, told } = await open(
    withFaults(store, (call) => (lost && call === 'readConfiguration' ? 'lose-reply' : 'none')),
  );
  await put(store, priced('0.02'));
  lost = true;
  expect(await live.pass()).toBe(false);
  expect(told).toHaveLength(1);
  lost = false;
  expect(await live.pass()).toBe(true);
  expect(amountOf(live.current, 'one')).toBe(20_000);
});

test('what a later version may have written is not taken, and says where it is', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  const { live, told } = await open(store);
  const later = JSON.parse(JSON.stringify(priced('0.02'))) as {
    tenants: { plans: { rules: object[] }[] }[];
  };
  Object.assign(later.tenants[1]!.plans[0]!.rules[0]!, { surge: '10 %' });
  await write(store, JSON.stringify(later));
  await live.pass();
  await live.pass();
  expect(told).toEqual([
    [expect.stringMatching(/^tenants\[1\]\.plans\[0\]\.rules\[0\]\.surge: found unknown member/)],
  ]);
  expect(live.untaken).toHaveLength(1);
  // Not a part of it either.
  expect(['one', 'two'].map((id) => amountOf(live.current, id))).toEqual([10_000, 10_000]);
  await write(store, JSON.stringify(priced('0.03')));
  await live.pass();
  expect(live.untaken).toEqual([]);
  expect(amountOf(live.current, 'two')).toBe(30_000);
});

test('one that trips the compiler is refused, and the next good one is taken', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  const { live, told } = await open(store, {
    *preparing(configuration) {
      yield;
      if (amountOf(configuration, 'one') === 20_000) throw new Error('a defect');
    },
  });
  await put(store, priced('0.02'));
  expect(await live.pass()).toBe(true);
  expect(told).toEqual([['it cannot be compiled: Error: a defect']]);
  expect(live.untaken).toEqual(told[0]);
  expect(amountOf(live.current, 'one')).toBe(10_000);
  await put(store, priced('0.03'));
  await live.pass();
  expect(live.untaken).toEqual([]);
  expect(amountOf(live.current, 'one')).toBe(30_000);
});

describe('several changes', () => {
  test('between two passes: the last is taken, as a whole', async () => {
    const store = new MemoryStore();
    await put(store, priced('0.01'));
    const { live, told } = await open(store);
    for (const amount of ['0.02', '0.03', '0.04']) await put(store, priced(amount));
    await live.pass();
    expect(told).toEqual([4]);
    expect(['one', 'two'].map((id) => amountOf(live.current, id))).toEqual([40_000, 40_000]);
  });

  test('one while another is being compiled is not left to wait for the next pass', async () => {
    const store = new MemoryStore();
    await put(store, priced('0.01'));
    let written: Promise<unknown> | undefined;
    const { live, told } = await open(store, {
      *preparing({ version }) {
        if (version !== 2) return;
        written = put(store, priced('0.03'));
        for (const until = performance.now() + 20; performance.now() < until; ) yield;
      },
    });
    await put(store, priced('0.02'));
    await live.pass();
    await written;
    expect(told).toEqual([2, 3]);
    expect(amountOf(live.current, 'one')).toBe(30_000);
  });

  test('one while another is being compiled: who asks after it gets it', async () => {
    const store = new MemoryStore();
    await put(store, priced('0.01'));
    let compiles: (() => void) | undefined;
    const compiled = new Promise<void>((resolve) => {
      compiles = resolve;
    });
    const { live, told } = await open(store, {
      *preparing({ version }) {
        // More than a slice: the event loop turns in between.
        for (const until = performance.now() + 20; version > 1 && performance.now() < until; )
          yield;
        if (version > 1) compiles?.();
      },
    });
    await put(store, priced('0.02'));
    const first = live.pass();
    await put(store, priced('0.03'));
    const others = [live.pass(), live.pass()];
    await Promise.all([compiled, first]);
    expect(told).toContain(2);
    await Promise.all(others);
    // For both of them one look, and nothing twice.
    expect(told).toEqual([2, 3]);
    expect(amountOf(live.current, 'one')).toBe(30_000);
  });
});

describe('what is written as before', () => {
  const other = { ...plan('0.05'), id: 'q' };
  const two = (amount: string, more: Partial<WrittenTenant> = {}) =>
    file([tenant('one', { plans: [plan(amount), other], ...more }), tenant('two')]);

  async function changed(to: WrittenFile): Promise<[Configuration, Configuration]> {
    const store = new MemoryStore();
    await write(store, JSON.stringify(two('0.01')));
    const { live, told } = await open(store);
    const before = live.current;
    await write(store, JSON.stringify(to));
    await live.pass();
    expect(told).toEqual([2]);
    return [before, live.current];
  }

  test('is compiled once: a change of one plan leaves the others what they were', async () => {
    const [before, after] = await changed(two('0.02'));
    expect(amountOf(after, 'one')).toBe(20_000);
    expect(after.plan('one', 'q')).toBe(before.plan('one', 'q'));
    expect(after.plan('two', 'p')).toBe(before.plan('two', 'p'));
    expect(after.plan('one', 'p')).not.toBe(before.plan('one', 'p'));
  });

  test('is compiled once: peers, routing, names and other tenants change no plan', async () => {
    const { routing: _, ...written } = two('0.01', { name: 'One' });
    const tenants = [tenant('zero'), ...written.tenants];
    const peers = { known: [{ host: 'gateway.example' }] };
    const [before, after] = await changed({ tenants, peers, routing: { default: 'zero' } });
    for (const [of, id] of [
      ['one', 'p'],
      ['one', 'q'],
      ['two', 'p'],
    ] as const)
      expect(after.plan(of, id)).toBe(before.plan(of, id));
  });

  test.each<[string, Partial<WrittenTenant>, object]>([
    ['time zone', { timeZone: 'Asia/Tokyo' }, { timeZone: 'Asia/Tokyo' }],
    ['holidays', { holidays: ['2026-12-25'] }, { holidays: ['2026-12-25'] }],
    ['zones', { zones: [{ id: 'eu', networks: ['262'] }] }, {}],
    ['decimal places', { digits: 3 }, { rules: [{ price: { amount: 50 } }] }],
  ])("is compiled again where the tenant's %s are in it", async (_, more, expected) => {
    const [before, after] = await changed(two('0.01', more));
    expect(after.plan('one', 'q')).not.toBe(before.plan('one', 'q'));
    expect(after.plan('one', 'q')).toMatchObject(expected);
    expect(after.plan('two', 'p')).toBe(before.plan('two', 'p'));
  });

  test('two plans of one text are the plans of their tenants', async () => {
    const same = (zone: string) =>
      file(['one', 'two'].map((id) => tenant(id, { timeZone: id === 'one' ? zone : 'UTC' })));
    const store = new MemoryStore();
    await write(store, JSON.stringify(same('Asia/Tokyo')));
    const { live } = await open(store);
    for (const zone of ['Europe/Berlin', 'UTC', 'Asia/Tokyo']) {
      await write(store, JSON.stringify(same(zone)));
      await live.pass();
      expect(['one', 'two'].map((id) => live.current.plan(id, 'p')?.timeZone)).toEqual([
        zone,
        'UTC',
      ]);
    }
  });
});

describe('a plan of ten thousand rules', () => {
  const RULES = 10_000;
  const large = (amount: string) => {
    const [rule] = plan(amount).rules;
    const rules = Array.from({ length: RULES }, (_, at) => ({
      ...rule!,
      name: `r${at}`,
      match: { context: ['32260@3gpp.org'], called: [`${10_000 + at}`] },
    }));
    return JSON.stringify(file([tenant('one', { plans: [{ id: 'p', rules }] })]));
  };
  const called = { context: '32260@3gpp.org', serviceIds: [], facts: { called: '10007123' } };

  test('does not hold the process: it has its turn again and again while a change is taken', async () => {
    const store = new MemoryStore();
    await write(store, large('0.01'));
    const { live, told } = await open(store, { preparing });
    await write(store, large('0.02'));
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    await pause(5);
    delay.reset();
    let over = false;
    let turns = 0;
    const startedAt = performance.now();
    const passed = live.pass().then(() => {
      over = true;
    });
    const seen = new Set<number | undefined>();
    for (; !over; turns++) {
      seen.add(ruleFor(live.current.plan('one', 'p')!, called, 0)?.price?.amount);
      await turn();
    }
    await passed;
    await pause(5);
    delay.disable();
    const tookMs = performance.now() - startedAt;
    expect(told).toEqual([2]);
    expect(turns).toBeGreaterThan(10);
    // A busy machine makes both longer; done at once, they would be the same.
    expect(delay.max / 1e6).toBeLessThan(tookMs / 2);
    // Requests went on by the one that held, and by nothing in between.
    expect([...seen]).toEqual([10_000]);
    expect(ruleFor(live.current.plan('one', 'p')!, called, 0)?.price?.amount).toBe(20_000);
  });

  test('is worked out before it is in effect, not when it is first asked', async () => {
    const store = new MemoryStore();
    await write(store, large('0.01'));
    let version = 0;
    const { live } = await open(store, {
      *preparing(configuration) {
        version = configuration.version;
        if (version > 1) expect(live.current.version).toBe(1);
        yield* preparing(configuration);
      },
    });
    expect(version).toBe(1);
    await write(store, large('0.02'));
    await live.pass();
    expect([version, live.current.version]).toEqual([2, 2]);
    const found = live.current.plan('one', 'p')!;
    let looks = 0;
    Object.defineProperty(found, 'rules', { get: () => looks++ });
    expect(ruleFor(found, called, 0)?.name).toBe('r7');
    expect(looks).toBe(0);
  });
});
