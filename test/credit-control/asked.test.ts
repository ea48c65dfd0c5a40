/** RFC 8506 5.5, 5.6.4 and RFC 6733 8.1: what a client is asked for, and what its answers come to. */
import { describe, expect, test } from 'vitest';
import { DATA_RULE, Gateway, yamlOf } from './gateway.ts';
import type { Read, Tree } from './octets.ts';

const mscc = (...services: Tree[]): Tree => ({ 'Multiple-Services-Credit-Control': services });
const asks = (ratingGroup: number): Tree => ({
  ...{ 'Rating-Group': ratingGroup, 'Requested-Service-Unit': {} },
});
const used = (octets: number): Tree => ({ 'Used-Service-Unit': { 'CC-Total-Octets': octets } });

/** An operator's command, as scenarios have them; what came of it. */
const say = (gateway: Gateway, ...words: string[]): Promise<string[]> =>
  gateway.world.run({
    ...{ before: [], line: 0, command: words.join(' '), expected: [], details: [], words },
  });
const asked = (lines: readonly string[]) => lines.filter((line) => line.startsWith('RAR'));

describe('after a top-up', () => {
  /** Rating groups 1 and 2 are restricted, 3 is free; the client does not answer. */
  async function restricted(): Promise<Gateway> {
    const gateway = await Gateway.open(
      yamlOf(
        `- { name: chat, match: { ratingGroup: [3] }, unit: octets, free: true, quota: { size: 10 MB } }
${DATA_RULE}
  atEnd: { redirect: "http://pay.example/", again: 10 min }`,
        { buckets: '- { id: main, unit: money, opening: "0.00" }' },
      ),
    );
    await say(gateway, 'client', 'silent');
    const { services } = await gateway.ask('initial', 0, mscc(asks(1), asks(2), asks(3)));
    const final = services.map((one) => one['Final-Unit-Indication'] !== undefined);
    expect(final).toEqual([true, true, false]);
    return gateway;
  }

  test('C-149 C-202 a report of another service is no answer: who is restricted is asked again', async () => {
    const gateway = await restricted();
    expect(asked(await say(gateway, 'topup', 'a', 'main', '500', 'v'))).toHaveLength(1);
    await gateway.ask('update', 1, mscc({ ...asks(3), ...used(1_000_000) }));
    const again = asked(await say(gateway, 'wait', '5', 's'));
    expect(again).toEqual([expect.stringContaining(' T ')]);
    // Its CCR for both is the answer, and lifts the restriction (RFC 8506 5.6.4).
    const { services } = await gateway.ask('update', 2, mscc(asks(1), asks(2)));
    for (const one of services) expect(one['Granted-Service-Unit']).toBeDefined();
    expect(asked(await say(gateway, 'wait', '60', 's'))).toEqual([]);
  });

  test('C-202 C-203 one that was asked is not asked for again, the other one is', async () => {
    const gateway = await restricted();
    await say(gateway, 'topup', 'a', 'main', '500', 'v');
    await gateway.ask('update', 1, mscc(asks(1)));
    expect(asked(await say(gateway, 'wait', '5', 's'))).toHaveLength(1);
    const { services } = await gateway.ask('update', 2, mscc(asks(2)));
    expect(services[0]?.['Granted-Service-Unit']).toBeDefined();
    expect(asked(await say(gateway, 'wait', '60', 's'))).toEqual([]);
  });
});

test('C-202 a CCR that answers for a pool is the answer, although it is refused', async () => {
  const gateway = await Gateway.open(
    yamlOf(`${DATA_RULE}\n  pool: 1\n  atEnd: deny`, {
      buckets: '- { id: main, unit: money, opening: "1.00" }',
    }),
  );
  await say(gateway, 'client', 'silent');
  await gateway.ask('initial', 0, mscc(asks(1)));
  expect(asked(await say(gateway, 'reauthorise', '1;s', 'pool=1'))).toHaveLength(1);
  const report = { ...asks(1), ...used(10_000_000), 'Reporting-Reason': 7 };
  const { services } = await gateway.ask('update', 1, mscc(report));
  expect(services.map((one: Read) => one['Result-Code'])).toEqual([[4012]]);
  expect(asked(await say(gateway, 'wait', '60', 's'))).toEqual([]);
});

test.each([5002, 5012, 5004])(
  'C-204 a client that answers %i has ended its session: it is over here too',
  async (code) => {
    const gateway = await Gateway.open(yamlOf(DATA_RULE));
    await say(gateway, 'client', String(code));
    await gateway.ask('initial', 0, mscc(asks(1)));
    expect(asked(await say(gateway, 'reauthorise', '1;s'))).toHaveLength(1);
    expect(await gateway.openSessions()).toBe(0);
    expect((await gateway.account())[0]).toBe('main: 10.00 available, 0.00 reserved');
    expect((await gateway.ask('update', 1, mscc(asks(1)))).code).toBe(5002);
  },
);

test.each([4002, 3002])(
  'C-204 %i is no word of the session: it is asked again, and goes on',
  async (code) => {
    const gateway = await Gateway.open(yamlOf(DATA_RULE));
    await say(gateway, 'client', String(code));
    await gateway.ask('initial', 0, mscc(asks(1)));
    await say(gateway, 'reauthorise', '1;s');
    expect(asked(await say(gateway, 'wait', '5', 's'))).toHaveLength(1);
    expect(await gateway.openSessions()).toBe(1);
  },
);
