/** What is wanted of a session by HTTP: stored with it, by whoever may, and nothing else. */
import { describe, expect, test } from 'vitest';
import { sessionKey } from '../../src/charging/request.ts';
import { plan } from '../provisioning/configurations.ts';
import { type Changing, changing } from './changing.ts';
import { definition, open, session, sessionIdOf } from './fixture.ts';

const blue = { tenant: 'blue', account: 'family' };
const path = (what: string, sessionId = sessionIdOf('blue')) =>
  `/v1/sessions/${encodeURIComponent(sessionId)}/${what}`;

async function opened(more: Parameters<typeof session>[1] = {}): Promise<Changing> {
  const on = await changing();
  await on.store.createAccount(definition('blue', 'family'), { bundle: 5_000, main: 20_000_000 });
  await open(on.store, session('blue', more));
  return on;
}

const stored = async ({ store }: Changing, subSessionId?: string) =>
  (await store.load(blue, sessionKey({ sessionId: sessionIdOf('blue'), subSessionId }))).session
    ?.session;

describe('re-authorisation', () => {
  test('of the whole session, without a body', async () => {
    const on = await opened();
    const reply = await on.call('POST', path('reauthorisation'), { token: 'blue' });
    expect([reply.status, reply.body]).toEqual([202, { outcome: 'asked' }]);
    expect((await stored(on))?.pending).toMatchObject({
      ...{ kind: 'reauthorise', reason: 'operator', scope: {}, attempts: 0 },
    });
    const shown = await on.call('GET', path('').slice(0, -1));
    expect(shown.body).toMatchObject({
      asking: { for: 'reauthorise', reason: 'operator', attempts: 0, acknowledged: false },
    });
    const again = await on.call('POST', path('reauthorisation'), { body: {} });
    expect(again.body).toEqual({ outcome: 'pending' });
  });

  test('of one service, of a pool', async () => {
    const on = await opened({ subSessionId: '5' });
    const sub = `${path('reauthorisation')}?subSessionId=5`;
    const scope = { ratingGroup: 1, serviceId: 7 };
    expect((await on.call('POST', sub, { body: scope })).status).toBe(202);
    expect((await stored(on, '5'))?.pending?.scope).toEqual(scope);
    for (const body of [{ pool: 1, ratingGroup: 1 }, { ratingGroup: -1 }, { group: 1 }])
      expect((await on.call('POST', sub, { body })).body).toMatchObject({
        code: 'REQUEST_INVALID',
      });
  });
});

test('what is wanted of a Session-Id is wanted of all its sub-sessions, of one tenant', async () => {
  const on = await opened({ subSessionId: '1' });
  await open(on.store, session('blue', { subSessionId: '2' }));
  const refused = await on.call('POST', path('abort'), { token: 'red' });
  expect(refused.body).toMatchObject({ code: 'SESSION_UNKNOWN' });
  expect((await on.call('POST', path('reauthorisation'))).body).toEqual({ outcome: 'asked' });
  for (const sub of ['1', '2']) expect((await stored(on, sub))?.pending?.kind).toBe('reauthorise');
  const ended = await on.call('POST', path('abort'), { body: { now: true } });
  expect([ended.status, ended.body]).toEqual([202, { outcome: 'ended' }]);
  for (const sub of ['1', '2']) expect((await stored(on, sub))?.state).toBe('abandoned');
});

describe('abort', () => {
  test('by the client', async () => {
    const on = await opened();
    expect((await on.call('POST', path('abort'))).body).toEqual({ outcome: 'asked' });
    expect(await stored(on)).toMatchObject({ state: 'open', pending: { kind: 'abort' } });
  });

  test('at once', async () => {
    const on = await opened();
    const reply = await on.call('POST', path('abort'), { body: { now: true } });
    expect([reply.status, reply.body]).toEqual([202, { outcome: 'ended' }]);
    expect((await stored(on))?.state).toBe('abandoned');
    const again = await on.call('POST', path('abort'), { body: { now: true } });
    expect(again.body).toEqual({ outcome: 'ended' });
    expect((await on.call('POST', path('abort'))).body).toMatchObject({ code: 'SESSION_UNKNOWN' });
  });
});

test('only who may write for the tenant: for others the session is not there', async () => {
  const on = await opened();
  for (const what of ['reauthorisation', 'abort']) {
    expect((await on.call('POST', path(what), { token: 'red' })).status).toBe(404);
    expect((await on.call('POST', path(what), { token: 'blue-reader' })).body).toMatchObject({
      code: 'WRITING_FORBIDDEN',
    });
    expect((await on.call('POST', path(what, 'gw.example;none'))).status).toBe(404);
  }
  expect(await stored(on)).not.toHaveProperty('pending');
});

test('C-149 a top-up asks the client of a session without credit, a new plan those of all', async () => {
  const [service] = session('blue').services;
  const on = await opened({ services: [{ ...service!, exhausted: 'restricted' }] });
  const topUp = await on.call('POST', '/v1/accounts/family/buckets/main/topups?tenant=blue', {
    ...{ body: { amount: '1.00' }, headers: { 'idempotency-key': 'k' } },
  });
  expect(topUp.body).toMatchObject({ sessionsAsked: 1 });
  expect((await stored(on))?.pending).toMatchObject({ reason: 'top-up' });

  const other = await opened();
  const changed = await other.call('PATCH', '/v1/accounts/family?tenant=blue', {
    body: { plan: 'p' },
  });
  expect(changed.status).toBe(200);
  expect((await stored(other))?.pending).toMatchObject({ reason: 'plan', scope: {} });
});

test('an account that is put with another plan asks its clients, with the same one it does not', async () => {
  const on = await opened();
  const put = (plan: string) =>
    on.call('PUT', '/v1/accounts/family?tenant=blue', { body: { plan } });
  const rules = plan('0.01').rules;
  await on.call('PUT', '/v1/plans/prepaid?tenant=blue', { body: { rules } });
  expect((await put('prepaid')).status).toBe(200);
  expect(await stored(on)).not.toHaveProperty('pending');
  expect((await put('p')).status).toBe(200);
  expect((await stored(on))?.pending).toMatchObject({ reason: 'plan', scope: {} });
});
