/** An edited provisioning file against what was changed by other means since: member by member. */
import { describe, expect, test } from 'vitest';
import { merged } from '../../src/provisioning/merge.ts';
import type { WrittenFile, WrittenPlan } from '../../src/provisioning/schema.ts';
import { file, plan, tenant } from './configurations.ts';

/** What becomes of the configuration, and what of it was overruled. */
const met = (base: WrittenFile, edited: WrittenFile, current: WrittenFile) =>
  merged({ bases: [base], file: edited, current, all: false });

describe('peers', () => {
  const peers = (...hosts: string[]): WrittenFile => ({
    ...file([tenant('t')]),
    peers: { known: hosts.map((host) => ({ host })) },
  });

  test('that a file adds or takes out leave those that were put by other means', () => {
    const { file: result, overruled } = met(peers('a', 'b'), peers('a', 'c'), {
      ...peers('a', 'b', 'put'),
      peers: { ...peers('a', 'b', 'put').peers, realms: [{ realm: 'put' }] },
    });
    expect(result.peers).toEqual({ ...peers('a', 'c', 'put').peers, realms: [{ realm: 'put' }] });
    expect(overruled).toEqual([]);
  });

  test('that were taken out by other means stay away while the file says nothing new of them', () => {
    expect(met(peers('a', 'b'), peers('a', 'b', 'c'), peers('b')).file.peers).toEqual(
      peers('b', 'c').peers,
    );
  });

  test('leave the file as a whole: those that were put by other means stay', () => {
    const { peers: _, ...without } = peers();
    expect(met(peers('a'), without, peers('a', 'put')).file.peers).toEqual(peers('put').peers);
    expect(met(peers('a'), without, peers('a')).file.peers).toBeUndefined();
  });

  test('that stand in a file that is applied whole are as it says, others stay', () => {
    const base = peers('a', 'gone');
    const edited = { ...base, peers: { known: [{ host: 'a', strict: true }] } };
    const current = peers('a', 'gone', 'put');
    const whole = merged({ bases: [base], file: edited, current, all: true });
    expect(whole).toMatchObject({
      file: { peers: { known: [{ host: 'a', strict: true }, { host: 'put' }] } },
      overruled: [],
    });
  });
});

describe('a plan', () => {
  const of = (...plans: WrittenPlan[]) => file([tenant('t', { plans })]);
  const planOf = ({ tenants }: WrittenFile) => tenants[0]!.plans[0]!;

  test('has what either side changed of it', () => {
    const base = of(plan('0.01'));
    const edited = of(plan('0.01', { timeZone: 'Europe/Berlin' }));
    const current = of(plan('0.09', { version: 2, holidays: ['2031-12-25'] }));
    const { file: result, overruled } = met(base, edited, current);
    expect(planOf(result)).toEqual(
      plan('0.09', { version: 2, holidays: ['2031-12-25'], timeZone: 'Europe/Berlin' }),
    );
    expect(overruled).toEqual([]);
  });

  test('that both sides changed is as the file has it there, which is told', () => {
    const { file: result, overruled } = met(
      of(plan('0.01')),
      of(plan('0.02')),
      of(plan('0.09', { version: 2 })),
    );
    expect(planOf(result)).toEqual(plan('0.02', { version: 2 }));
    expect(overruled).toEqual(['tenants.t.plans.p.rules.internet.price.amount']);
    expect(
      met(of(plan('0.01')), of(plan('0.02')), of(plan('0.02', { version: 2 }))).overruled,
    ).toEqual([]);
  });

  test('whose rules have others before or after them is as the file has its rules', () => {
    const [internet] = plan('0.01').rules;
    const more = (name: string) => plan('0.01', { rules: [internet!, { ...internet!, name }] });
    const { file: result, overruled } = met(of(plan('0.01')), of(more('new')), of(more('put')));
    expect(planOf(result)).toEqual(more('new'));
    expect(overruled).toEqual(['tenants.t.plans.p.rules']);
  });

  test('that was taken out by other means is back where the file says something new of it', () => {
    const base = of(plan('1', { id: 'q' }), plan('0.01'));
    const current = of(plan('1', { id: 'q' }));
    expect(met(base, of(plan('2', { id: 'q' }), plan('0.01')), current)).toEqual({
      file: of(plan('2', { id: 'q' })),
      overruled: [],
    });
    expect(met(base, of(plan('1', { id: 'q' }), plan('0.02')), current)).toEqual({
      file: of(plan('1', { id: 'q' }), plan('0.02')),
      overruled: ['tenants.t.plans.p'],
    });
  });
});

test('a tenant has members of its own from either side, and goes as a whole', () => {
  const base = file([tenant('t'), tenant('u')]);
  const edited = file([tenant('t', { name: 'Tee' }), tenant('u')]);
  const current = file([tenant('t', { timeZone: 'Europe/Berlin' }), tenant('u', { name: 'You' })]);
  expect(met(base, edited, current).file.tenants).toEqual([
    tenant('t', { name: 'Tee', timeZone: 'Europe/Berlin' }),
    tenant('u', { name: 'You' }),
  ]);
  expect(met(base, file([tenant('t')]), current)).toMatchObject({
    file: { tenants: [tenant('t', { timeZone: 'Europe/Berlin' })] },
    overruled: ['tenants.u'],
  });
});
