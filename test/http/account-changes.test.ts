/** Accounts, subscribers, buckets and money over HTTP. */
import { describe, expect, test } from 'vitest';
import { type RemoteCall, withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { plan } from '../provisioning/configurations.ts';
import { type Changing, changing, type Method } from './changing.ts';

const ACCOUNT = {
  plan: 'p',
  subscribers: [{ e164: '491700000001', imsi: '262010000000001' }],
  buckets: [
    { id: 'data', unit: 'octets', opening: '1 kB' },
    { id: 'main', unit: 'money', opening: '5.00' },
  ],
};
const blue = (extra: object = {}) => ({ token: 'blue', ...extra });
const code = ({ body }: { body: Record<string, unknown> }) => body.code;
const buckets = (reply: { body: Record<string, unknown> }) =>
  Object.fromEntries(
    (reply.body.buckets as { id: string; available: { smallest: number } }[]).map(
      ({ id, available }) => [id, available.smallest],
    ),
  );
const put = ({ call }: Changing, body: object = ACCOUNT, headers: Record<string, string> = {}) =>
  call('PUT', '/v1/accounts/a', blue({ body, headers }));

describe('an account', () => {
  test('is created with its openings, once, and changed by being put again', async () => {
    const on = await changing();
    const created = await put(on);
    expect(created).toMatchObject({ status: 201, body: { plan: 'p', status: 'active' } });
    expect(buckets(created)).toEqual({ data: 1000, main: 5_000_000 });
    expect(await put(on)).toMatchObject({ status: 200, body: created.body });
    const changed = await put(on, { ...ACCOUNT, maxSessions: 7, subscribers: [] });
    expect(changed.body).toMatchObject({ maxSessions: 7, subscribers: [] });
    expect(buckets(changed)).toEqual({ data: 1000, main: 5_000_000 });
    expect((await on.call('GET', '/v1/subscribers/e164/491700000001', blue())).status).toBe(404);
  });

  test('keeps what is not written when it is put again', async () => {
    const on = await changing();
    const limits = [{ id: 'cap', unit: 'money', amount: '5' }];
    const [anna] = ACCOUNT.subscribers;
    const full = { ...ACCOUNT, status: 'blocked', subscribers: [{ ...anna, limits }] };
    const { version: _, ...before } = (await put(on, full)).body;
    expect(await put(on, { plan: 'p', maxSessions: 7 })).toMatchObject({
      status: 200,
      body: { ...before, maxSessions: 7 },
    });
  });

  test('has its limits as they are put', async () => {
    const on = await changing();
    const [anna] = ACCOUNT.subscribers;
    const limited = async (...amounts: string[]) => {
      const limits = amounts.map((amount) => ({ id: 'cap', unit: 'money', amount }));
      const of = limits.length === 0 ? { ...anna } : { ...anna, limits };
      return buckets(await put(on, { ...ACCOUNT, subscribers: [of] })).cap;
    };
    expect(await limited()).toBeUndefined();
    expect(await limited('5')).toBe(5_000_000);
    expect(await limited('9')).toBe(9_000_000);
    expect(await limited('2')).toBe(2_000_000);
    expect(await limited()).toBeUndefined();
  });

  test('is put by one of those who saw the same version', async () => {
    const on = await changing();
    const several = async (headers: Record<string, string>, body: (i: number) => object) => {
      const replies = await Promise.all([1, 2, 3, 4, 5, 6].map((i) => put(on, body(i), headers)));
      const [won, ...others] = replies.sort((a, b) => a.status - b.status);
      expect(others.map(code)).toEqual(Array(5).fill('STALE_CHANGE'));
      return won!;
    };
    const created = await several({ 'if-none-match': '*' }, () => ACCOUNT);
    expect(created.status).toBe(201);
    const changed = await several({ 'if-match': created.headers.get('etag')! }, (i) => ({
      ...ACCOUNT,
      maxSessions: i,
    }));
    expect(changed.status).toBe(200);
    const moved = await several({ 'if-match': changed.headers.get('etag')! }, (i) => ({
      ...ACCOUNT,
      subscribers: [{ e164: `49170000001${i}` }],
    }));
    expect(moved.status).toBe(200);
    expect(moved.body.subscribers).toHaveLength(1);
    const theirs = [1, 2, 3, 4, 5, 6].map((i) => ({ e164: `49170000002${i}` }));
    await on.call('PUT', '/v1/accounts/b', blue({ body: { plan: 'p', subscribers: theirs } }));
    const own = (moved.body.subscribers as { id: string }[]).map(({ id }) => ({ e164: id }));
    const taken = await several({ 'if-match': moved.headers.get('etag')! }, (i) => ({
      ...{ plan: 'p', subscribers: [...own, theirs[i - 1]] },
    }));
    expect(taken.body.subscribers).toHaveLength(2);
  });

  test('is refused with all that is wrong with it', async () => {
    const on = await changing();
    const refused = await put(on, { plan: 'q', buckets: [{ id: 'b', unit: 'octet' }] });
    expect(refused).toMatchObject({ status: 422, body: { code: 'CHANGE_REFUSED' } });
    expect(refused.text).toContain('buckets[0].unit: found');
    expect((await put(on, { plan: 'q' })).text).toContain("plan: found 'q'");
    expect((await on.call('GET', '/v1/accounts/a', blue())).status).toBe(404);
  });

  test('keeps its plan where its buckets and limits name rules that another has not', async () => {
    const on = await changing();
    const rules = [{ name: 'voice', denied: true }];
    await on.call('PUT', '/v1/plans/q', blue({ body: { rules } }));
    const pass = { id: 'pass', unit: 'octets', paysFor: ['internet'] };
    const before = await put(on, { ...ACCOUNT, buckets: [pass] });
    const patch = () => on.call('PATCH', '/v1/accounts/a', blue({ body: { plan: 'q' } }));
    for (const refused of [await patch(), await put(on, { plan: 'q' })]) {
      expect(refused).toMatchObject({ status: 422, body: { code: 'CHANGE_REFUSED' } });
      expect(refused.text).toContain("buckets.pass[0]: found 'internet'");
    }
    expect((await on.call('GET', '/v1/accounts/a', blue())).body).toEqual(before.body);
    await on.call('DELETE', '/v1/accounts/a/buckets/pass', blue());
    expect(await patch()).toMatchObject({ status: 200, body: { plan: 'q' } });
  });

  test('is changed only from the version that was named', async () => {
    const on = await changing();
    expect(code(await put(on, ACCOUNT, { 'if-match': '*' }))).toBe('STALE_CHANGE');
    expect((await on.call('GET', '/v1/accounts/a', blue())).status).toBe(404);
    const none = { 'if-none-match': '*' };
    const etag = (await put(on, ACCOUNT, none)).headers.get('etag')!;
    expect(code(await put(on, ACCOUNT, none))).toBe('STALE_CHANGE');
    expect((await put(on, ACCOUNT, { 'if-match': '*' })).headers.get('etag')).toBe(etag);
    const patch = (body: object, headers: Record<string, string>) =>
      on.call('PATCH', '/v1/accounts/a', blue({ body, headers }));
    const blocked = await patch({ status: 'blocked' }, { 'if-match': etag });
    expect(blocked).toMatchObject({ status: 200, body: { status: 'blocked', plan: 'p' } });
    expect(code(await patch({ status: 'active' }, { 'if-match': etag }))).toBe('STALE_CHANGE');
    expect(code(await put(on, ACCOUNT, { 'if-match': etag }))).toBe('STALE_CHANGE');
    expect(code(await patch({ status: 'active' }, { 'if-match': '"other"' }))).toBe('STALE_CHANGE');
    const now = blocked.headers.get('etag')!;
    expect((await patch({ status: 'active' }, { 'if-match': now })).status).toBe(200);
    expect((await patch({}, {})).status).toBe(400);
    expect(code(await patch({ plan: 'none' }, {}))).toBe('PLAN_UNKNOWN');
    const nobody = await on.call('PATCH', '/v1/accounts/x', blue({ body: { status: 'active' } }));
    expect(code(nobody)).toBe('ACCOUNT_UNKNOWN');
  });
});

describe('a bucket', () => {
  const path = '/v1/accounts/a/buckets';

  test('is added empty, changed, and taken out while it holds nothing', async () => {
    const on = await changing();
    await put(on);
    const body = { unit: 'octets', priority: 5, paysFor: ['internet'] };
    const added = await on.call('PUT', `${path}/gift`, blue({ body }));
    expect(buckets(added)).toEqual({ gift: 0, data: 1000, main: 5_000_000 });
    const again = await on.call('PUT', `${path}/gift`, blue({ body }));
    expect(again.body).toEqual(added.body);
    const changed = await on.call(
      'PUT',
      `${path}/gift`,
      blue({ body: { ...body, priority: 500 } }),
    );
    expect(Object.keys(buckets(changed))).toEqual(['data', 'gift', 'main']);
    const gone = await on.call('DELETE', `${path}/gift`, blue());
    expect(buckets(gone)).toEqual({ data: 1000, main: 5_000_000 });
    expect((await on.call('DELETE', `${path}/gift`, blue())).body).toEqual(gone.body);
    expect(code(await on.call('DELETE', `${path}/data`, blue()))).toBe('BUCKET_IN_USE');
    expect(code(await on.call('DELETE', `${path}/main`, blue()))).toBe('BUCKET_IN_USE');
  });

  test('never becomes another one, and none is drawn after the last', async () => {
    const on = await changing();
    await put(on);
    for (const [id, body] of [
      ['data', { unit: 'seconds' }],
      ['late', { unit: 'octets', priority: 2000 }],
      ['main', { unit: 'money', paysFor: ['internet'] }],
      ['x y', { unit: 'octets' }],
    ] as const) {
      const refused = await on.call('PUT', `${path}/${encodeURIComponent(id)}`, blue({ body }));
      expect([id, code(refused)]).toEqual([id, 'CHANGE_REFUSED']);
    }
  });

  test('that limits a subscriber never becomes money that can be spent', async () => {
    const on = await changing();
    const limits = [{ id: 'cap', unit: 'money', amount: '5' }];
    const subscribers = [{ e164: '491700000001', limits }];
    const before = await put(on, { ...ACCOUNT, subscribers });
    expect(buckets(before)).toMatchObject({ cap: 5_000_000, main: 5_000_000 });
    const refused = await on.call('PUT', `${path}/cap`, blue({ body: { unit: 'money' } }));
    expect(code(refused)).toBe('CHANGE_REFUSED');
    expect(refused.text).toContain('found money, expected a limit of money: an id is never used');
    expect((await on.call('GET', '/v1/accounts/a', blue())).body).toEqual(before.body);
  });

  test('that is taken out leaves its id to none of another unit, and to no limit', async () => {
    const on = await changing();
    await put(on);
    const gift = (unit: string) =>
      on.call('PUT', `${path}/gift`, blue({ body: { unit, priority: 5 } }));
    expect((await gift('units')).status).toBe(200);
    expect((await on.call('DELETE', `${path}/gift`, blue())).status).toBe(200);
    const [anna] = ACCOUNT.subscribers;
    const capped = { ...anna, limits: [{ id: 'gift', unit: 'units', amount: 5 }] };
    for (const refused of [
      await gift('money'),
      await put(on, { ...ACCOUNT, buckets: [{ id: 'gift', unit: 'octets' }] }),
      await put(on, { ...ACCOUNT, subscribers: [capped] }),
    ]) {
      expect(code(refused)).toBe('CHANGE_REFUSED');
      expect(refused.text).toContain('bucket gift is, or was, units, and an id is never used');
    }
    expect((await gift('units')).status).toBe(200);
  });

  describe.each([false, true])('that is over (booked by others before: %s)', (isBooked) => {
    const HOUR = 3_600_000;
    async function over() {
      let now = Date.UTC(2026, 0, 2);
      const on = await changing(new MemoryStore({ partitions: 4, clock: () => now }));
      const pass = (hours: number) => ({
        ...{ unit: 'octets', priority: 5, expires: new Date(now + hours * HOUR).toISOString() },
      });
      const gift = { id: 'gift', opening: '700 MB', ...pass(1) };
      await put(on, { ...ACCOUNT, buckets: [gift] });
      now += 2 * HOUR;
      if (isBooked)
        await on.call('POST', `${path}/main/topups`, {
          ...blue({ body: { amount: '1' } }),
          headers: { 'idempotency-key': 'k1' },
        });
      return { on, pass };
    }

    test('is taken out with what is left in it', async () => {
      const { on } = await over();
      const gone = await on.call('DELETE', `${path}/gift`, blue());
      expect([gone.status, Object.keys(buckets(gone))]).toEqual([200, ['main']]);
    });

    test('begins with nothing when it is given a later end', async () => {
      const { on, pass } = await over();
      const again = await on.call('PUT', `${path}/gift`, blue({ body: pass(1) }));
      expect(again).toMatchObject({ status: 200 });
      expect(buckets(again)).toMatchObject({ gift: 0 });
    });

    test('begins with nothing when its account is put with a later end', async () => {
      const { on, pass } = await over();
      const again = await put(on, { ...ACCOUNT, buckets: [{ id: 'gift', ...pass(1) }] });
      expect(again).toMatchObject({ status: 200 });
      expect(buckets(again)).toMatchObject({ gift: 0 });
    });
  });

  test('that limits is refused an amount that takes it beyond what can be counted', async () => {
    const on = await changing();
    const capped = (amount: number) => ({
      plan: 'p',
      subscribers: [{ e164: '491', limits: [{ id: 'cap', unit: 'octets', amount }] }],
    });
    await put(on, capped(1));
    const filled = await on.call('POST', `${path}/cap/topups`, {
      ...blue({ body: { amount: '9007199254740990' } }),
      headers: { 'idempotency-key': 'k1' },
    });
    expect(filled.status).toBe(200);
    const before = await on.call('GET', '/v1/accounts/a', blue());
    const refused = await put(on, capped(Number.MAX_SAFE_INTEGER));
    expect(refused).toMatchObject({ status: 422, body: { code: 'CHANGE_REFUSED' } });
    expect(refused.text).toContain('counter a:cap would leave');
    expect((await on.call('GET', '/v1/accounts/a', blue())).body).toEqual(before.body);
  });

  test('is topped up and adjusted once a key', async () => {
    const on = await changing();
    await put(on);
    const book = (what: string, amount: string, key: string) =>
      on.call('POST', `${path}/${what}`, {
        ...blue({ body: { amount } }),
        headers: { 'idempotency-key': key },
      });
    const first = await book('main/topups', '2.50', 'k1');
    expect(first).toMatchObject({
      status: 200,
      body: { repeated: false, amount: { amount: '2.500000' }, available: { smallest: 7_500_000 } },
    });
    const again = await book('main/topups', '2.50', 'k1');
    expect(again.body).toMatchObject({ repeated: true, available: { smallest: 7_500_000 } });
    expect(code(await book('main/topups', '2.51', 'k1'))).toBe('KEY_REUSED');
    expect((await book('main/adjustments', '-7.5', 'k2')).body).toMatchObject({
      available: { smallest: 0 },
    });
    expect((await book('data/adjustments', '-1 kB', 'k3')).body).toMatchObject({
      available: { smallest: 0 },
    });
    expect(code(await book('main/adjustments', '-0.000001', 'k4'))).toBe('AMOUNT_INVALID');
    expect(code(await book('main/adjustments', '--5', 'k4'))).toBe('AMOUNT_INVALID');
    for (const amount of ['-1', '0', 'much', '1.2345678'])
      expect([amount, code(await book('main/topups', amount, 'k5'))]).toEqual([
        amount,
        'AMOUNT_INVALID',
      ]);
    expect(code(await book('none/topups', '1', 'k6'))).toBe('BUCKET_UNKNOWN');
    expect(
      (await on.call('POST', `${path}/main/topups`, blue({ body: { amount: '1' } }))).status,
    ).toBe(400);
  });

  test('that was booked and is gone answers the same key as before', async () => {
    const on = await changing();
    const [anna] = ACCOUNT.subscribers;
    const cap = { id: 'cap', unit: 'money', amount: '5' };
    const gift = { id: 'gift', unit: 'octets', opening: 0, priority: 5 };
    const withBoth = { ...ACCOUNT, subscribers: [{ ...anna, limits: [cap] }], buckets: [gift] };
    expect((await put(on, withBoth)).status).toBe(201);
    const book = (what: string, amount: string, key: string) =>
      on.call('POST', `${path}/${what}`, {
        ...blue({ body: { amount } }),
        headers: { 'idempotency-key': key },
      });
    const first = await book('gift/topups', '2 kB', 'k1');
    expect((await book('gift/adjustments', '-2000', 'k2')).status).toBe(200);
    const raised = await book('cap/adjustments', '1.50', 'k3');
    expect(raised.status).toBe(200);
    expect((await on.call('DELETE', `${path}/gift`, blue())).status).toBe(200);
    expect((await put(on, { ...ACCOUNT, subscribers: [anna], buckets: [] })).status).toBe(200);
    const now = { repeated: true, available: { smallest: 0 }, reserved: { smallest: 0 } };
    const { bookedAt, amount } = first.body;
    for (const again of ['2 kB', '2000'])
      expect(await book('gift/topups', again, 'k1')).toMatchObject({
        status: 200,
        body: { ...now, bookedAt, amount },
      });
    expect(await book('cap/adjustments', '1.50', 'k3')).toMatchObject({
      status: 200,
      body: { repeated: true, bookedAt: raised.body.bookedAt, amount: { amount: '1.500000' } },
    });
    expect(code(await book('gift/topups', '2001', 'k1'))).toBe('KEY_REUSED');
    expect(code(await book('gift/adjustments', '2000', 'k1'))).toBe('KEY_REUSED');
    // What was not booked cannot be any more.
    for (const gone of ['gift', 'cap'])
      expect(code(await book(`${gone}/topups`, '1', 'k4'))).toBe('BUCKET_UNKNOWN');
  });
});

describe('a subscriber', () => {
  const path = '/v1/subscribers/e164/491700000001';

  test('is moved to another account, added to one, and taken from it', async () => {
    const on = await changing();
    await put(on);
    await on.call('PUT', '/v1/accounts/b', blue({ body: { plan: 'p' } }));
    const move = () => on.call('PUT', path, blue({ body: { account: 'b' } }));
    expect((await move()).body).toEqual({ account: 'b', movedFrom: 'a' });
    expect((await move()).body).toEqual({ account: 'b' });
    expect((await on.call('GET', path, blue())).body).toEqual({ account: 'b' });
    const left = await on.call('GET', '/v1/accounts/a', blue());
    expect(left.body.subscribers).toEqual([{ kind: 'imsi', id: '262010000000001' }]);
    for (let i = 0; i < 2; i++) expect((await on.call('DELETE', path, blue())).status).toBe(204);
    expect(code(await on.call('GET', path, blue()))).toBe('SUBSCRIBER_UNKNOWN');
    const nobody = await on.call('PUT', path, blue({ body: { account: 'none' } }));
    expect(code(nobody)).toBe('ACCOUNT_UNKNOWN');
    expect(
      (await on.call('PUT', '/v1/subscribers/sim/1', blue({ body: { account: 'b' } }))).status,
    ).toBe(400);
  });

  test('has an identity that clients send and a file could have, or is refused', async () => {
    const on = await changing();
    await put(on);
    for (const [name, expected] of [
      ['e164/%2B491700000004', "e164: found '+491700000004', expected a number in international"],
      ['e164/hello', "e164: found 'hello', expected a number in international form"],
      ['e164/1234567890123456', "e164: found '1234567890123456', expected a number"],
      ['imsi/hello', "imsi: found 'hello', expected an IMSI of 6 to 15 digits"],
      ['imsi/12345', "imsi: found '12345', expected an IMSI of 6 to 15 digits"],
    ]) {
      const where = `/v1/subscribers/${name}`;
      const refused = await on.call('PUT', where, blue({ body: { account: 'a' } }));
      expect(code(refused), name).toBe('CHANGE_REFUSED');
      expect(refused.body.detail, name).toContain(expected);
      expect((await on.call('GET', where, blue())).status, name).toBe(404);
    }
    for (const name of ['sip/sip:anna@example.org', 'nai/anna@example.org', 'private/+49'])
      expect(
        (await on.call('PUT', `/v1/subscribers/${name}`, blue({ body: { account: 'a' } }))).status,
      ).toBe(200);
    expect((await on.call('GET', '/v1/accounts/a', blue())).body.subscribers).toHaveLength(5);
  });

  test('of the same number in two tenants is two subscribers', async () => {
    const on = await changing();
    await put(on);
    const red = { token: 'red' };
    await on.call('PUT', '/v1/accounts/a', { ...red, body: { plan: 'p' } });
    // Of red, nobody has the number yet; and red cannot reach into blue.
    expect(code(await on.call('GET', path, red))).toBe('SUBSCRIBER_UNKNOWN');
    expect((await on.call('PUT', path, { ...red, body: { account: 'a' } })).body).toEqual({
      account: 'a',
    });
    await on.call('PUT', '/v1/accounts/b', blue({ body: { plan: 'p' } }));
    await on.call('PUT', path, blue({ body: { account: 'b' } }));
    expect((await on.call('GET', path, red)).body).toEqual({ account: 'a' });
    await on.call('DELETE', path, red);
    expect((await on.call('GET', path, blue())).body).toEqual({ account: 'b' });
    for (const [method, where, body] of [
      ['PUT', '/v1/accounts/a?tenant=blue', { plan: 'p' }],
      ['PATCH', '/v1/accounts/a?tenant=blue', { status: 'blocked' }],
      ['PUT', `${path}?tenant=blue`, { account: 'a' }],
      ['PUT', '/v1/accounts/a/buckets/x?tenant=blue', { unit: 'octets' }],
    ] as const)
      expect(code(await on.call(method, where, { ...red, body }))).toBe('TENANT_UNKNOWN');
    const topup = { body: { amount: '1' }, headers: { 'idempotency-key': 'k' } };
    const foreign = '/v1/accounts/a/buckets/main/topups?tenant=blue';
    expect(code(await on.call('POST', foreign, { ...red, ...topup }))).toBe('TENANT_UNKNOWN');
    const { body } = await on.call('GET', '/v1/accounts/a', blue());
    expect(body).toMatchObject({ status: 'active', openSessions: 0 });
    expect(buckets({ body })).toEqual({ data: 1000, main: 5_000_000 });
  });
});

describe('where the store fails in the midst of a change', () => {
  /** What the store does from the call of that name on; until `heal`. */
  const breaking = async () => {
    const store = new MemoryStore({ partitions: 4 });
    let at: RemoteCall | undefined;
    let isBroken = false;
    const faulty = withFaults(store, (call) => {
      if (isBroken) return 'refuse';
      if (call !== at) return 'none';
      isBroken = true;
      return 'lose-reply';
    });
    const on = await changing(faulty);
    return {
      on,
      strike(call: RemoteCall) {
        at = call;
      },
      heal() {
        at = undefined;
        isBroken = false;
      },
    };
  };
  const body = { ...ACCOUNT, maxSessions: 3 };
  const bucket = { unit: 'octets', priority: 5 };
  const subscriber = '/v1/subscribers/e164/491700000001';

  test.each<[string, RemoteCall, Method, string, object | undefined]>([
    ['an account is put', 'createAccount', 'PUT', '/v1/accounts/new', { plan: 'p' }],
    ['one that exists is put', 'changeAccount', 'PUT', '/v1/accounts/a', body],
    ['it is changed', 'changeAccount', 'PATCH', '/v1/accounts/a', { maxSessions: 3 }],
    ['a bucket is put', 'changeAccount', 'PUT', '/v1/accounts/a/buckets/x', bucket],
    ['a bucket is taken out', 'changeAccount', 'DELETE', '/v1/accounts/a/buckets/gone', undefined],
    ['a subscriber is moved', 'moveSubscriber', 'PUT', subscriber, { account: 'b' }],
    ['a subscriber is taken', 'removeSubscriber', 'DELETE', subscriber, undefined],
    ['a plan is put', 'writeConfiguration', 'PUT', '/v1/plans/p', plan('7')],
    ['a plan is taken out', 'writeConfiguration', 'DELETE', '/v1/plans/q', undefined],
  ])('%s', async (_, change, method, path, sent) => {
    const { on, strike, heal } = await breaking();
    await put(on);
    await on.call('PUT', '/v1/accounts/b', blue({ body: { plan: 'p' } }));
    await on.call('PUT', '/v1/accounts/a/buckets/gone', blue({ body: bucket }));
    await on.call('PUT', '/v1/plans/q', blue({ body: plan('1', { id: 'q' }) }));
    const again = () => on.call(method, path, blue(sent === undefined ? {} : { body: sent }));
    strike(change);
    expect((await again()).body).toMatchObject({
      ...{ status: 503, code: 'STORE_OUTCOME_UNKNOWN' },
      todo: expect.stringContaining('Send the same again'),
    });
    heal();
    expect((await again()).status).toBeLessThan(300);
  });

  test('before anything is sent, nothing has happened', async () => {
    const { on, strike, heal } = await breaking();
    await put(on);
    strike('load');
    const reply = await on.call('PATCH', '/v1/accounts/a', blue({ body: { maxSessions: 3 } }));
    expect(reply.body).toMatchObject({ status: 503, code: 'STORE_UNAVAILABLE' });
    heal();
    expect((await on.call('GET', '/v1/accounts/a', blue())).body.maxSessions).toBe(100);
  });
});
