/** Every way in which a request fails, and that it is told as RFC 9457 says. */
import { connect } from 'node:net';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { openAccess } from '../../src/http/access.ts';
import { problemSchema } from '../../src/http/problem.ts';
import { createHttpServer } from '../../src/http/server.ts';
import { createLog } from '../../src/log.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { provisionedStore, type Reply, serve, sessionIdOf } from './fixture.ts';

const isProblem = new Ajv2020({ formats: { uri: (text: string) => URL.canParse(text) } }).compile(
  problemSchema,
);

function expectProblem(reply: Reply, status: number, code: string): void {
  expect(reply.headers.get('content-type')).toBe('application/problem+json');
  expect(reply.body).toMatchObject({ status, code });
  expect(reply.status).toBe(status);
  expect(isProblem(reply.body), JSON.stringify(isProblem.errors)).toBe(true);
}

test('a resource that there is not', async () => {
  const { get } = await serve();
  expectProblem(await get('/v1/sessions/none'), 404, 'SESSION_UNKNOWN');
  expectProblem(await get('/v1/accounts/none?tenant=blue'), 404, 'ACCOUNT_UNKNOWN');
  expectProblem(await get('/v1/accounts/none?tenant=green'), 404, 'TENANT_UNKNOWN');
  const reply = await get('/v1/accounts/none?tenant=blue');
  expect(reply.body).toEqual({
    type: 'urn:tollkeeper:error:account-unknown',
    title: 'Account unknown',
    status: 404,
    detail: 'There is no account none',
    code: 'ACCOUNT_UNKNOWN',
    todo: 'List them with `tollkeeper account list`.',
  });
});

test('a route or a method that there is not', async () => {
  const { get, url } = await serve();
  expectProblem(await get('/v2/sessions?subscriber=1'), 404, 'ROUTE_UNKNOWN');
  expect((await get('/v2/sessions?subscriber=1')).body.detail).toBe(
    'There is nothing at GET /v2/sessions',
  );
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
    const reply = await fetch(`${url}/v1/accounts`, { method, body: '{}' });
    expect(await reply.json()).toMatchObject({ status: 404, code: 'ROUTE_UNKNOWN' });
  }
});

test('a request that does not fit its schema is told all that is wrong', async () => {
  const { get } = await serve();
  for (const query of [
    'limit=0',
    'limit=201',
    'limit=ten',
    'limit=1.5',
    'tenant=',
    'tenant=blue&tenant=red',
    'cursor=',
    'offset=5',
  ])
    expectProblem(await get(`/v1/sessions?${query}`), 400, 'REQUEST_INVALID');
  const reply = await get('/v1/sessions?limit=0&offset=5');
  expect(reply.body.reasons).toEqual([
    'querystring offset must NOT have additional properties',
    'querystring limit must be >= 1',
  ]);
  expectProblem(await get('/v1/sessions/a?subSessionId=-1'), 400, 'REQUEST_INVALID');
});

test('an address that cannot be decoded', async () => {
  const { get } = await serve();
  expectProblem(await get('/v1/sessions/%E0%A4%A'), 400, 'REQUEST_INVALID');
  expectProblem(await get(`/v1/sessions/${'a'.repeat(5000)}`), 400, 'REQUEST_INVALID');
});

test('a store that cannot be reached', async () => {
  const store = withFaults(await provisionedStore(), () => 'refuse');
  const { get } = await serve({ store });
  for (const path of [
    '/v1/sessions?tenant=blue',
    '/v1/sessions/a',
    '/v1/accounts?tenant=blue',
    '/v1/accounts/a?tenant=blue',
  ]) {
    const reply = await get(path);
    expectProblem(reply, 503, 'STORE_UNAVAILABLE');
    expect(reply.headers.get('retry-after')).toBe('1');
  }
});

test('not ready, and why not', async () => {
  const reasons = ['no worker serves Diameter', 'Redis cannot be reached'];
  const { get } = await serve({ readiness: async () => ({ ready: false, reasons }) });
  const reply = await get('/readyz');
  expectProblem(reply, 503, 'NOT_READY');
  expect(reply.body.reasons).toEqual(reasons);
  expect((await get('/healthz')).status).toBe(200);
});

test('a defect keeps its text to the log, which is found by the number of the request', async () => {
  const store = await provisionedStore();
  store.load = () => Promise.reject(new Error('assertion: 491700000001 has 12.50'));
  const { get, lines } = await serve({ store });
  const reply = await get(`/v1/sessions/${encodeURIComponent(sessionIdOf('blue'))}`);
  expectProblem(reply, 500, 'DEFECT');
  expect(reply.text).not.toContain('assertion');
  const logged = lines.map((line) => JSON.parse(line)).find(({ level }) => level === 'error');
  expect(logged).toMatchObject({ reqId: reply.body.requestId });
  expect(logged.err.message).toContain('assertion: 49170******1');
});

describe('what is no HTTP request', () => {
  async function raw(bytes: string): Promise<string> {
    const { url } = await serve();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.end(bytes);
    let text = '';
    for await (const chunk of socket) text += chunk;
    return text;
  }

  test.each([
    ['garbage', 'garbage\r\n\r\n', 400],
    ['a TLS hello', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', 400],
    ['a Diameter message', '\x01\x00\x00\x14\x80\x00\x01\x01\x00\x00\x00\x00', 400],
    ['headers without end', `GET / HTTP/1.1\r\nx: ${'y'.repeat(40_000)}\r\n\r\n`, 431],
    ['no Host', 'GET /healthz HTTP/1.1\r\n\r\n', 400],
  ])('%s', async (_name, bytes, status) => {
    expect(await raw(bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  });

  test('garbage is answered by a problem', async () => {
    const body = JSON.parse((await raw('garbage\r\n\r\n')).split('\r\n\r\n')[1]!);
    expect(isProblem(body), JSON.stringify(isProblem.errors)).toBe(true);
  });
});

test('replies say nothing about the server and are not kept by anybody', async () => {
  const { get } = await serve();
  for (const path of ['/healthz', '/v1/sessions?tenant=blue', '/nothing']) {
    const { headers } = await get(path);
    expect(headers.get('server')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  }
});

test('a port that is taken is named', async () => {
  const { url } = await serve();
  const second = createHttpServer({
    store: await provisionedStore(),
    tenants: new Map(),
    access: openAccess,
    readiness: () => ({ ready: true, reasons: [] }),
    metrics: async () => '',
    version: '1',
    log: createLog({ level: 'silent' }),
  });
  await expect(
    second.listen({ host: '127.0.0.1', port: Number(new URL(url).port) }),
  ).rejects.toMatchObject({ code: 'PORT_UNAVAILABLE' });
  await second.close();
});
