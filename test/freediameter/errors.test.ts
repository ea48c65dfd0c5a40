/** What a relay agent adds to requests and what it makes of refusals, seen from behind it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { all, avp, E, group, only, type Parsed, parseAVPs, R, resultCode } from '../peer/raw.ts';
import { type Agent, RELAY, startAgent } from './agent.ts';
import { assertBooks } from './books.ts';
import { Gateway } from './gateway.ts';
import { REALM, type Service, startService } from './service.ts';
import {
  creditControl,
  expectedBalances,
  INITIAL,
  PAID,
  service as serviceUsing,
  subscriber,
  TERMINATION,
  UPDATE,
} from './sessions.ts';

/** The agent sends this realm's requests to Tollkeeper, which does not serve it. */
const ELSEWHERE = 'elsewhere.example';
const ROUTES = `dr="${ELSEWHERE}" : rlm="${REALM}" += DEFAULT_REALM ;\n`;

describe('behind a relay agent', () => {
  let service: Service;
  let agent: Agent;
  let gateway: Gateway;

  beforeAll(async () => {
    service = await startService('each', { watchdogSeconds: 6 });
    const nextHops = service.peers.map((peer) => ({ ...peer, watchdogSeconds: 6 }));
    agent = await startAgent(nextHops, { routes: ROUTES });
    await agent.opened(1);
    gateway = await Gateway.connect(agent);
  });

  afterAll(async () => {
    gateway?.end();
    await Promise.all([agent?.stop(), service?.stop()]);
  });

  const initial = (session: string, more: readonly Buffer[] = [], from = gateway) =>
    creditControl(from, { session, type: INITIAL, number: 0 }, [
      ...more,
      subscriber(0),
      serviceUsing(PAID, {}),
    ]);
  const end = (session: string, used: number) =>
    creditControl(gateway, { session, type: TERMINATION, number: 1 }, [
      serviceUsing(PAID, { used, last: true }),
    ]);
  const workers = () => service.peers.map(({ identity }) => identity);

  /** An error of the application is an answer as any other: its own grammar, no E flag. */
  function expectRefusal(answer: Parsed, code: number): void {
    expect(resultCode(answer)).toBe(code);
    expect(answer.flags & E).toBe(0);
    expect(workers()).toContain(String(only(answer, 264)));
    expect(all(answer, 431)).toEqual([]);
  }

  /** An answer-message: E flag; from one of the workers and not from the agent. */
  function expectError(answer: Parsed, code: number): void {
    expect(resultCode(answer)).toBe(code);
    expect(answer.flags & E).toBe(E);
    expect(workers()).toContain(String(only(answer, 264)));
  }

  it('an unknown subscriber is refused with 5030', async () => {
    const stranger = group(443, [avp(450, 0), avp(444, '491799999999')]);
    const avps = creditControl(gateway, { session: 'stranger', type: INITIAL, number: 0 }, [
      stranger,
      serviceUsing(PAID, {}),
    ]);
    expectRefusal(await gateway.ask(avps), 5030);
  });

  it('an update and an end of an unknown session are refused with 5002', async () => {
    for (const [number, type] of [UPDATE, TERMINATION].entries()) {
      const avps = creditControl(gateway, { session: 'nowhere', type, number }, [
        serviceUsing(PAID, { used: 1000, last: type === TERMINATION }),
      ]);
      expectRefusal(await gateway.ask(avps), 5002);
    }
  });

  it('a request without CC-Request-Number is refused with 5005 and names it', async () => {
    const avps = initial('flawed').filter((bytes) => bytes.readUInt32BE() !== 415);
    const answer = await gateway.ask(avps);
    // A CCA cannot do without it, so that this is an answer-message: RFC 6733 7.1.5.
    expectError(answer, 5005);
    const [failed] = parseAVPs(only(answer, 279));
    expect(failed?.code).toBe(415);
  });

  it('a realm that is not served is refused with 3003, past the agent', async () => {
    const avps = initial('realm').map((bytes) =>
      bytes.readUInt32BE() === 283 ? avp(283, ELSEWHERE) : bytes,
    );
    expectError(await gateway.ask(avps), 3003);
  });

  it('a realm that the agent has no route for never comes to us: 3002 of its own', async () => {
    const avps = initial('nowhere').map((bytes) =>
      bytes.readUInt32BE() === 283 ? avp(283, 'unheard.example') : bytes,
    );
    const answer = await gateway.ask(avps);
    expect(resultCode(answer)).toBe(3002);
    expect(String(only(answer, 264))).toBe(RELAY);
  });

  it('a host that is none of ours is refused with 3002', async () => {
    const avps = initial('host', [avp(293, `ocs7.${REALM}`)]);
    expectError(await gateway.ask(avps), 3002);
  });

  it('each worker is reached by its name', async () => {
    for (const [index, { identity }] of service.peers.entries()) {
      const opened = await gateway.ask(initial(`named${index}`, [avp(293, identity)]));
      expect(resultCode(opened)).toBe(2001);
      expect(String(only(opened, 264))).toBe(identity);
      // The other one ends it.
      const other = service.peers[1 - index]!.identity;
      const ended = await gateway.ask([...end(`named${index}`, 0), avp(293, other)]);
      expect(resultCode(ended)).toBe(2001);
      expect(String(only(ended, 264))).toBe(other);
    }
  });

  it('a command that nobody knows is refused with 3001', async () => {
    expectError(await gateway.ask(initial('command'), { command: 8_388_000 }), 3001);
  });

  it('Proxy-Info comes back byte for byte and in order, Route-Record does not', async () => {
    const proxies = ['far', 'near'].map((name, index) =>
      group(284, [avp(280, `${name}.gw.example`), avp(33, Buffer.from([index, 0, 255, 254]))]),
    );
    const avps = initial('proxied', [avp(282, 'far.gw.example'), ...proxies]);
    const answer = await gateway.ask(avps);
    expect(resultCode(answer)).toBe(2001);
    const echoed = answer.avps.filter(({ code }) => code === 284).map(({ bytes }) => bytes);
    expect(Buffer.concat(echoed)).toEqual(Buffer.concat(proxies));
    // The one that the agent itself puts there: not what the request went through.
    const [route, ...more] = all(answer, 282).map(String);
    expect(workers()).toContain(route);
    expect(more).toEqual([]);
    expect(resultCode(await gateway.ask(end('proxied', 0)))).toBe(2001);
  });

  it('a request that went through one of the workers is refused as a loop with 3005', async () => {
    const avps = initial('loop', [avp(282, workers()[0]!)]);
    expectError(await gateway.ask(avps), 3005);
  });

  it('a request that came the forbidden way is refused by the Route-Record of the agent', async () => {
    const banned = await Gateway.connect(agent, 'banned');
    try {
      const opened = await banned.ask(initial('banned', [], banned));
      expectRefusal(opened, 5003);
    } finally {
      banned.end();
    }
  });

  it('a request without the P flag is relayed all the same, and answered without it', async () => {
    expect(resultCode(await gateway.ask(initial('direct'), { flags: R }))).toBe(2001);
    expect(resultCode(await gateway.ask(end('direct', 0), { flags: R }))).toBe(2001);
  });

  it('none of it cost anything, and nothing stays open', async () => {
    await assertBooks(service, expectedBalances([]));
  });
});
