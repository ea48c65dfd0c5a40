/** Limits that are given, edited and taken away while sessions hold parts of them. */
import { expect, test } from 'vitest';
import type { Bucket } from '../../src/charging/account.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { anna, charge, Rig } from './rig.ts';

const cap = (amount: number): Bucket =>
  bundle('cap', { limits: [`${anna.kind}:${anna.id}`], priority: 0, amount });

async function limited() {
  const rule = ruleOf({ quota: { size: 100, minimum: 10, maximum: 1000 } });
  const rig = new Rig(planOf([rule]));
  await rig.anna({ main: 100_000 });
  const worker = rig.worker();
  /** Gives the account these limits. */
  const limit = async (...limits: Bucket[]) => {
    const { account } = await rig.store.load({ tenant: 'blue', account: 'anna' });
    const definition = { ...account!.definition, buckets: [...limits, main] };
    expect(await rig.store.changeAccount(definition, account!.version)).toBe('changed');
    checkBooks(rig);
  };
  let number = 0;
  const ask = async (kind: 'initial' | 'update' | 'termination', used = 0) => {
    const usage = used === 0 ? {} : { used: { octets: used } };
    const asked = kind === 'termination' ? {} : { asked: { octets: 100 } };
    const services = kind === 'termination' && used === 0 ? [] : [asks({ ...usage, ...asked })];
    const part = kind === 'initial' ? { subscriber: anna } : {};
    const answer = await charge(rig, worker, requestOf(kind, number++, services, part));
    checkBooks(rig);
    if (answer === 'busy') return answer;
    return answer.services[0]?.granted?.units ?? answer.services[0]?.outcome ?? answer.outcome;
  };
  const left = async () => {
    const counters = await rig.counters();
    return [counters['a:cap'], counters['r:cap']];
  };
  return { limit, ask, left };
}

test('a limit holds from the next grant on, by its amount at that time', async () => {
  const { limit, ask, left } = await limited();
  expect(await ask('initial')).toBe(100);
  await limit(cap(30));
  expect(await ask('update', 100)).toBe(30);
  await limit(cap(90));
  expect(await left()).toEqual([60, 30]);
  expect(await ask('update', 30)).toBe(60);
  await limit(cap(40));
  expect(await ask('update', 60)).toBe('credit-limit-reached');
  expect(await left()).toEqual([-50, 0]);
});

test('a limit that is gone stops nothing, and what a grant holds of it goes with the grant', async () => {
  const { limit, ask, left } = await limited();
  await limit(cap(30));
  expect(await ask('initial')).toBe(30);
  await limit();
  expect(await left()).toEqual([0, 30]);
  expect(await ask('update', 20)).toBe(100);
  expect(await left()).toEqual([30, 0]);
  await limit();
  expect(await left()).toEqual([undefined, undefined]);
  expect(await ask('termination', 50)).toBe('success');
});

test('a limit that is back begins anew, less what a grant still holds of it', async () => {
  const { limit, ask, left } = await limited();
  await limit(cap(30));
  expect(await ask('initial')).toBe(30);
  await limit();
  await limit(cap(50));
  expect(await left()).toEqual([20, 30]);
  expect(await ask('update', 30)).toBe(20);
  expect(await ask('termination', 20)).toBe('success');
  expect(await left()).toEqual([0, 0]);
});
