/** A server that changes things: two tenants with a plan each, tokens that may write and may not. */
import { type Access, readTokens } from '../../src/http/access.ts';
import { changeConfiguration } from '../../src/provisioning/change.ts';
import { LiveConfiguration } from '../../src/provisioning/live.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { settings } from '../engine/rig.ts';
import { file, tenant } from '../provisioning/configurations.ts';
import { type Reply, serve, sha256, temporaryFile } from './fixture.ts';

export type Method = 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';

export interface Changing {
  store: Store;
  configuration: LiveConfiguration;
  url: string;
  call(
    method: Method,
    path: string,
    options?: { body?: unknown; token?: string; headers?: Record<string, string> },
  ): Promise<Reply>;
}

/** `<name>` may write for its tenant, `<name>-reader` may only read; `root` is for all tenants. */
export function scopedAccess(): Access {
  const tokens = ['blue', 'red', 'root'].flatMap((name) => {
    const tenants = name === 'root' ? 'all' : `[${name}]`;
    return [
      `  - { name: ${name}, sha256: ${sha256(name)}, tenants: ${tenants}, scope: write }`,
      `  - { name: ${name}-reader, sha256: ${sha256(`${name}-reader`)}, tenants: ${tenants} }`,
    ];
  });
  const tokensFile = temporaryFile('tokens.yaml', `tokens:\n${tokens.join('\n')}\n`);
  return readTokens(tokensFile, { tenants: ['blue', 'red'] });
}

export async function changing(
  store: Store = new MemoryStore({ partitions: 4 }),
): Promise<Changing> {
  const red = tenant('red', { currency: 'JPY', digits: 0, plans: [FREE] });
  await changeConfiguration(store, () => file([tenant('blue'), red]));
  return changingAsConfigured(store);
}

/** The same on a store that has a configuration. */
export async function changingAsConfigured(store: Store): Promise<Changing> {
  const events = { changed() {}, refused() {}, failed() {} };
  const configuration = (await LiveConfiguration.open(store, events))!;
  const { url } = await serve({
    store,
    access: scopedAccess(),
    tenants: {
      get(id) {
        const currency = configuration.current.currencyOf(id);
        return currency && { currency: currency.code, digits: currency.digits };
      },
      keys: () => configuration.current.provisioning.tenants.map(({ id }) => id).values(),
    },
    writing: {
      store,
      configuration: () => configuration.current,
      refresh: () => configuration.pass(),
      problems: ({ peers: { peers, realms, anybody } }) =>
        anybody === undefined && peers.length + realms.length === 0 ? ['nobody may connect'] : [],
      keyTtlMs: 60_000,
      asking: { store, settings, clock: () => performance.now() },
    },
  });
  return {
    ...{ store, configuration, url },
    async call(method, path, { body, token = 'root', headers = {} } = {}) {
      const reply = await fetch(`${url}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await reply.text();
      const json = text !== '' && /json/.test(reply.headers.get('content-type') ?? '');
      return {
        status: reply.status,
        headers: reply.headers,
        body: json ? JSON.parse(text) : {},
        text,
      };
    },
  };
}

export const FREE = {
  id: 'p',
  rules: [{ name: 'internet', unit: 'octets', free: true, quota: { size: 1 } }],
} as const;
