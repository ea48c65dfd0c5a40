/** A policy that changes while peers are connected, through sockets. */
import { expect, test } from 'vitest';
import { avp, CCR, DPR, only, resultCode } from './raw.ts';
import { answerSimply, answerTo, ccr, ccrParts, cerOf, origin, serve } from './server.ts';

const known = (host: string, tag: string) => ({ host, options: { tag } });
const POLICY = {
  peers: [known('pgw1.visited.example', 'first'), known('pgw2.visited.example', 'second')],
};
const UNCHANGED = { servedRealms: [], forbiddenRoutes: [] };

test('a peer that is known no more is told to leave; what it has sent is answered before', async () => {
  const held: (() => void)[] = [];
  const { open, listener, seen } = await serve(
    { policy: POLICY },
    { onRequest: (request) => void held.push(() => answerSimply(request)) },
  );
  const gone = await open(cerOf('pgw1.visited.example'));
  const stays = await open(cerOf('pgw2.visited.example'));
  gone.send(ccr());
  await expect.poll(() => held.length).toBe(1);
  listener.reconfigure({ policy: { peers: [POLICY.peers[1]!] }, ...UNCHANGED });
  const dpr = await gone.receive();
  expect(dpr.command).toBe(DPR);
  // DO_NOT_WANT_TO_TALK_TO_YOU, RFC 6733 5.4.3.
  expect(only(dpr, 273).readUInt32BE()).toBe(2);
  held[0]!();
  expect((await gone.receive()).command).toBe(CCR);
  gone.send(answerTo(dpr));
  expect(await gone.next()).toBeUndefined();
  await expect.poll(() => seen.closed.map(({ reason }) => reason)).toEqual(['we left']);
  // The other one noticed nothing, and nobody else is let in.
  expect([...listener.connections].map(({ state }) => state)).toEqual(['open']);
  stays.send(ccr());
  await expect.poll(() => held.length).toBe(2);
  const again = await open(cerOf('pgw1.visited.example'));
  expect(await again.next()).toBeUndefined();
});

test('a peer that stays has its new options from the next request on', async () => {
  const { open, listener, seen } = await serve(
    { policy: POLICY },
    {
      onRequest: (request) => {
        seen.requests.push(request);
        answerSimply(request);
      },
    },
  );
  const peer = await open(cerOf('pgw1.visited.example'));
  await peer.exchange(ccr());
  listener.reconfigure({
    policy: { realms: [{ realm: 'visited.example', options: { tag: 'by realm' } }] },
    ...UNCHANGED,
  });
  await peer.exchange(ccr());
  expect(seen.requests.map(({ peer: { options } }) => options.tag)).toEqual(['first', 'by realm']);
});

test('realms that are served and routes that are forbidden change as well', async () => {
  const { open, listener } = await serve();
  const peer = await open();
  const elsewhere = { ...ccrParts(), destinationRealm: avp(283, 'other.example') };
  const codes = async () => [
    resultCode(await peer.exchange(ccr(elsewhere))),
    resultCode(await peer.exchange(ccr({ route: avp(282, 'hop.evil.example') }))),
  ];
  expect(await codes()).toEqual([3003, 2001]);
  listener.reconfigure({
    policy: { anybody: { options: { tag: '' } } },
    servedRealms: ['other.example'],
    forbiddenRoutes: ['evil.example'],
  });
  expect(await codes()).toEqual([2001, 5003]);
  // Our own realm is always served.
  const own = { ...ccrParts(), destinationRealm: avp(283, origin.realm) };
  expect(resultCode(await peer.exchange(ccr(own)))).toBe(2001);
});

test('a policy that could not be started with is not taken', async () => {
  const { listener, open } = await serve();
  await open();
  expect(() => listener.reconfigure({ policy: {}, ...UNCHANGED })).toThrow('nobody may connect');
  expect([...listener.connections].map(({ state }) => state)).toEqual(['open']);
});
