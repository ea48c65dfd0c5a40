/** How a connection between the agent and Tollkeeper ends in order, RFC 6733 5.4, either side first. */
import assert from 'node:assert/strict';
import { type Agent, logged } from './agent.ts';
import type { Service } from './service.ts';

const DPR = 282;

/** Ends the agent: it says so to each worker, has an answer, and is let go. */
export async function agentLeaves(agent: Agent, service: Service): Promise<void> {
  const { stdout } = agent.process;
  const { stderr } = service.process;
  const [from, fromLog] = [stdout.length, stderr.length];
  assert.equal(await agent.stop(), 0);
  for (const { identity: peer } of service.peers) {
    const sent = logged('SND to', { peer, code: DPR, request: true });
    const answered = logged('RCV from', { peer, code: DPR, request: false });
    assert.equal(stdout.matching(sent, from).length, 1);
    assert.equal(stdout.matching(answered, from).length, 1);
  }
  for (let left = 0, at = fromLog; left < service.peers.length; left++) {
    const line = await stderr.until(/"reason":"peer left"/, { from: at });
    at = stderr.indexOf(line, at) + 1;
  }
}

/** Ends Tollkeeper: each worker says that it is going to be back, and has an answer. */
export async function serviceLeaves(agent: Agent, service: Service): Promise<void> {
  const { stdout } = agent.process;
  const from = stdout.length;
  assert.equal(await service.stop(), 0);
  for (const { identity: peer } of service.peers) {
    const told = new RegExp(`Peer '${peer}' sent a DPR with cause: REBOOTING`);
    await stdout.until(told, { from });
    await stdout.until(logged('SND to', { peer, code: DPR, request: false }), { from });
  }
}
