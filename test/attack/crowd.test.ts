/**
 * A thousand devices on one account, over two workers, at full rate: what they share runs out, or
 * expires, while all of them are using it.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { ChargingRecord } from '../../src/charging/record.ts';
import { Books, type ClientSession, provisioningOf } from './books.ts';
import { type Answered, type Asked, ccrBytes, Link, type Report } from './gateway.ts';
import { recordsOfPartition } from './records.ts';
import { E164, IMSI, Site } from './site.ts';

const DEVICES = 1000;
const BUNDLE = 400_000;
const MONEY = 50_000;
const ACCOUNT = { tenant: 'blue', account: 'fleet' };
const CREDIT_LIMIT_REACHED = 4012;

let site: Site;
let links: Link[];
let books: Books;

afterEach(async () => {
  for (const link of links) link.close();
  await site.stop();
  expect(site.defects).toEqual([]);
});

async function open(): Promise<void> {
  books = new Books();
  const subscribers = Array.from({ length: DEVICES }, (_, i) => `{ e164: "${numberOf(i)}" }`);
  site = await Site.start({
    settings: ['--deadline-ms=8000'],
    timeoutMs: 8000,
    provisioning: provisioningOf({
      accounts: `
      accounts:
        - id: fleet
          plan: data
          maxSessions: ${DEVICES}
          subscribers: [${subscribers.join(', ')}]
          buckets:
            - { id: bundle, unit: octets, opening: ${BUNDLE} }
            - { id: main, unit: money, opening: "${MONEY / 100}.00" }`,
    }),
  });
  links = await Promise.all([0, 1, 0, 1].map((worker) => Link.open(site.workers[worker]!.port)));
}

const numberOf = (i: number): string => String(Number(`${E164}00000`) + i);

interface Device {
  session: ClientSession;
  link: Link;
  /** What it may use until it reports. */
  granted: number;
}

/** All devices with a session each; the first few come before the crowd, as they do. */
async function openAll(askedFor: number): Promise<Device[]> {
  const devices = Array.from({ length: DEVICES }, (_, i) => device(i));
  for (const one of devices.slice(0, links.length))
    await ask(one, 'initial', { rg: 1, ask: askedFor });
  const crowd = devices.slice(links.length);
  await Promise.all(crowd.map((one) => ask(one, 'initial', { rg: 1, ask: askedFor })));
  return devices;
}

function device(i: number): Device {
  const session = books.session(`${IMSI}0000000;${i}`, {
    account: 'fleet',
    subscriber: numberOf(i),
  });
  return { session, link: links[i % links.length]!, granted: 0 };
}

async function exchange(device: Device, asked: Asked): Promise<Answered> {
  const bytes = ccrBytes(asked);
  let answer = await device.link.send(bytes);
  // Too much at once: the client asks again, as RFC 8506 6.5 has it.
  while (answer.code === 3004) answer = await device.link.send(bytes);
  expect(answer.code).toBe(2001);
  device.session.take(asked, answer);
  const service = answer.services.get(1);
  device.granted = service?.granted ?? 0;
  return answer;
}

const ask = (device: Device, kind: Asked['kind'], report: Report): Promise<Answered> =>
  exchange(device, device.session.request(kind, [report]));

async function recordsOfFleet(): Promise<ChargingRecord[]> {
  return recordsOfPartition(site.store, site.store.partitionOf(ACCOUNT));
}

/** Replays the records one by one: no bucket was ever promised below its floor. */
async function expectNothingPromisedTwice(): Promise<void> {
  const available = new Map<string, number>();
  for (const { changes } of await recordsOfFleet()) {
    const promised = new Set<string>();
    for (const change of changes) {
      available.set(change.bucket, (available.get(change.bucket) ?? 0) + change.available);
      if (change.cause === 'reserve') promised.add(change.bucket);
    }
    for (const bucket of promised) expect(available.get(bucket)).toBeGreaterThanOrEqual(0);
  }
}

describe('a thousand devices on one account', { timeout: 60_000 }, () => {
  test('run out of their bundle and of their money together', async () => {
    await open();
    const devices = await openAll(100);
    const left = () =>
      devices.reduce((sum, { granted }) => sum + granted, 0) === 0 ? 'nothing' : 'something';
    let denials = 0;
    await Promise.all(
      devices.map(async (one, i) => {
        for (;;) {
          // Each third device uses a little more than it was granted.
          const used = one.granted + (one.granted > 0 && i % 3 === 0 ? 1 : 0);
          const answer = await ask(one, 'update', { rg: 1, used, ask: 100 });
          const service = answer.services.get(1)!;
          if (service.code !== CREDIT_LIMIT_REACHED) {
            // Granted, or (after too many conflicts) sent away for a while.
            expect(service.granted > 0 || service.validitySeconds === 10).toBe(true);
            continue;
          }
          denials++;
          break;
        }
      }),
    );
    expect(left()).toBe('nothing');
    expect(denials).toBe(DEVICES);
    await books.check(site);
    await expectNothingPromisedTwice();
    const { account } = await site.store.load(ACCOUNT);
    const {
      'a:bundle': bundle,
      'a:main': main,
      'r:bundle': kept,
      'r:main': held,
    } = account!.counters;
    expect({ bundle, kept, held }).toEqual({ bundle: 0, kept: 0, held: 0 });
    // Only usage that nobody had granted is below zero: at most an octet of each third device.
    expect(main).toBeLessThanOrEqual(0);
    expect(main).toBeGreaterThan(-DEVICES);
    const charged = devices.reduce(
      (sum, { session }) => sum + (session.services.get(1)?.used ?? 0),
      0,
    );
    expect(charged).toBe(BUNDLE + MONEY - main!);
    await Promise.all(devices.map((one) => ask(one, 'terminate', { rg: 1, used: 0 })));
    expect(books.open).toBe(0);
    await books.check(site);
  });

  test('are denied only what is really gone: each refusal was true when it was decided', async () => {
    await open();
    // All that there is has been promised when half of them have been served.
    const devices = await openAll(900);
    await Promise.all(
      devices.map(async (one) => {
        for (;;) {
          const answer = await ask(one, 'update', { rg: 1, used: one.granted, ask: 900 });
          if (answer.services.get(1)?.code === CREDIT_LIMIT_REACHED) break;
        }
      }),
    );
    const available = new Map<string, number>();
    let denials = 0;
    for (const { changes, services } of await recordsOfFleet()) {
      for (const { bucket, available: delta } of changes)
        available.set(bucket, (available.get(bucket) ?? 0) + delta);
      if (services[0]?.outcome !== 'credit-limit-reached') continue;
      denials++;
      expect([...available.values()]).toEqual([0, 0]);
    }
    expect(denials).toBeGreaterThanOrEqual(DEVICES);
    await Promise.all(devices.map((one) => ask(one, 'terminate', { rg: 1, used: 0 })));
    await books.check(site);
  });

  test('have their bundle expire while it is reserved: what comes back expires', async () => {
    await open();
    const devices = await openAll(300);
    await books.check(site);
    expect(books.of('fleet').reserved).toBe(300 * DEVICES);
    const { account: before } = await site.store.load(ACCOUNT);
    const { definition, version } = before!;
    // By every clock: those of the workers may be a little apart.
    const expiresAt = site.store.now() - 1_000;
    const buckets = definition.buckets.map((bucket) =>
      bucket.id === 'bundle' ? { ...bucket, expiresAt } : bucket,
    );
    expect(await site.store.changeAccount({ ...definition, buckets }, version)).toBe('changed');
    // Each reports two thirds of its grant, and asks for more: for money, of which there is less.
    await Promise.all(devices.map((one) => ask(one, 'update', { rg: 1, used: 200, ask: 100 })));
    books.expired.set('fleet', BUNDLE - 200 * DEVICES);
    await books.check(site);
    await expectNothingPromisedTwice();
    const { account } = await site.store.load(ACCOUNT);
    expect(account!.counters).toMatchObject({ 'a:bundle': 0, 'r:bundle': 0 });
    await Promise.all(devices.map((one) => ask(one, 'terminate', { rg: 1, used: one.granted })));
    expect(books.open).toBe(0);
    await books.check(site);
  });
});
