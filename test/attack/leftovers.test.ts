/**
 * What is left in Redis when all is over: accounts, their sums and the outboxes. Everything else has
 * an end of its own, after which nothing of it is there any more.
 */
import { expect, test } from 'vitest';
import { Books, provisioningOf, rangeOf } from './books.ts';
import { type Asked, Link } from './gateway.ts';
import { recordsOfPartition } from './records.ts';
import { E164, IMSI, Site, until } from './site.ts';

const FIRST = Number(`${E164}00000`);
const HOUR = 3_600_000;
/** The defaults: a session that was abandoned is remembered for a day, its Session-Id as well. */
const LONGEST_MS = 24 * HOUR;
/** How much longer a binding lives that was set while its session was open. */
const OPEN_MARGIN_MS = 25 * HOUR;

/** Keys that live as long as what is provisioned, or as the store. */
const LASTING = /^tk:(meta|config|workers|sub:.*|\{\d+\}:([mor]|[acn]:.*))$/;

test('every key that sessions left behind ends by itself', async () => {
  const site = await Site.start({
    settings: ['--deadline-ms=900'],
    provisioning: provisioningOf({
      plan: 'supervision: 1 s',
      accounts: rangeOf(20, String(FIRST)),
    }),
  });
  const links = await Promise.all(site.workers.map(({ port }) => Link.open(port)));
  const books = new Books();
  const serve = async (asked: Asked, i: number) => links[i % links.length]!.ask(asked);

  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => {
      const subscriber = String(FIRST + (i % 20));
      const who = { account: `a-${subscriber}`, subscriber };
      const session = books.session(`${IMSI}0000000;${i}`, who);
      const initial = session.request('initial', [{ rg: 1, ask: 500 }]);
      if (i % 5 === 0) {
        // Nobody's: refused, and its Session-Id is not bound.
        const unknown = { ...initial, session: `${session.name};x`, subscriber: `${E164}99999` };
        expect((await serve(unknown, i)).code).toBe(5030);
      }
      session.take(initial, await serve(initial, i));
      if (i % 5 === 1) return;
      const update = session.request('update', [{ rg: 1, used: 400, ask: 500 }]);
      session.take(update, await serve(update, i + 1));
      if (i % 5 === 2) return;
      const end = session.request('terminate', [{ rg: 1, used: 100 }]);
      session.take(end, await serve(end, i));
      if (i % 5 === 3) return;
      const late = session.request('update', [{ rg: 1, used: 7 }]);
      expect((await serve(late, i + 1)).code).toBe(5002);
      session.debited(late);
    }),
  );
  await until(async () => {
    const pages = [0, 1, 2, 3].map((partition) => recordsOfPartition(site.store, partition));
    const records = (await Promise.all(pages)).flat();
    return records.filter(({ kind }) => kind === 'supervision').length === 80;
  });
  for (const session of books.sessions) session.end();
  await books.check(site);
  for (const link of links) link.close();

  const { redis } = site.store.connection;
  const ending: string[] = [];
  const kinds = new Set<string>();
  for await (const page of redis.scanStream({ match: '*' }))
    for (const key of page as string[]) {
      if (LASTING.test(key)) continue;
      const left = await redis.pttl(key);
      kinds.add(key.replace(/^tk:(\{\d+\}:)?(\w+):.*$/, '$2'));
      expect([key, left > 0]).toEqual([key, true]);
      expect(left).toBeLessThanOrEqual(key.startsWith('tk:sid:') ? OPEN_MARGIN_MS : LONGEST_MS);
      ending.push(key);
    }
  // Sessions and their bindings: no sets, no indexes, no timers.
  expect([...kinds].sort()).toEqual(['s', 'sid']);
  expect(ending.length).toBe(400);
  await site.stop();
});
