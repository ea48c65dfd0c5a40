/** Requests of the service to a gateway behind a relay agent: there and back through it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ASR, all, only, P, type Parsed, R, RAR, resultCode, T } from '../peer/raw.ts';
import { type Agent, startAgent } from './agent.ts';
import { assertBooks } from './books.ts';
import { Gateway } from './gateway.ts';
import { type Service, startService } from './service.ts';
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

const [DESTINATION_HOST, RATING_GROUP, ROUTE_RECORD] = [293, 432, 282];

describe('a gateway behind a relay agent', () => {
  let service: Service;
  let agent: Agent;
  let gateway: Gateway;

  beforeAll(async () => {
    service = await startService('each', { watchdogSeconds: 6 });
    agent = await startAgent(service.peers.map((peer) => ({ ...peer, watchdogSeconds: 6 })));
    await agent.opened(1);
    gateway = await Gateway.connect(agent);
  });

  afterAll(async () => {
    gateway?.end();
    await Promise.all([agent?.stop(), service?.stop()]);
  });

  const open = async (session: string) =>
    resultCode(
      await gateway.ask(
        creditControl(gateway, { session, type: INITIAL, number: 0 }, [
          subscriber(0),
          serviceUsing(PAID, {}),
        ]),
      ),
    );

  /** The next request of the service for a session, once it is here. */
  async function asked(session: string): Promise<Parsed> {
    const of = ({ avps }: Parsed) => String(only(avps, 263)).endsWith(session);
    return new Promise((resolve) => {
      const look = (): void => {
        const at = gateway.asked.findIndex(of);
        if (at >= 0) resolve(gateway.asked.splice(at, 1)[0]!);
        else setImmediate(look);
      };
      look();
    });
  }

  it('is asked to re-authorise, by a command, and what it then reports is the answer', async () => {
    expect(await open('asked;1')).toBe(2001);
    gateway.behaviour = () => 2002;
    const told = await service.ask('session', 'reauthorise', idOf('asked;1'), '--rating-group=1');
    expect(told).toMatchObject({ exit: 0, objects: [{ outcome: 'asked' }] });
    const request = await asked('asked;1');
    expect(request).toMatchObject({ command: RAR, application: 4, flags: R | P });
    expect(String(only(request, DESTINATION_HOST))).toBe(gateway.identity);
    expect(only(request, RATING_GROUP).readUInt32BE()).toBe(1);
    // The agent passed it on, and says who it had it from.
    const [from] = all(request, ROUTE_RECORD).map(String);
    expect(service.peers.map(({ identity }) => identity)).toContain(from);
    const update = creditControl(gateway, { session: 'asked;1', type: UPDATE, number: 1 }, [
      serviceUsing(PAID, { used: 0 }),
    ]);
    expect(resultCode(await gateway.ask(update))).toBe(2001);
  });

  it('does not answer: asked again with T, through the agent', async () => {
    expect(await open('asked;2')).toBe(2001);
    let lost = 1;
    gateway.behaviour = () => (lost-- > 0 ? undefined : 2002);
    await service.ask('session', 'reauthorise', idOf('asked;2'));
    const [first, second] = [await asked('asked;2'), await asked('asked;2')];
    expect(first.flags & T).toBe(0);
    expect(second.flags & T).toBe(T);
    expect(second.endToEnd).toBe(first.endToEnd);
  });

  it('is asked to end a session, and does', async () => {
    expect(await open('asked;3')).toBe(2001);
    gateway.behaviour = () => 2001;
    await service.ask('session', 'abort', idOf('asked;3'));
    expect(await asked('asked;3')).toMatchObject({ command: ASR, application: 4 });
  });

  it('ends all of them, and the books are right', async () => {
    for (const [session, number] of [
      ['asked;1', 2],
      ['asked;2', 1],
      ['asked;3', 1],
    ] as const) {
      const last = creditControl(gateway, { session, type: TERMINATION, number }, [
        serviceUsing(PAID, { used: 0, last: true }),
      ]);
      expect(resultCode(await gateway.ask(last))).toBe(2001);
    }
    await assertBooks(service, expectedBalances([]));
  });

  it('is gone: the agent says so, and it is asked again when it is back', async () => {
    expect(await open('asked;4')).toBe(2001);
    const { stdout } = agent.process;
    let from = stdout.length;
    gateway.end();
    await stdout.until(/terminated.*'client\.gw\.example'/, { from });
    from = stdout.length;
    await service.ask('session', 'reauthorise', idOf('asked;4'));
    // An error of the agent's own: no gateway is there to answer. What the gateway owed when it ended
    // was refused, too: this is the refusal that follows the request.
    const passedOn = await stdout.until(/RCV from 'ocs\d\.tollkeeper\.example': .*\/258 f:R/, {
      from,
    });
    from = stdout.indexOf(passedOn, from);
    await stdout.until(/SND to 'ocs\d\.tollkeeper\.example': .*\/258 f:-/, { from });
    gateway = await Gateway.connect(agent);
    expect((await asked('asked;4')).flags & T).toBe(T);
  });

  const idOf = (session: string) => `${gateway.identity};1;${session}`;
});
