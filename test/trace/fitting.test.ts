/** A provisioning file that fits a capture. */
import { expect, test } from 'vitest';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { writeProvisioning } from '../../src/provisioning/write.ts';
import { Fitting } from '../../src/trace/fitting.ts';
import { sampleTrace } from '../../src/trace/sample.ts';
import type { TraceEntry } from '../../src/trace/trace-file.ts';
import { avp, message } from './toy-server.ts';

function entry(avps: Buffer[]): TraceEntry {
  const header = { command: 272, flags: 0xc0, application: 4, hopByHop: 0, endToEnd: 0 };
  const request = message(header, avps);
  return { atUs: 0, connection: 0, session: 's', afterAnswer: false, request };
}

const id = (kind: number, value: string) =>
  avp(443, Buffer.concat([avp(450, kind), avp(444, value)]));
const service = (...avps: Buffer[]) => avp(456, Buffer.concat(avps));

function loaded(entries: TraceEntry[]) {
  const fitting = new Fitting();
  for (const each of entries) fitting.add(each);
  const result = loadProvisioning(writeProvisioning(fitting.file(), 'a test'), 'fitting.yaml');
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return { tenant: result.provisioning.tenants[0]!, notes: fitting.notes };
}

test('every subscriber has an account, found by each identity', () => {
  const { tenant } = loaded([
    entry([id(0, '491701'), id(1, '262010000000001')]),
    entry([id(1, '262010000000001'), id(0, '491702')]),
    entry([id(0, '491703')]),
    entry([id(2, 'sip:a@b.example')]),
    entry([]),
  ]);
  const identities = [...tenant.accounts].map(({ definition }) => definition.subscribers);
  expect(identities).toHaveLength(3);
  expect(JSON.stringify(identities[0])).toMatch(/491701.*262010000000001.*491702/);
});

test('a number is provisioned without the plus sign that a client may send', () => {
  const { tenant, notes } = loaded([entry([id(0, '+491701')]), entry([id(0, '491701')])]);
  const identities = [...tenant.accounts].map(({ definition }) => definition.subscribers);
  expect({ identities, notes }).toEqual({ identities: [['e164:491701']], notes: [] });
});

test('every service has a rule in the unit that it counts', () => {
  const octets = avp(437, avp(421, Buffer.alloc(8)));
  const seconds = avp(446, avp(420, 30));
  const { tenant } = loaded([
    entry([id(0, '1'), avp(461, '32251@3gpp.org'), service(avp(432, 7), octets), service(octets)]),
    entry([avp(461, '32251@3gpp.org'), service(avp(432, 8), avp(437, ''), seconds)]),
    entry([avp(461, 'plain.context'), avp(437, avp(417, Buffer.alloc(8)))]),
    entry([avp(461, '32260@3gpp.org'), service(avp(432, 1), avp(437, ''))]),
    entry([avp(461, 'money'), avp(437, avp(413, avp(445, avp(447, Buffer.alloc(8)))))]),
  ]);
  const rules = tenant.plans[0]!.rules.map((rule) => JSON.stringify(rule));
  expect(rules).toHaveLength(5);
  expect(rules[0]).toMatch(/octets.*7|7.*octets/);
  expect(rules[1]).toMatch(/seconds/);
  expect(rules[2]).toMatch(/plain\.context/);
  expect(rules[3]).toMatch(/32260@3gpp\.org.*seconds|seconds.*32260@3gpp\.org/);
  expect(rules[4]).toMatch(/"money"/);
});

test('the file of the sample trace loads and has its 20 subscribers', () => {
  const { tenant, notes } = loaded(sampleTrace());
  expect(tenant.accounts.count).toBe(20);
  expect(notes).toEqual([]);
});

test('what cannot be provisioned is said, and the rest still loads', () => {
  const { tenant, notes } = loaded([entry([id(1, 'IMSI1'), avp(461, 'two words')]), entry([])]);
  expect(notes).toEqual([
    'an identity of kind imsi is not well formed',
    'a Service-Context-Id is not well formed',
  ]);
  expect(tenant.accounts.count).toBe(0);
});
