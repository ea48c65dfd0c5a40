/** What is told of a change when the store fails in its midst. */
import { describe, expect, test } from 'vitest';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { putAccount, putSubscriber } from '../../src/provisioning/edit-account.ts';
import { withOutcome } from '../../src/provisioning/outcome.ts';
import { type Fault, type RemoteCall, withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { file, load, tenant } from './configurations.ts';

const configured = load(file([tenant('t')]));
const written = { plan: 'p', maxSessions: 7, subscribers: [{ e164: '491' }] };
const at = (account: string) => ({ tenant: 't', account });
const askClients = async () => ({ kind: 'done', asked: 0 }) as const;

/** A store whose calls fail from the nth on, and what was called. */
function failing(store: Store, first: number, fault: Fault) {
  const calls: RemoteCall[] = [];
  const faulty = withFaults(store, (call) => {
    calls.push(call);
    return calls.length < first ? 'none' : calls.length === first ? fault : 'refuse';
  });
  return { faulty, calls };
}

describe.each(['refuse', 'lose-request', 'lose-reply'] as const)(
  'a store that fails: %s',
  (fault) => {
    test.each([
      ['an account that is created', 'new'],
      ['an account that is changed', 'old'],
    ])('%s', async (_, account) => {
      const told = new Set<string>();
      for (let first = 1; ; first++) {
        const store = new MemoryStore({ partitions: 1 });
        const { configuration } = await applyFile(store, configured, { all: true });
        for (const id of ['old', 'other'])
          await putAccount({ store, configuration, askClients }, at(id), { plan: 'p' });
        await putSubscriber(store, at('other'), { kind: 'e164', id: '491' });
        const before = JSON.stringify((await store.load(at(account))).account?.definition);
        const { faulty, calls } = failing(store, first, fault);
        const put = (on: Store) =>
          withOutcome(on, (watched) =>
            putAccount({ store: watched, configuration, askClients }, at(account), written),
          );
        const failed = await put(faulty).then(
          () => undefined,
          (error) => error,
        );
        if (failed === undefined) break;
        const isSent = calls.some((call) => /^(create|change|move)/.test(call));
        expect([first, failed.code]).toEqual([first, isSent ? 'STORE_OUTCOME_UNKNOWN' : undefined]);
        expect(failed.cause ?? failed).toBeInstanceOf(StoreUnavailable);
        told.add(String(failed.code));
        // What is told as not done is not done; and all of it may be sent again.
        if (!isSent)
          expect(JSON.stringify((await store.load(at(account))).account?.definition)).toBe(before);
        expect((await put(store)).account.definition).toMatchObject({ subscribers: ['e164:491'] });
      }
      expect([...told].sort()).toEqual(['STORE_OUTCOME_UNKNOWN', 'undefined']);
    });
  },
);

test('what is refused, or changed by others all the time, is told as that', async () => {
  const store = new MemoryStore({ partitions: 1 });
  const { configuration } = await applyFile(store, configured, { all: true });
  await putAccount({ store, configuration, askClients }, at('a'), { plan: 'p' });
  const put = (value: object, on: Store = store) =>
    withOutcome(on, (watched) =>
      putAccount({ store: watched, configuration, askClients }, at('a'), value),
    );
  await expect(put({ plan: 'q' })).rejects.toMatchObject({ code: 'CHANGE_REFUSED' });
  const contended = withFaults(store, () => 'none');
  contended.changeAccount = async () => 'conflict';
  await expect(put(written, contended)).rejects.toMatchObject({
    ...{ applied: 'no', message: 'the account is being changed by others' },
  });
});
