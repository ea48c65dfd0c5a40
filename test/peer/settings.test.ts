/** Settings of a listener: what is refused before it starts, and who is let in. */
import { readdir, readFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { PeerListener, peerSettings } from '../../src/peer/listener.ts';
import { admission, policyProblems } from '../../src/peer/policy.ts';
import { problemsOf } from '../../src/peer/settings.ts';
import { RawPeer, resultCode } from './raw.ts';
import { ccr, cer, origin, serve } from './server.ts';

const identity = { originHost: origin.host, originRealm: origin.realm };
const good = { host: '127.0.0.1', port: 0, identity, policy: { anybody: { options: 1 } } };

test('the defaults are good', () => {
  expect(problemsOf(peerSettings(good))).toEqual([]);
});

test('all problems are told at once', () => {
  const settings = peerSettings({
    ...good,
    identity: { originHost: '', originRealm: '' },
    applications: [],
    twinitMs: 5_999,
    workers: 2,
    worker: 2,
    limits: { frameBytes: 2 ** 24, pauseBytes: 10, limitBytes: 10, stallMs: Number.NaN },
    timeouts: { cerMs: 0 },
  });
  const problems = problemsOf(settings);
  expect(problems.map((problem) => problem.split(':')[0])).toEqual([
    'origin host',
    'origin realm',
    'applications',
    'watchdog',
    'stallMs',
    'cerMs',
    'limitBytes',
    'frameBytes',
    'worker',
  ]);
  expect(() => new PeerListener(settings, { onRequest: () => {} })).toThrow(problems.join('\n'));
});

test('B-101 Twinit of 6 s is the least', () => {
  expect(problemsOf(peerSettings({ ...good, twinitMs: 6_000 }))).toEqual([]);
  expect(problemsOf(peerSettings({ ...good, twinitMs: 5_999 }))).toHaveLength(1);
});

test.each([
  ['127.0.0.1', 0],
  ['127.1.2.3', 0],
  ['::1', 0],
  ['localhost', 0],
  ['0.0.0.0', 1],
  ['::', 1],
  ['10.0.0.1', 1],
  ['ocs.example', 1],
])('B-088 anybody may connect to %s: %d problems', (host, count) => {
  expect(policyProblems({ anybody: { options: 1 } }, host)).toHaveLength(count);
  expect(policyProblems({ anybody: { anywhere: true, options: 1 } }, host)).toEqual([]);
});

test('B-088 a policy that lets nobody in, or names somebody twice, is a mistake', () => {
  expect(policyProblems({}, '127.0.0.1')).toHaveLength(1);
  const twice = ['a.example', 'A.example'].map((host) => ({ host, options: 1 }));
  expect(policyProblems({ peers: twice }, '10.0.0.1')).toEqual([
    'peers: peer A.example is listed twice',
  ]);
});

test('B-088 a peer’s own entry goes before its realm, and that before anybody', () => {
  const admit = admission({
    peers: [{ host: 'a.example', options: 'peer' }],
    realms: [{ realm: 'example', options: 'realm' }],
    anybody: { options: 'anybody' },
  });
  const tag = (originHost: string, originRealm: string) =>
    admit({ originHost, originRealm })?.options;
  expect([tag('A.EXAMPLE', 'x'), tag('b', 'Example'), tag('b', 'x')]).toEqual([
    'peer',
    'realm',
    'anybody',
  ]);
  expect(admission({ peers: [] })({ originHost: 'a', originRealm: 'b' })).toBeUndefined();
});

test('workers share a port, each with connections of its own', async () => {
  const first = await serve({ reusePort: true });
  const second = await serve({ reusePort: true, port: first.port });
  expect(second.port).toBe(first.port);
  // The kernel spreads connections by a hash; so many all to one side would be a fault.
  for (let count = 0; count < 64; count += 1) {
    const peer = await RawPeer.connect(first.port);
    onTestFinished(() => peer.end());
    await peer.exchange(cer());
    expect(resultCode(await peer.exchange(ccr()))).toBe(2001);
  }
  const opened = [first, second].map(({ listener }) => listener.statistics().peersOpened);
  expect(opened[0]! + opened[1]!).toBe(64);
  expect(Math.min(...opened)).toBeGreaterThan(0);
});

test('a port that is taken is told', async () => {
  const { port } = await serve();
  await expect(serve({ port })).rejects.toThrow('EADDRINUSE');
});

test('B-095 B-105 B-113 we never dial: no election, no reopening, no reconnecting', async () => {
  const folder = new URL('../../src/peer/', import.meta.url);
  for (const name of await readdir(folder)) {
    const text = await readFile(new URL(name, folder), 'utf8');
    const imported = [...text.matchAll(/import \{([^}]*)\} from 'node:net'/g)].join();
    expect(imported, name).not.toMatch(/connect/i);
  }
});
