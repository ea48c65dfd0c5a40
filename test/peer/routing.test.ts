/** RFC 6733 6 through a socket: for whom a request is, which way it came, what its answer repeats. */
import { describe, expect, test } from 'vitest';
import {
  all,
  avp,
  E,
  group,
  message,
  only,
  P,
  parseAVPs,
  R,
  RawPeer,
  resultCode,
  STR,
} from './raw.ts';
import { answerSimply, ccr, ccrParts, dwr, origin, serve } from './server.ts';

const identity = {
  originHost: origin.host,
  originRealm: origin.realm,
  acceptedHosts: ['ocs2.charging.example'],
  servedRealms: ['mvno.example'],
};

const host = (name: string) => avp(293, name);
const realm = (name: string) => avp(283, name);

describe('for whom', () => {
  test.each([
    ['our name and realm', { host: host(origin.host) }],
    ['our name in other letters', { host: host('OCS1.Charging.EXAMPLE') }],
    ['the name of another worker', { host: host('ocs2.charging.example') }],
    ['our name, whatever the realm', { host: host(origin.host), destinationRealm: realm('x') }],
    ['our realm alone', {}],
    ['our realm in other letters', { destinationRealm: realm('CHARGING.example') }],
    ['a further realm that we serve', { destinationRealm: realm('mvno.example') }],
  ])('B-120 B-066 %s: served', async (_, parts) => {
    const { open } = await serve({ identity });
    expect(resultCode(await (await open()).exchange(ccr(parts)))).toBe(2001);
  });

  test.each([
    ['B-121 a foreign Destination-Host', { host: host('ocs9.charging.example') }, 3002],
    ['B-122 a foreign Destination-Realm', { destinationRealm: realm('other.example') }, 3003],
    [
      'B-123 our Destination-Host without a realm',
      { host: host(origin.host), destinationRealm: undefined },
      3002,
    ],
  ])('%s: %s with E', async (_, parts, code) => {
    const { open, listener } = await serve({ identity });
    const answer = await (await open()).exchange(ccr(parts));
    expect([resultCode(answer), answer.flags]).toEqual([code, P | E]);
    expect(listener.statistics()).toMatchObject({ requests: 0, refused: { [code]: 1 } });
  });

  test('B-123 neither host nor realm: 5005 for the realm, and the application is told', async () => {
    const failures: unknown[] = [];
    const { open } = await serve(
      {},
      {
        onRequest(request) {
          failures.push(request.failure?.resultCode);
          answerSimply(request);
        },
      },
    );
    const answer = await (await open()).exchange(ccr({ destinationRealm: undefined }));
    expect(resultCode(answer)).toBe(5005);
    expect(only(parseAVPs(only(answer, 279)), 283)).toHaveLength(0);
    expect(failures).toEqual([5005]);
  });

  test('B-124 no answer names a destination', async () => {
    const { open } = await serve();
    const peer = await open();
    const requests = [
      ccr({ host: host(origin.host) }),
      ccr({ host: host('elsewhere') }),
      ccr({ unknown: avp(99999, 'x') }),
      message({ command: 999 }, [host('a'), realm('b')]),
      dwr(),
    ];
    for (const request of requests) {
      const answer = await peer.exchange(request);
      expect([...all(answer, 293), ...all(answer, 283)]).toEqual([]);
    }
  });

  test('B-125 every answer comes from one identity, whatever the connection', async () => {
    const { open } = await serve({ identity });
    for (const request of [ccr(), ccr({ host: host('ocs2.charging.example') }), dwr()]) {
      const answer = await (await open()).exchange(request);
      expect(only(answer, 264).toString()).toBe(origin.host);
      expect(only(answer, 296).toString()).toBe(origin.realm);
    }
  });
});

describe('which way', () => {
  test('B-126 Proxy-Infos come back unchanged, in order, in error answers too', async () => {
    const { open } = await serve();
    const peer = await open();
    const infos = ['a.example', 'bb.example', 'a.example'].map((proxy, at) =>
      group(284, [avp(280, proxy), avp(33, Buffer.from([0, 255, at, 128, 13]))]),
    );
    const proxies = Buffer.concat(infos);
    for (const parts of [
      { proxies },
      { proxies, destinationRealm: realm('elsewhere') },
      { proxies, unknown: avp(99999, 'x') },
      { proxies, requestType: undefined },
    ]) {
      const answer = await peer.exchange(ccr(parts));
      const echoed = answer.avps.filter(({ code }) => code === 284).map(({ bytes }) => bytes);
      expect(echoed).toEqual(parseAVPs(proxies).map(({ bytes }) => bytes));
    }
  });

  test('B-127 a forbidden host or realm in Route-Record: 5003, and the usage is not lost', async () => {
    const failures: unknown[] = [];
    const { open } = await serve(
      { forbiddenRoutes: ['Evil.example', 'dra1.fair.example'] },
      {
        onRequest(request) {
          failures.push(request.failure?.resultCode);
          answerSimply(request);
        },
      },
    );
    const peer = await open();
    const via = (name: string) => ccr({ route: avp(282, name) });
    for (const name of ['dra.evil.example', 'EVIL.example', 'dra1.fair.example']) {
      const answer = await peer.exchange(via(name));
      expect([resultCode(answer), answer.flags & E]).toEqual([5003, 0]);
    }
    for (const name of ['dra2.fair.example', 'notevil.example']) {
      expect(resultCode(await peer.exchange(via(name)))).toBe(2001);
    }
    expect(failures).toEqual([5003, 5003, 5003, undefined, undefined]);
  });

  test('B-128 ourselves in Route-Record: 3005 with E', async () => {
    const { open } = await serve({ identity });
    const peer = await open();
    for (const name of ['OCS1.charging.example', 'ocs2.charging.example']) {
      const answer = await peer.exchange(ccr({ route: avp(282, name) }));
      expect([resultCode(answer), answer.flags & E]).toEqual([3005, E]);
    }
  });

  test('a foreign destination is refused before what else is wrong with the request', async () => {
    const { open } = await serve();
    const answer = await (await open()).exchange(
      ccr({ host: host('elsewhere'), requestType: undefined }),
    );
    expect(resultCode(answer)).toBe(3002);
  });

  test('a flawed STR is answered without the application', async () => {
    const { open, listener } = await serve();
    const { sessionId } = ccrParts();
    const str = message({ command: STR, application: 4, flags: R | P }, [sessionId!]);
    expect(resultCode(await (await open()).exchange(str))).toBe(5005);
    expect(listener.statistics().requests).toBe(0);
  });
});

describe('too much', () => {
  test('B-129 more in flight than the limit: 3004 at once, and the others are served', async () => {
    const held: (() => void)[] = [];
    const { open, listener } = await serve(
      { limits: { inFlight: 3 } },
      {
        onRequest: (request) => {
          held.push(() => answerSimply(request));
        },
      },
    );
    const peer = await open();
    peer.send(...[0, 1, 2, 3].map((hopByHop) => ccr({}, { hopByHop })));
    const refused = await peer.receive();
    expect([refused.hopByHop, resultCode(refused), refused.flags & E]).toEqual([3, 3004, E]);
    for (const run of held) run();
    for (const id of [0, 1, 2]) {
      const answer = await peer.receive();
      expect([answer.hopByHop, resultCode(answer)]).toEqual([id, 2001]);
    }
    expect(listener.statistics()).toMatchObject({ inFlight: 0, refused: { 3004: 1 } });
  });

  test('more connections than the limit are closed as they come', async () => {
    const { open, port, listener } = await serve({ limits: { connections: 1 } });
    const peer = await open();
    const late = await RawPeer.connect(port);
    await late.closed;
    expect(resultCode(await peer.exchange(ccr()))).toBe(2001);
    expect(listener.statistics().connectionsDropped).toBe(1);
  });
});

describe('defects', () => {
  test('B-151 a handler that throws or rejects: 5012 for its request alone', async () => {
    let calls = 0;
    const { open, seen, listener } = await serve(
      {},
      {
        onRequest(request) {
          calls += 1;
          if (calls === 1) throw new Error('first');
          if (calls === 2) return Promise.reject(new Error('second'));
          return answerSimply(request);
        },
      },
    );
    const peer = await open();
    const codes = [];
    for (let count = 0; count < 3; count += 1) codes.push(resultCode(await peer.exchange(ccr())));
    expect(codes).toEqual([5012, 5012, 2001]);
    expect(listener.statistics()).toMatchObject({ handlerFailures: 2, inFlight: 0 });
    expect(seen.closed).toEqual([]);
  });

  test('B-151 a second answer is a defect of the application and is not sent', async () => {
    const { open, listener } = await serve(
      {},
      {
        onRequest(request) {
          answerSimply(request);
          answerSimply(request);
        },
      },
    );
    const peer = await open();
    expect(resultCode(await peer.exchange(ccr({}, { hopByHop: 1 })))).toBe(2001);
    expect((await peer.exchange(dwr({ hopByHop: 2 }))).hopByHop).toBe(2);
    expect(listener.statistics()).toMatchObject({ handlerFailures: 1, answers: 1, inFlight: 0 });
  });

  test('B-151 a defect in a connection ends that one alone', async () => {
    let broken = false;
    const random = () => {
      if (broken) throw new Error('no entropy');
      return 0.5;
    };
    const { open, seen, listener } = await serve({ random });
    const bystander = await open();
    const peer = await open();
    broken = true;
    peer.send(dwr());
    await peer.closed;
    broken = false;
    expect(resultCode(await bystander.exchange(ccr()))).toBe(2001);
    await expect.poll(() => seen.closed).toMatchObject([{ reason: 'defect' }]);
    expect(listener.statistics().states).toEqual({ open: 1 });
  });

  test('a hook that throws does not touch the connection', async () => {
    const { open } = await serve(
      {},
      {
        onPeerOpen() {
          throw new Error('no');
        },
      },
    );
    expect(resultCode(await (await open()).exchange(ccr()))).toBe(2001);
  });
});
