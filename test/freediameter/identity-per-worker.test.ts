/** An identity for each worker: the agent spreads its load over both, and one of them is killed. */
import { kill } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, logged, startAgent } from './agent.ts';
import { assertBooks } from './books.ts';
import { agentLeaves, serviceLeaves } from './farewell.ts';
import { Gateway } from './gateway.ts';
import { type Service, startService } from './service.ts';
import { expectedBalances, numbersTo, runSessions, SESSIONS } from './sessions.ts';

const [CEA, DWR] = [257, 280];
const KILL_AFTER_ANSWERS = 2000;
/** Sessions that only begin when the killed worker is in use again. */
const LATER = 200;

describe('an agent between gateways and two workers with an identity each', () => {
  let service: Service;
  let agent: Agent;
  let gateway: Gateway;

  beforeAll(async () => {
    service = await startService('each', { watchdogSeconds: 10 });
    const [first, second] = service.peers;
    // Tw of one is always the longer, of the other always the shorter: both sides must ask.
    agent = await startAgent([
      { ...first!, watchdogSeconds: 30 },
      { ...second!, watchdogSeconds: 6 },
    ]);
    await agent.opened(1);
    gateway = await Gateway.connect(agent);
  });

  afterAll(async () => {
    gateway?.end();
    await Promise.all([agent?.stop(), service?.stop()]);
  });

  it('exchanges capabilities with both', () => {
    for (const { identity } of service.peers) {
      const answered = logged('RCV from', { peer: identity, code: CEA, request: false });
      expect(agent.process.stdout.matching(answered)).toHaveLength(1);
    }
  });

  it('charges a thousand sessions to the unit, one worker killed in the middle', async () => {
    const { identity, port } = service.peers[0]!;
    const before = service.workers();
    const victim = service.holderOf(port);
    const opens = agent.opens();
    const all = numbersTo(SESSIONS);
    const early = await runSessions(all.slice(0, -LATER), {
      gateway,
      agent,
      onAnswer: (answered) => {
        if (answered === KILL_AFTER_ANSWERS) kill(victim, 'SIGKILL');
      },
    });
    const failedOver = new RegExp(`FAILOVER from '${identity}': .*/272 f:R`);
    expect(agent.process.stdout.matching(failedOver)).not.toEqual([]);
    for (const { identity } of service.peers)
      expect(early.get(identity)).toBeGreaterThan(KILL_AFTER_ANSWERS / 4);

    await agent.opened(opens);
    expect(service.workers()).toHaveLength(2);
    expect(before).not.toContain(service.holderOf(port));
    const late = await runSessions(all.slice(-LATER), { gateway, agent });
    for (const { identity } of service.peers) expect(late.get(identity)).toBeGreaterThan(LATER);

    await assertBooks(service, expectedBalances(all));
  }, 90_000);

  it('keeps silent connections alive from both sides', async () => {
    const [first, second] = service.peers;
    const from = agent.process.stdout.length;
    const seen = (way: 'RCV from' | 'SND to', peer: string, request: boolean) =>
      agent.process.stdout.until(logged(way, { peer, code: DWR, request }), { from });
    await Promise.all([
      seen('RCV from', first!.identity, true),
      seen('SND to', first!.identity, false),
      seen('SND to', second!.identity, true),
      seen('RCV from', second!.identity, false),
    ]);
  });

  it('lets the agent take leave', () => agentLeaves(agent, service));

  it('takes leave of the agent that came after it', async () => {
    agent = await startAgent(service.peers.map((peer) => ({ ...peer, watchdogSeconds: 6 })));
    await agent.opened(1);
    await serviceLeaves(agent, service);
  });
});
