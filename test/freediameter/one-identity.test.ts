/** One identity for both workers: the agent's connection moves when the worker that holds it dies. */
import { kill } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Agent, logged, startAgent } from './agent.ts';
import { assertBooks } from './books.ts';
import { agentLeaves, serviceLeaves } from './farewell.ts';
import { Gateway } from './gateway.ts';
import { type Service, startService } from './service.ts';
import { expectedBalances, NEEDLESS_COPIES, numbersTo, runSessions, SESSIONS } from './sessions.ts';

const [CEA, DWR] = [257, 280];
const KILL_AFTER_ANSWERS = 2000;

describe('an agent between gateways and two workers with one identity', () => {
  let service: Service;
  let agent: Agent;
  let gateway: Gateway;

  beforeAll(async () => {
    service = await startService('shared', { watchdogSeconds: 10 });
    // Tw of the first agent is always the longer, of the second always the shorter.
    agent = await startAgent([{ ...service.peers[0]!, watchdogSeconds: 30 }]);
    await agent.opened(0);
    gateway = await Gateway.connect(agent);
  });

  afterAll(async () => {
    gateway?.end();
    await agent?.stop();
    await service?.stop();
  });

  it('exchanges capabilities', () => {
    const { identity: peer } = service.peers[0]!;
    const answered = logged('RCV from', { peer, code: CEA, request: false });
    expect(agent.process.stdout.matching(answered)).toHaveLength(1);
  });

  it('charges a thousand sessions to the unit, the worker killed that holds the connection', async () => {
    const { identity, port } = service.peers[0]!;
    const victim = service.holderOf(port);
    const all = numbersTo(SESSIONS);
    const answers = await runSessions(all, {
      gateway,
      agent,
      onAnswer: (answered) => {
        if (answered === KILL_AFTER_ANSWERS) kill(victim, 'SIGKILL');
      },
    });
    expect([...answers.keys()]).toEqual([identity]);
    // For as long as the agent had no connection, it refused what came.
    expect(gateway.copies).toBeGreaterThan(NEEDLESS_COPIES);
    expect(service.holderOf(port)).not.toBe(victim);
    const failedOver = new RegExp(`FAILOVER from '${identity}': .*/272 f:R`);
    expect(agent.process.stdout.matching(failedOver)).not.toEqual([]);
    await service.process.stderr.until(/a worker ended and is started again/);
    await assertBooks(service, expectedBalances(all));
  }, 90_000);

  it('asks a silent agent for a sign of life', async () => {
    const { identity: peer } = service.peers[0]!;
    const { stdout } = agent.process;
    const from = stdout.length;
    await stdout.until(logged('RCV from', { peer, code: DWR, request: true }), { from });
    await stdout.until(logged('SND to', { peer, code: DWR, request: false }), { from });
  });

  it('lets the agent take leave', () => agentLeaves(agent, service));

  it('gives the agent that came after it a sign of life, and takes leave of it', async () => {
    const { identity: peer } = service.peers[0]!;
    agent = await startAgent([{ ...service.peers[0]!, watchdogSeconds: 6 }]);
    const { stdout } = agent.process;
    await stdout.until(logged('SND to', { peer, code: DWR, request: true }));
    await stdout.until(logged('RCV from', { peer, code: DWR, request: false }));
    await serviceLeaves(agent, service);
  });
});
