/** The configuration over HTTP: part by part, conditional, repeatable, each tenant for itself. */
import { expect, test } from 'vitest';
import { file, plan, tenant } from '../provisioning/configurations.ts';
import { changing, FREE } from './changing.ts';

const code = ({ body }: { body: Record<string, unknown> }) => body.code;

test('a plan is put in place, read back, and put again without a change', async () => {
  const { call, store, configuration } = await changing();
  const { id: _, ...body } = plan('0.02');
  const put = await call('PUT', '/v1/plans/p?tenant=blue', { body });
  expect(put).toMatchObject({ status: 200, body: { id: 'p', version: 2, ...body } });
  expect(configuration.current.plan('blue', 'p')).toMatchObject({ version: 2 });
  const read = await call('GET', '/v1/plans/p?tenant=blue', { token: 'blue-reader' });
  expect(read.body).toEqual(put.body);
  expect(read.headers.get('etag')).toBe(put.headers.get('etag'));
  const stamp = await store.configurationStamp();
  const again = await call('PUT', '/v1/plans/p?tenant=blue', { body });
  expect(again).toMatchObject({ status: 200, body: put.body });
  expect(await store.configurationStamp()).toBe(stamp);
  const old = await call('GET', '/v1/plans/p?version=1', { token: 'blue' });
  expect(old.body).toEqual({ ...plan('0.01'), version: 1 });
  const version = async (path: string) => code(await call('GET', path, { token: 'blue' }));
  expect(await version('/v1/plans/p?version=9')).toBe('PLAN_VERSION_UNKNOWN');
  expect(await version('/v1/plans/none?version=1')).toBe('PLAN_UNKNOWN');
});

test('on how many workers a change is in effect is told', async () => {
  const { call, store } = await changing();
  const told = async (method: 'PUT' | 'DELETE') => {
    const { id: _, ...body } = plan('0.02');
    const request = { token: 'blue', ...(method === 'PUT' ? { body } : {}) };
    const { status, headers } = await call(method, '/v1/plans/extra', request);
    return [status, headers.get('tollkeeper-in-effect')];
  };
  expect(await told('PUT')).toEqual([201, '0/0']);
  await store.announce(`configuration/host-0/${await store.configurationStamp()}`, 60_000);
  expect(await told('PUT')).toEqual([200, '1/1']);
  // What host-0 has is not what the store has any more.
  expect(await told('DELETE')).toEqual([204, '0/1']);
});

test('a new plan and a new tenant are created, and taken out again', async () => {
  const { call } = await changing();
  const second = { ...FREE, id: 'second' };
  const made = await call('PUT', '/v1/plans/second', { body: second, token: 'blue' });
  expect(made).toMatchObject({ status: 201, body: { id: 'second', version: 1 } });
  const { body } = await call('GET', '/v1/plans', { token: 'blue' });
  expect((body.plans as { id: string }[]).map(({ id }) => id)).toEqual(['p', 'second']);
  expect((await call('DELETE', '/v1/plans/second', { token: 'blue' })).status).toBe(204);
  expect((await call('DELETE', '/v1/plans/second', { token: 'blue' })).status).toBe(204);
  expect((await call('GET', '/v1/plans/second', { token: 'blue' })).status).toBe(404);

  const { id: _, ...green } = tenant('green', { name: 'Green' });
  expect((await call('PUT', '/v1/tenants/green', { body: green })).status).toBe(201);
  const renamed = { currency: 'EUR', digits: 6, name: 'Greener' };
  expect(await call('PUT', '/v1/tenants/green', { body: renamed })).toMatchObject({
    status: 200,
    body: { id: 'green', name: 'Greener' },
  });
  const again = { ...renamed, plans: [plan('0.09')] };
  expect(await call('PUT', '/v1/tenants/green', { body: again })).toMatchObject({ status: 200 });
  // Its plans stayed.
  expect((await call('GET', '/v1/plans/p?tenant=green')).body).toEqual({
    ...plan('0.01'),
    version: 1,
  });
  await call('PUT', '/v1/accounts/a?tenant=green', { body: { plan: 'p' } });
  expect(code(await call('DELETE', '/v1/tenants/green'))).toBe('TENANT_IN_USE');
});

test('what a part cannot be given is refused: accounts with a tenant, the id of another', async () => {
  const { call, store } = await changing();
  const stamp = await store.configurationStamp();
  const accounts = [{ id: 'a', plan: 'p' }];
  const { id: _, ...body } = tenant('green');
  for (const path of ['green', 'blue'])
    expect(await call('PUT', `/v1/tenants/${path}`, { body: { ...body, accounts } })).toMatchObject(
      {
        status: 422,
        text: expect.stringContaining('accounts: found'),
      },
    );
  const ranges = await call('PUT', '/v1/tenants/blue', { body: { ...body, ranges: [] } });
  expect(ranges).toMatchObject({ status: 422, text: expect.stringContaining('ranges: found') });
  for (const path of ['tenants/blue', 'plans/p?tenant=blue'])
    expect(await call('PUT', `/v1/${path}`, { body: { ...body, id: 'other' } })).toMatchObject({
      status: 422,
      text: expect.stringContaining("id: found 'other', expected"),
    });
  expect(await store.configurationStamp()).toBe(stamp);
});

test('peers and routing are put as a whole', async () => {
  const { call, configuration } = await changing();
  const peers = { known: [{ host: 'pgw1.example' }], anybody: {} };
  expect((await call('PUT', '/v1/peers', { body: peers })).body).toEqual(peers);
  const routing = { rules: [{ match: { apn: ['red'] }, tenant: 'red' }], default: 'blue' };
  expect((await call('PUT', '/v1/routing', { body: routing })).status).toBe(200);
  expect(configuration.current.provisioning.routing).toEqual(routing);
  expect(configuration.current.provisioning.peers.peers).toMatchObject([{ host: 'pgw1.example' }]);
  const refused = await call('PUT', '/v1/peers', { body: {} });
  expect(refused).toMatchObject({ status: 422, body: { code: 'CHANGE_REFUSED' } });
  expect(refused.text).toContain('nobody may connect');
  expect((await call('GET', '/v1/peers')).body).toEqual(peers);
});

test('of two who change from the same state, the second is told, and nothing of it is written', async () => {
  const { call } = await changing();
  const etag = (await call('GET', '/v1/plans/p', { token: 'blue' })).headers.get('etag')!;
  const put = (amount: string, headers: Record<string, string>) =>
    call('PUT', '/v1/plans/p', { body: plan(amount), token: 'blue', headers });
  const [one, two] = await Promise.all(['0.02', '0.03'].map((it) => put(it, { 'if-match': etag })));
  expect([one!.status, two!.status].sort()).toEqual([200, 412]);
  expect(code(one!.status === 412 ? one! : two!)).toBe('STALE_CHANGE');
  const won = one!.status === 200 ? one! : two!;
  expect((await call('GET', '/v1/plans/p', { token: 'blue' })).body).toEqual(won.body);
  expect((await put('0.04', { 'if-match': won.headers.get('etag')! })).status).toBe(200);
  expect((await put('0.05', { 'if-none-match': '*' })).status).toBe(412);
  expect((await put('0.05', { 'if-match': 'W/"x"' })).status).toBe(400);
  // What others change elsewhere is no matter.
  const red = (await call('GET', '/v1/plans/p', { token: 'red' })).headers.get('etag')!;
  await put('0.06', {});
  const headers = { 'if-match': red };
  expect((await call('PUT', '/v1/plans/p', { body: FREE, token: 'red', headers })).status).toBe(
    200,
  );
});

test('If-Match: * changes what is there, and creates nothing', async () => {
  const { call, store } = await changing();
  const headers = { 'if-match': '*' };
  const { id: _, ...body } = plan('0.02');
  const stamp = await store.configurationStamp();
  const created = await call('PUT', '/v1/plans/new', { body, token: 'blue', headers });
  expect(created).toMatchObject({ status: 412, body: { code: 'STALE_CHANGE' } });
  expect(await store.configurationStamp()).toBe(stamp);
  const changed = await call('PUT', '/v1/plans/p', { body, token: 'blue', headers });
  expect(changed).toMatchObject({ status: 200, body: { version: 2 } });
});

test('a DELETE may name the type of the body that it has not', async () => {
  const { url } = await changing();
  const json = { authorization: 'Bearer root', 'content-type': 'application/json' };
  const remove = (init: RequestInit) =>
    fetch(`${url}/v1/plans/none?tenant=blue`, { method: 'DELETE', headers: json, ...init });
  expect((await remove({})).status).toBe(204);
  expect((await remove({ method: 'PUT' })).status).toBe(400);
});

test('what does not fit is refused with every problem, and nothing is changed', async () => {
  const { call, store } = await changing();
  const stamp = await store.configurationStamp();
  const bad = { rules: [{ name: 'x', unit: 'octets', price: { amount: 1 }, quota: {} }] };
  const refused = await call('PUT', '/v1/plans/p', { body: bad, token: 'blue' });
  expect(refused).toMatchObject({ status: 422, body: { code: 'CHANGE_REFUSED' } });
  for (const field of ['rules[0].price.amount', 'rules[0].quota.size'])
    expect(refused.text).toContain(`tenants[0].plans[0].${field}: found`);
  for (const body of [[], 'text', 5, null])
    expect((await call('PUT', '/v1/plans/p', { body, token: 'blue' })).status).toBe(400);
  for (const body of [{ known: 5 }, { anybody: [] }, { rules: {} }])
    expect((await call('PUT', '/v1/peers', { body })).status).toBe(422);
  const routing = { default: 'green' };
  expect((await call('PUT', '/v1/routing', { body: routing })).status).toBe(422);
  expect(await store.configurationStamp()).toBe(stamp);
});

test('only JSON is taken, and only so much of it', async () => {
  const { url, call } = await changing();
  const headers = { authorization: 'Bearer root', 'content-type': 'text/plain' };
  const plain = await fetch(`${url}/v1/routing`, { method: 'PUT', headers, body: '{}' });
  expect(plain.status).toBe(400);
  const broken = await fetch(`${url}/v1/routing`, {
    ...{ method: 'PUT', body: '{' },
    headers: { ...headers, 'content-type': 'application/json' },
  });
  expect(await broken.json()).toMatchObject({ code: 'REQUEST_INVALID' });
  const body = { amount: 'x'.repeat(20_000) };
  const path = '/v1/accounts/a/buckets/b/topups';
  const long = await call('POST', path, {
    body,
    token: 'blue',
    headers: { 'idempotency-key': 'k' },
  });
  expect(long.status).toBe(400);
});

test('who may only read changes nothing, and a tenant never meets another', async () => {
  const { call, store } = await changing();
  const stamp = await store.configurationStamp();
  for (const token of ['blue-reader', 'root-reader']) {
    for (const [method, path] of [
      ['PUT', '/v1/plans/p?tenant=blue'],
      ['DELETE', '/v1/plans/p?tenant=blue'],
      ['PUT', '/v1/accounts/a?tenant=blue'],
      ['PATCH', '/v1/accounts/a?tenant=blue'],
      ['POST', '/v1/accounts/a/buckets/b/topups?tenant=blue'],
      ['DELETE', '/v1/subscribers/e164/1?tenant=blue'],
    ] as const)
      expect(code(await call(method, path, { body: {}, token }))).toBe('WRITING_FORBIDDEN');
  }
  // Another tenant's plan is one that does not exist.
  for (const method of ['GET', 'PUT', 'DELETE'] as const)
    expect(
      code(
        await call(method, '/v1/plans/p?tenant=red', {
          token: 'blue',
          ...(method === 'PUT' ? { body: FREE } : {}),
        }),
      ),
    ).toBe('TENANT_UNKNOWN');
  expect((await call('GET', '/v1/tenants', { token: 'blue' })).body).toMatchObject({
    tenants: [{ id: 'blue' }],
  });
  expect((await call('GET', '/v1/tenants/red', { token: 'blue' })).status).toBe(404);
  // What is everybody's is for those who see everybody.
  for (const path of ['/v1/peers', '/v1/routing', '/v1/tenants/blue'])
    expect(code(await call('PUT', path, { body: file([tenant('blue')]), token: 'blue' }))).toBe(
      'FORBIDDEN',
    );
  expect(code(await call('GET', '/v1/peers', { token: 'blue' }))).toBe('FORBIDDEN');
  expect(await store.configurationStamp()).toBe(stamp);
});

test('the document describes every change: its body, its conditions and who may not', async () => {
  const { call } = await changing();
  const { body } = await call('GET', '/openapi.json');
  const paths = body.paths as Record<string, Record<string, Record<string, unknown>>>;
  const changes = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) =>
      method === 'get' ? [] : [{ name: `${method} ${path}`, method, operation }],
    ),
  );
  expect(changes.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      'put /v1/plans/{plan}',
      'delete /v1/tenants/{tenant}',
      'patch /v1/accounts/{account}',
      'post /v1/accounts/{account}/buckets/{bucket}/topups',
      'put /v1/subscribers/{kind}/{id}',
    ]),
  );
  const ids = new Set<unknown>();
  for (const { name, method, operation } of changes) {
    expect(ids.has(operation.operationId), name).toBe(false);
    ids.add(operation.operationId);
    expect(operation.requestBody !== undefined, name).toBe(method !== 'delete');
    expect(JSON.stringify(operation.responses), name).toContain('WRITING_FORBIDDEN');
  }
  const topUp = paths['/v1/accounts/{account}/buckets/{bucket}/topups']!.post!;
  expect(topUp.parameters).toContainEqual(
    expect.objectContaining({ name: 'idempotency-key', in: 'header', required: true }),
  );
  expect(paths['/v1/plans/{plan}']!.put!.parameters).toContainEqual(
    expect.objectContaining({ name: 'if-match', in: 'header', required: false }),
  );
});
