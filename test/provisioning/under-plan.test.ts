/** Clients are asked to re-authorise when their account is put with another plan, also if it was stopped. */
import { expect, test } from 'vitest';
import type { Service } from '../../src/charging/session.ts';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { putAccount } from '../../src/provisioning/edit-account.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { open, session } from '../http/fixture.ts';
import { file, load, plan, tenant } from './configurations.ts';

const at = { tenant: 'blue', account: 'family' };

/** An account of plan p with an open session of this service, and how often its clients are asked. */
async function serving(service: Partial<Service>, sessions = 1) {
  const store: Store = new MemoryStore({ partitions: 4 });
  const plans = [plan('0.01'), plan('0.02', { id: 'q' })];
  const buckets = [
    { id: 'bundle', unit: 'octets', opening: 500_000 },
    { id: 'main', unit: 'money', opening: '20' },
  ] as const;
  const accounts = [{ id: 'family', plan: 'p', buckets }];
  const written = file([tenant('blue', { plans, accounts })]);
  const { configuration } = await applyFile(store, load(written), { all: true });
  const [first] = session('blue').services;
  for (let i = 0; i < sessions; i++) {
    const services = i < sessions - 1 ? [] : [{ ...first!, ...service }];
    await open(store, session('blue', { sessionId: `gw.example;${i}`, services }));
  }
  let asked = 0;
  const put = (id: string, { stops = false } = {}) =>
    putAccount(
      {
        ...{ store, configuration },
        async askClients() {
          if (stops) throw new Error('stopped');
          asked += 1;
          return { kind: 'done', asked: 1 };
        },
      },
      at,
      { plan: id, maxSessions: 500 },
    );
  return { put, asked: () => asked };
}

test.each([1, 250])('a put that was stopped before is repeated (%s sessions)', async (sessions) => {
  const { put, asked } = await serving({ plan: 'p' }, sessions);
  await expect(put('q', { stops: true })).rejects.toThrow('stopped');
  expect(asked()).toBe(0);
  await put('q');
  expect(asked()).toBe(1);
});

test.each<[string, Partial<Service>]>([
  ['under the plan', { plan: 'q' }],
  ['that are of no known plan', {}],
  ['that are over', { plan: 'p', grant: undefined }],
])('nobody is asked again for services %s', async (_, service) => {
  const { put, asked } = await serving(service);
  await put('q');
  expect(asked()).toBe(1);
  await put('q');
  expect(asked()).toBe(1);
});

test('a service that was refused credit under another plan is asked for', async () => {
  const { put, asked } = await serving({ plan: 'p', grant: undefined, exhausted: 'refused' });
  await expect(put('q', { stops: true })).rejects.toThrow('stopped');
  await put('q');
  expect(asked()).toBe(1);
});
