/**
 * Plans that are changed over HTTP while two worker processes charge: in effect on both within a
 * second, whole at any time, and still there when a worker is started again.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Changing, changingAsConfigured } from '../http/changing.ts';
import { Link } from './gateway.ts';
import { E164, Site, until } from './site.ts';

const NUMBER = `${E164}00007`;
const OCTETS = 1000;
const [OLD, NEW] = [1, 3];
/** A change must be in effect on all workers by then. */
const PROMISED_MS = 1_000;

const rule = (ratingGroup: number, price: number) => ({
  name: `group-${ratingGroup}`,
  match: { context: ['32251@3gpp.org'], ratingGroup: [ratingGroup] },
  unit: 'octets',
  price: { amount: `0.00000${price}`, per: 1 },
  quota: { size: OCTETS },
});
/** Two rules that always change together. */
const planAt = (price: number) => ({ id: 'data', rules: [rule(1, price), rule(2, price)] });

let site: Site;
let http: Changing;
let links: Link[];
let sessions = 0;

beforeEach(async () => {
  const account = {
    id: 'a',
    plan: 'data',
    subscribers: [{ e164: NUMBER }],
    buckets: [{ id: 'main', unit: 'money', opening: '1000.00' }],
    maxSessions: 1000,
  };
  site = await Site.start({
    processes: true,
    provisioning: JSON.stringify({
      tenants: [
        { id: 'blue', currency: 'EUR', digits: 6, plans: [planAt(OLD)], accounts: [account] },
      ],
      peers: { anybody: {} },
    }),
  });
  http = await changingAsConfigured(site.store);
  links = await Promise.all(site.workers.map(({ port }) => Link.open(port)));
});

afterEach(async () => {
  for (const link of links) link.close();
  await site.stop();
});

/** A session that uses all of two grants: what was reserved for both of them on the account. */
async function costOf(link: Link): Promise<number> {
  sessions += 1;
  const session = String(sessions);
  const asked = { session, subscriber: NUMBER };
  const opened = await link.ask({
    ...{ ...asked, kind: 'initial', number: 0 },
    reports: [1, 2].map((rg) => ({ rg, ask: OCTETS })),
  });
  expect([...opened.services.values()].map(({ granted }) => granted)).toEqual([OCTETS, OCTETS]);
  const { account } = await site.store.load({ tenant: 'blue', account: 'a' });
  const reserved = account!.counters['r:main']!;
  await link.ask({
    ...{ ...asked, kind: 'terminate', number: 1 },
    reports: [1, 2].map((rg) => ({ rg, used: OCTETS })),
  });
  return reserved;
}

test('a price is in effect on both workers within a second, and never half', async () => {
  const seen: { worker: number; cost: number; beganAt: number }[] = [];
  let isOver = false;
  // One after the other, so that what is reserved is the one session's.
  const charging = (async () => {
    for (let turn = 0; !isOver; turn++) {
      const worker = turn % 2;
      const beganAt = performance.now();
      seen.push({ worker, cost: await costOf(links[worker]!), beganAt });
    }
  })();
  const costs = (worker: number) =>
    seen.filter((one) => one.worker === worker).map(({ cost }) => cost);
  await until(() => [0, 1].every((worker) => costs(worker).length > 2));
  const put = await http.call('PUT', '/v1/plans/data', { body: planAt(NEW), token: 'blue' });
  const putAt = performance.now();
  expect(put).toMatchObject({ status: 200, body: { version: 2 } });
  const old = 2 * OCTETS * OLD;
  const now = 2 * OCTETS * NEW;
  await until(() => [0, 1].every((worker) => costs(worker).filter((c) => c === now).length > 3));
  isOver = true;
  await charging;
  for (const worker of [0, 1]) {
    // All at the old price, then all at the new one: nothing between, and no way back.
    const all = costs(worker);
    const change = all.indexOf(now);
    expect(all).toEqual([...Array(change).fill(old), ...Array(all.length - change).fill(now)]);
  }
  const late = seen.filter(({ beganAt, cost }) => beganAt > putAt + PROMISED_MS && cost !== now);
  expect(late).toEqual([]);
  // A worker that starts again reads it from the store.
  await site.workers[0]!.kill();
  links[0]!.close();
  links[0] = await Link.open((await site.startWorker(0)).port);
  expect(await costOf(links[0])).toBe(now);
});

test('a session goes on at the price that its grant was decided on', async () => {
  const asked = { session: 'through', subscriber: NUMBER };
  await links[0]!.ask({ ...asked, kind: 'initial', number: 0, reports: [{ rg: 1, ask: OCTETS }] });
  await http.call('PUT', '/v1/plans/data', { body: planAt(NEW), token: 'blue' });
  // Until worker 1 grants at the new price.
  await until(async () => (await costOf(links[1]!)) === OCTETS * (OLD + 2 * NEW));
  const spent = async () => {
    const { account } = await site.store.load({ tenant: 'blue', account: 'a' });
    return 1_000_000_000 - account!.counters['a:main']! - account!.counters['r:main']!;
  };
  const before = await spent();
  const reports = [{ rg: 1, used: OCTETS, ask: 1 }];
  await links[1]!.ask({ ...asked, kind: 'update', number: 1, reports });
  expect((await spent()) - before).toBe(OCTETS * OLD);
});

test('a peer that is known no more is told to leave by every worker', async () => {
  const body = { known: [{ host: 'another.example' }] };
  expect((await http.call('PUT', '/v1/peers', { body })).status).toBe(200);
  await Promise.all(links.map(({ client }) => client.closed));
  await expect(Link.open(site.workers[0]!.port)).rejects.toThrow();
  expect(site.lines.join('')).toContain('peer admitted no more');
});
