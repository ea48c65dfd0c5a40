/** A process that follows the configuration of the store: by itself, a few times a second. */
import { afterEach, expect, test } from 'vitest';
import { type FollowedConfiguration, followConfiguration } from '../../src/cli/follow.ts';
import { createLog } from '../../src/log.ts';
import { changeConfiguration } from '../../src/provisioning/change.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { until } from '../attack/site.ts';
import { file, plan, tenant } from '../provisioning/configurations.ts';

const priced = (amount: string) => file([tenant('one', { plans: [plan(amount)] })]);

let followed: FollowedConfiguration | undefined;
afterEach(() => followed?.stop());

async function following() {
  const store = new MemoryStore();
  const put = (amount: string) => changeConfiguration(store, () => priced(amount));
  const found = {
    store,
    put,
    away: false,
    looks: 0,
    lines: [] as string[],
    alarms: [] as unknown[],
  };
  await put('0.01');
  followed = await followConfiguration(
    withFaults(store, (call) => {
      if (call === 'configurationStamp') found.looks += 1;
      return found.away ? 'refuse' : 'none';
    }),
    {
      log: createLog({ level: 'info', readable: false, write: (line) => found.lines.push(line) }),
      alarm: (_, fields) => found.alarms.push(fields),
      problems: () => [],
    },
  );
  const said = (text: string) => found.lines.filter((line) => line.includes(text)).length;
  return { followed, found, said };
}

const AWAY = 'the configuration cannot be looked for';

test('while the store is away it serves by what it has, says so once, and takes what it missed', async () => {
  const { followed, found, said } = await following();
  found.away = true;
  const { looks } = found;
  await until(() => found.looks >= looks + 3);
  expect(followed.current.version).toBe(1);
  expect(said(AWAY)).toBe(1);
  await found.put('0.02');
  found.away = false;
  await until(() => followed.current.version === 2);
  // The next time is another one.
  await until(() => found.looks >= looks + 5);
  found.away = true;
  await until(() => said(AWAY) === 2);
  expect(followed.untaken).toEqual([]);
});

test('what it cannot take is an alarm once, stays visible, and is over with the next good one', async () => {
  const { followed, found } = await following();
  const document = '{"tenants": [], "later": true}';
  await found.store.writeConfiguration({ expected: 1, document, plans: [] });
  await until(() => followed.untaken.length > 0);
  const { looks } = found;
  await until(() => found.looks >= looks + 2);
  expect(found.alarms).toEqual([{ problems: followed.untaken }]);
  expect(followed.current.version).toBe(1);
  const good = JSON.stringify(priced('0.03'));
  await found.store.writeConfiguration({ expected: 2, document: good, plans: [] });
  await until(() => followed.current.version === 3);
  expect(followed.untaken).toEqual([]);
  expect(found.alarms).toHaveLength(1);
});
