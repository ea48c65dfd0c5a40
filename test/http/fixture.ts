/**
 * Two tenants that have an account and a subscriber of the same name, with an open session each,
 * behind a real HTTP server on a free port.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type AccountDefinition,
  availableField,
  reservedField,
} from '../../src/charging/account.ts';
import type { Session } from '../../src/charging/session.ts';
import { type Access, openAccess, readTokens } from '../../src/http/access.ts';
import { createHttpServer, type HttpOptions } from '../../src/http/server.ts';
import { createLog } from '../../src/log.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';

export const NUMBER = '491700000001';
export const OPENED_AT = Date.UTC(2026, 0, 2, 3, 4, 5);
export const tenants = new Map([
  ['blue', { currency: 'EUR', digits: 6 }],
  ['red', { currency: 'JPY', digits: 0 }],
]);

export function definition(tenant: string, account: string): AccountDefinition {
  return {
    tenant,
    account,
    plan: 'prepaid',
    status: 'active',
    maxSessions: 10,
    subscribers: account === 'family' ? [`e164:${NUMBER}`] : [],
    buckets: [
      { id: 'bundle', unit: 'octets', priority: 10, floor: 0, paysFor: ['internet'] },
      { id: 'main', unit: 'money', priority: 100, floor: -500 },
    ],
  };
}

export const sessionIdOf = (tenant: string): string =>
  `pgw1.epc.example;1876543210;${tenant};imsi/26201 00&?#é`;

export function session(tenant: string, more: Partial<Session> = {}): Session {
  return {
    sessionId: sessionIdOf(tenant),
    account: { tenant, account: 'family' },
    subscriber: { kind: 'e164', id: NUMBER },
    client: { host: 'pgw1.epc.example', realm: 'epc.example' },
    context: '32251@3gpp.org',
    state: 'open',
    openedAt: OPENED_AT,
    changedAt: OPENED_AT + 1_000,
    superviseAt: OPENED_AT + 86_400_000,
    armedAt: OPENED_AT + 86_400_000,
    services: [
      {
        ratingGroup: 1,
        serviceIds: [7],
        rule: 'internet',
        planVersion: 3,
        unit: 'octets',
        used: 2_048,
        rated: 1_024,
        cost: 1_234_567,
        grant: {
          units: 1_500,
          final: true,
          validUntil: OPENED_AT + 3_600_000,
          parts: [
            { bucket: 'bundle', units: 1_000, amount: 1_000 },
            { bucket: 'main', units: 500, amount: 25 },
          ],
        },
      },
      { serviceIds: [], rule: 'free', planVersion: 3, unit: 'seconds', used: 0, rated: 0, cost: 0 },
    ],
    answers: [],
    seen: [[0, 1]],
    ...more,
  };
}

/** Opens a session in the store as the engine would, its grants reserved. */
export async function open(store: Store, value: Session): Promise<void> {
  const { account } = value;
  const key = value.subSessionId ? `${value.sessionId}\n${value.subSessionId}` : value.sessionId;
  await store.bind(key, account, 600_000);
  const { epoch, account: found } = await store.load(account);
  const reply = await store.commit({
    account,
    epoch,
    accountVersion: found!.version,
    session: { key, expected: 0, value, index: 'open', timer: value.armedAt },
    movements: [
      { field: availableField('bundle'), delta: -1_000 },
      { field: reservedField('bundle'), delta: 1_000 },
      { field: availableField('main'), delta: -25 },
      { field: reservedField('main'), delta: 25 },
      { field: 'n:open', delta: 1 },
    ],
    record: {
      kind: 'initial',
      at: value.openedAt,
      account,
      outcome: 'success',
      services: [],
      changes: [
        { bucket: 'bundle', cause: 'reserve', available: -1_000, reserved: 1_000 },
        { bucket: 'main', cause: 'reserve', available: -25, reserved: 25 },
      ],
    },
  });
  if (reply.kind !== 'committed') throw new Error(reply.kind);
  await store.keepBinding(key, account, 86_400_000);
}

export async function provision(store: Store): Promise<void> {
  for (const tenant of ['blue', 'red']) {
    await store.createAccount(definition(tenant, 'family'), { bundle: 5_000, main: 20_000_000 });
    await store.createAccount(definition(tenant, `${tenant}-alone`), {});
    await open(store, session(tenant));
  }
}

export async function provisionedStore(): Promise<MemoryStore> {
  const store = new MemoryStore({ partitions: 8 });
  await provision(store);
  return store;
}

export interface Serving {
  url: string;
  /** Lines of the log. */
  lines: string[];
  get(path: string, token?: string): Promise<Reply>;
}

export interface Reply {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
  text: string;
}

/** A server that is closed when the test ends. */
export async function serve(
  options: Partial<HttpOptions> & { access?: Access } = {},
): Promise<Serving> {
  const lines: string[] = [];
  const server = createHttpServer({
    store: options.store ?? (await provisionedStore()),
    tenants,
    access: openAccess,
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: async () => '# HELP tollkeeper_ready x\n',
    version: '1.2.3',
    log: createLog({ level: 'trace', readable: false, write: (line) => lines.push(line) }),
    ...options,
  });
  const { url } = await server.listen({ host: '127.0.0.1', port: 0 });
  onTestFinished(() => server.close());
  return {
    url,
    lines,
    async get(path, token) {
      const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
      const reply = await fetch(`${url}${path}`, { headers });
      const text = await reply.text();
      const json = /json/.test(reply.headers.get('content-type') ?? '');
      return {
        status: reply.status,
        headers: reply.headers,
        body: json ? (JSON.parse(text) as Record<string, unknown>) : {},
        text,
      };
    },
  };
}

/** A file in a folder that is removed when the test ends. */
export function temporaryFile(name: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'tk-http-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

export const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex');

/** Tokens `blue-token`, `red-token` (one tenant each) and `root-token` (all of them). */
export function tokenAccess(): Access {
  const file = temporaryFile(
    'tokens.yaml',
    `tokens:
  - { name: blue, sha256: ${sha256('blue-token')}, tenants: [blue] }
  - { name: red, sha256: ${sha256('red-token').toUpperCase()}, tenants: [red] }
  - { name: root, sha256: ${sha256('root-token')}, tenants: all }
`,
  );
  return readTokens(file, { tenants: [...tenants.keys()] });
}
