/** The OpenAPI document against what the routes really answer. */
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { provisionedStore, type Serving, serve, sessionIdOf, tokenAccess } from './fixture.ts';

interface Operation {
  operationId: string;
  summary: string;
  security?: object[];
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  responses: Record<string, { description: string; content: Record<string, { schema: object }> }>;
}

interface Document {
  openapi: string;
  paths: Record<string, { get: Operation }>;
  components: { schemas: Record<string, object>; securitySchemes?: object };
}

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

async function documentOf({ get }: Serving): Promise<Document> {
  const { status, body } = await get('/openapi.json');
  expect(status).toBe(200);
  return body as unknown as Document;
}

/** A validator of one response of the document, its references resolved within the document. */
function validatorOf(document: Document, pointer: string): ValidateFunction {
  const ajv = new Ajv2020({
    strict: false,
    formats: { 'date-time': DATE_TIME, uri: (text: string) => URL.canParse(text) },
  });
  ajv.addSchema(document, 'document');
  return ajv.compile({ $ref: `document#${pointer}` });
}

/** Checks one reply against what the document says of its route, status and content type. */
async function check(
  serving: Serving,
  document: Document,
  route: string,
  path: string,
  bearer?: string,
): Promise<number> {
  const reply = await serving.get(path, bearer);
  const responses = document.paths[route]!.get.responses;
  const type = reply.headers.get('content-type')!;
  const response = responses[reply.status];
  expect(response, `${route} ${reply.status}`).toBeDefined();
  const found = Object.keys(response!.content).find(
    (one) => type === one || type === `${one}; charset=utf-8`,
  );
  expect(found, `${route} ${reply.status} ${type}`).toBeDefined();
  const token = (name: string) => name.replaceAll('~', '~0').replaceAll('/', '~1');
  const pointer = ['paths', route, 'get', 'responses', String(reply.status), 'content', found!]
    .map((name) => `/${encodeURIComponent(token(name))}`)
    .join('');
  const validate = validatorOf(document, `${pointer}/schema`);
  const body = /json/.test(type) ? reply.body : reply.text;
  expect(validate(body), `${path}: ${JSON.stringify(validate.errors)}`).toBe(true);
  return reply.status;
}

test('what the routes answer is what the document says, for every route and kind of reply', async () => {
  const serving = await serve({ access: tokenAccess() });
  const document = await documentOf(serving);
  const id = encodeURIComponent(sessionIdOf('blue'));
  const calls: [route: string, path: string, token: string | undefined, status: number][] = [
    ['/v1/sessions', '/v1/sessions?limit=1', 'blue-token', 200],
    ['/v1/sessions', '/v1/sessions', undefined, 401],
    ['/v1/sessions', '/v1/sessions', 'root-token', 400],
    ['/v1/sessions', '/v1/sessions?tenant=x', 'root-token', 404],
    ['/v1/sessions/{sessionId}', `/v1/sessions/${id}`, 'blue-token', 200],
    ['/v1/sessions/{sessionId}', `/v1/sessions/${id}`, 'red-token', 404],
    ['/v1/accounts', '/v1/accounts?limit=1', 'blue-token', 200],
    ['/v1/accounts/{account}', '/v1/accounts/family', 'red-token', 200],
    ['/v1/accounts/{account}', '/v1/accounts/none', 'red-token', 404],
    ['/healthz', '/healthz', undefined, 200],
    ['/readyz', '/readyz', undefined, 200],
    ['/metrics', '/metrics', 'root-token', 200],
    ['/metrics', '/metrics', 'red-token', 403],
    ['/openapi.json', '/openapi.json', undefined, 200],
  ];
  for (const [route, path, token, status] of calls)
    expect(await check(serving, document, route, path, token), path).toBe(status);
  const called = new Set(calls.map(([route]) => route));
  expect([...called].sort()).toEqual(Object.keys(document.paths).sort());
});

test('so are the replies of a server in trouble', async () => {
  const serving = await serve({
    store: withFaults(await provisionedStore(), () => 'refuse'),
    readiness: () => ({ ready: false, reasons: ['no Redis'] }),
    metrics: () => Promise.reject(new Error('no figures')),
  });
  const document = await documentOf(serving);
  expect(await check(serving, document, '/readyz', '/readyz')).toBe(503);
  expect(await check(serving, document, '/metrics', '/metrics')).toBe(500);
  expect(await check(serving, document, '/v1/accounts', '/v1/accounts?tenant=blue')).toBe(503);
});

test('the check finds what differs', async () => {
  const serving = await serve();
  const document = await documentOf(serving);
  const { properties } = document.components.schemas.Account as { properties: object };
  Object.assign(properties, { plan: { type: 'integer' } });
  await expect(
    check(serving, document, '/v1/accounts/{account}', '/v1/accounts/family?tenant=blue'),
  ).rejects.toThrow(/plan/);
});

test('the document is OpenAPI 3.1 with every parameter, reference and operation in order', async () => {
  const serving = await serve({ access: tokenAccess() });
  const document = await documentOf(serving);
  expect(document.openapi).toBe('3.1.0');
  const ids = Object.values(document.paths).map(({ get }) => get.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [route, { get }] of Object.entries(document.paths)) {
    const named = get.parameters.filter((one) => one.in === 'path').map(({ name }) => name);
    expect(named, route).toEqual([...route.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    expect(get.summary, route).toMatch(/^[A-Z]/);
    for (const response of Object.values(get.responses)) expect(response.description).not.toBe('');
  }
  for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)) {
    const name = /^#\/components\/schemas\/(\w+)$/.exec(reference!)?.[1];
    expect(document.components.schemas, reference).toHaveProperty(name!);
  }
  expect(document.paths['/healthz']!.get.security).toEqual([]);
  expect(document.paths['/v1/sessions']!.get.security).toEqual([{ token: [] }]);
  const sub = document.paths['/v1/sessions/{sessionId}']!.get.parameters[1];
  expect(sub).toMatchObject({ name: 'subSessionId', in: 'query', required: false });
});

test('without tokens the document asks for none', async () => {
  const document = await documentOf(await serve());
  expect(document.components.securitySchemes).toBeUndefined();
  expect(document.paths['/v1/sessions']!.get.responses).not.toHaveProperty('401');
});
