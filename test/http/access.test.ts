/** Who sees what: nothing of one tenant is seen with another's token, however it is asked for. */
import { request as httpRequest } from 'node:http';
import { describe, expect, test } from 'vitest';
import { openAccess, readTokens } from '../../src/http/access.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createLog } from '../../src/log.ts';
import {
  NUMBER,
  provisionedStore,
  serve,
  sessionIdOf,
  sha256,
  temporaryFile,
  tenants,
  tokenAccess,
} from './fixture.ts';

const sessionPath = (tenant: string) => `/v1/sessions/${encodeURIComponent(sessionIdOf(tenant))}`;

describe('with tokens', () => {
  test('nothing but the probes and the document is shown without one', async () => {
    const { get } = await serve({ access: tokenAccess() });
    for (const path of ['/v1/sessions', sessionPath('blue'), '/v1/accounts', '/metrics']) {
      for (const token of [
        undefined,
        'green-token',
        'blue-token.',
        'BLUE-TOKEN',
        'x'.repeat(600),
      ]) {
        const { status, headers, body } = await get(path, token);
        expect([path, token, status, body.code]).toEqual([path, token, 401, 'TOKEN_REQUIRED']);
        expect(headers.get('www-authenticate')).toBe('Bearer');
      }
    }
    for (const path of ['/healthz', '/readyz', '/openapi.json'])
      expect((await get(path)).status, path).toBe(200);
  });

  test('a token works in the scheme Bearer only, in any case of its name', async () => {
    const { url } = await serve({ access: tokenAccess() });
    const status = async (authorization: string) =>
      (await fetch(`${url}/v1/sessions`, { headers: { authorization } })).status;
    expect(await status('Bearer blue-token')).toBe(200);
    expect(await status('bearer   blue-token')).toBe(200);
    expect(await status('Basic blue-token')).toBe(401);
    expect(await status(`Bearer ${sha256('blue-token')}`)).toBe(401);
    expect(await status('Bearer blue-token red-token')).toBe(401);
  });

  test("another tenant's session is not there, with the same words as one that never was", async () => {
    const { get } = await serve({ access: tokenAccess() });
    expect((await get(sessionPath('blue'), 'blue-token')).status).toBe(200);
    const foreign = await get(sessionPath('blue'), 'red-token');
    const never = await get(`${sessionPath('blue')}x`, 'red-token');
    expect(foreign.status).toBe(404);
    expect({ ...foreign.body, detail: '' }).toEqual({ ...never.body, detail: '' });
  });

  test('the same account and subscriber in two tenants are two', async () => {
    const { get } = await serve({ access: tokenAccess() });
    for (const [token, tenant, currency] of [
      ['blue-token', 'blue', 'EUR'],
      ['red-token', 'red', 'JPY'],
    ] as const) {
      const account = await get('/v1/accounts/family', token);
      expect(account.body).toMatchObject({ tenant, subscribers: [{ id: NUMBER }] });
      expect(account.text).toContain(currency);
      const accounts = await get('/v1/accounts', token);
      expect(accounts.body.accounts).toMatchObject(
        [
          { account: `${tenant}-alone`, tenant },
          { account: 'family', tenant },
        ].sort((a, b) => (a.account < b.account ? -1 : 1)),
      );
      const sessions = await get('/v1/sessions', token);
      expect(sessions.body.sessions).toMatchObject([{ tenant, sessionId: sessionIdOf(tenant) }]);
      expect(sessions.body.sessions).toHaveLength(1);
    }
  });

  test('another tenant is not there, with the same words as one that never was', async () => {
    const { get } = await serve({ access: tokenAccess() });
    for (const path of ['/v1/sessions', '/v1/accounts', '/v1/accounts/family']) {
      const foreign = await get(`${path}?tenant=red`, 'blue-token');
      const never = await get(`${path}?tenant=green`, 'blue-token');
      expect(foreign.body).toMatchObject({ status: 404, code: 'TENANT_UNKNOWN' });
      expect(foreign.text.replace('red', 'green')).toBe(never.text);
    }
    const only = await get('/v1/accounts/red-alone', 'blue-token');
    expect(only.body).toMatchObject({ status: 404, code: 'ACCOUNT_UNKNOWN' });
  });

  test('a cursor is of use in the list that it came from only', async () => {
    const { get } = await serve({ access: tokenAccess() });
    const next = (await get('/v1/accounts?limit=1', 'red-token')).body.next as string;
    expect((await get(`/v1/accounts?cursor=${next}`, 'red-token')).status).toBe(200);
    const forged = Buffer.from(JSON.stringify(['accounts', 'blue', 'a'])).toString('base64url');
    const page = await get(`/v1/accounts?cursor=${forged}`, 'blue-token');
    for (const { tenant } of page.body.accounts as { tenant: string }[])
      expect(tenant).toBe('blue');
    for (const [path, token] of [
      [`/v1/accounts?cursor=${next}`, 'blue-token'],
      [`/v1/accounts?tenant=blue&cursor=${next}`, 'root-token'],
      [`/v1/sessions?cursor=${next}`, 'red-token'],
      [`/v1/accounts?cursor=${forged}`, 'red-token'],
      ['/v1/accounts?cursor=bm9uc2Vuc2U', 'red-token'],
      [
        `/v1/sessions?cursor=${Buffer.from('["sessions","red","x y"]').toString('base64url')}`,
        'red-token',
      ],
    ] as const)
      expect((await get(path, token)).body, path).toMatchObject({ code: 'REQUEST_INVALID' });
  });

  test('what belongs to no tenant is for tokens that see all', async () => {
    const { get } = await serve({ access: tokenAccess() });
    expect((await get('/metrics', 'blue-token')).body).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
    });
    expect((await get('/metrics', 'root-token')).status).toBe(200);
  });

  test('who sees several tenants says which one, and is told which there are', async () => {
    const { get } = await serve({ access: tokenAccess() });
    const { body } = await get('/v1/accounts', 'root-token');
    expect(body).toMatchObject({ status: 400, code: 'REQUEST_INVALID' });
    expect(body.detail).toContain('tenant must be one of blue, red');
    expect((await get('/v1/accounts/family?tenant=red', 'root-token')).status).toBe(200);
  });

  test('neither token nor subject of a request is in the log', async () => {
    const { get, lines } = await serve({ access: tokenAccess() });
    await get(sessionPath('blue'), 'blue-token');
    await get(`/v1/accounts/${NUMBER}`, 'blue-token');
    await get(`/v1/nothing/${NUMBER}`, 'blue-token');
    const log = lines.join('');
    expect(log).toContain('"caller":"blue"');
    expect(log).toContain('"route":"/v1/sessions/:sessionId"');
    for (const secret of ['blue-token', NUMBER, '1876543210', 'imsi'])
      expect(log).not.toContain(secret);
  });
});

describe('without tokens', () => {
  test('an address beyond loopback is refused; with tokens it is not', async () => {
    const options = {
      store: await provisionedStore(),
      tenants,
      readiness: () => ({ ready: true, reasons: [] }),
      metrics: async () => '',
      version: '1',
      log: createLog({ level: 'silent' }),
    };
    const anywhere = { host: '0.0.0.0', port: 0 };
    const open = createHttpServer({ ...options, access: openAccess });
    await expect(open.listen(anywhere)).rejects.toMatchObject({ code: 'SETTINGS_INVALID' });
    await open.close();
    const guarded = createHttpServer({ ...options, access: tokenAccess() });
    const { port } = await guarded.listen(anywhere);
    expect((await fetch(`http://127.0.0.1:${port}/v1/accounts`)).status).toBe(401);
    await guarded.close();
  });

  test('a page in a browser cannot reach it under a name of its own', async () => {
    const { url } = await serve();
    const port = new URL(url).port;
    const status = (host: string) =>
      new Promise<number | undefined>((done, fail) => {
        httpRequest(`${url}/v1/accounts?tenant=blue`, { headers: { host } }, (reply) => {
          reply.resume();
          done(reply.statusCode);
        })
          .on('error', fail)
          .end();
      });
    expect(await status(`127.0.0.1:${port}`)).toBe(200);
    expect(await status(`localhost:${port}`)).toBe(200);
    expect(await status(`[::1]:${port}`)).toBe(200);
    expect(await status(`evil.example:${port}`)).toBe(400);
    expect(await status(`127.0.0.1.evil.example:${port}`)).toBe(400);
  });
});

describe('the file of tokens', () => {
  const problems = (text: string): string => {
    try {
      readTokens(temporaryFile('t.yaml', text), { tenants: ['blue', 'red'] });
      return 'none';
    } catch (error) {
      expect(error).toMatchObject({ code: 'HTTP_TOKENS_INVALID', exitCode: 2 });
      return (error as Error).message.split('\n').slice(1).join('\n');
    }
  };
  const digest = sha256('x');

  test('every mistake is told with its line, all at once', () => {
    expect(
      problems(
        [
          'tokens:',
          `  - { name: a, sha256: ${digest}, tenants: [blue] }`,
          `  - { name: b, sha256: ${digest}, tenants: [blue] }`,
          '  - { name: c, sha256: secret, tenants: [blue] }',
          `  - { name: d, sha256: ${sha256('d')}, tenants: green }`,
          `  - { name: e, sha256: ${sha256('e')} }`,
          `  - { name: f, sha256: ${sha256('f')}, tenants: [] }`,
          `  - { name: g, sha256: ${sha256('g')}, tenants: all, admin: true }`,
          `  - { sha256: ${sha256('h')}, tenants: all }`,
          '  - just text',
        ].join('\n'),
      ),
    ).toBe(
      [
        'line 3: b stands here twice',
        'line 4: expected `sha256`, the digest of the token as 64 hexadecimal digits',
        'line 5: expected `tenants`, a list of tenants or `all`',
        'line 6: expected `tenants`, a list of tenants or `all`',
        'line 7: expected `tenants`, a list of tenants or `all`',
        'line 8: admin is not a member of a token',
        'line 9: expected `name`, to know it by in the log',
        'line 10: expected a token',
      ].join('\n'),
    );
  });

  test('a token may name a tenant that is gone, or yet to come; that is warned of', () => {
    const text = `tokens:\n  - { name: a, sha256: ${digest}, tenants: [blue, green] }\n`;
    const warnings: string[] = [];
    const { callerOf } = readTokens(temporaryFile('t.yaml', text), {
      tenants: ['blue', 'red'],
      warn: (problem) => warnings.push(problem),
    });
    expect(warnings).toEqual(['line 2: there is no tenant green at present']);
    const caller = callerOf('Bearer x');
    expect(['blue', 'green', 'red'].map((tenant) => caller?.sees(tenant))).toEqual([
      true,
      true,
      false,
    ]);
  });

  test('what is no list of tokens is refused', () => {
    for (const text of ['', '[]', 'tokens:', 'tokens: []', 'tokens: all', 'a', 'tokens: [1'])
      expect(problems(text), text).toMatch(/^line \d+: /);
    expect(problems(`# ${'x'.repeat(1_048_576)}`)).toMatch(/larger/);
  });

  test('one that cannot be read is named', () => {
    expect(() => readTokens('/nowhere/tokens.yaml', { tenants: [] })).toThrow(
      /\/nowhere\/tokens.yaml cannot be read/,
    );
  });
});
