/** Which quota is reported for: a service's own, its rating group's, or the session's only one. */
import { describe, expect, test } from 'vitest';
import type { AskedService } from '../../src/charging/request.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, Till } from './till.ts';

const at = { price: { amount: 1, per: 1, increment: 1 } };
const balance = (till: Till) => [
  till.available('bundle'),
  till.reserved('bundle'),
  till.available('main'),
];

function opened(first: AskedService, part = {}): Till {
  const till = new Till({
    plan: planOf([ruleOf({ ...at, quota: { size: 50, minimum: 1, maximum: 1000 } })]),
    buckets: [bundle('bundle'), main],
    openings: { bundle: 200, main: 1000 },
  });
  till.ask(requestOf('initial', 0, [first], part));
  return till;
}

describe('what identifiers report of a quota for their whole rating group (RFC 8506 5.1.2)', () => {
  const whole = asks({ asked: { octets: 200 } });

  test('is debited from it, also when more is asked for, which is their own', () => {
    const till = opened(whole);
    expect(balance(till)).toEqual([0, 200, 1000]);
    const { services } = till.ask(
      requestOf('update', 1, [asks({ serviceIds: [7], used: { octets: 60 }, asked: {} })]),
    );
    expect(services).toMatchObject([
      { ratingGroup: 1, serviceIds: [7], granted: { unit: 'octets', units: 50 } },
    ]);
    expect(balance(till)).toEqual([90, 50, 1000]);
    expect(till.session()!.services).toMatchObject([
      { serviceIds: [], used: 60 },
      { serviceIds: [7], used: 0, grant: { units: 50 } },
    ]);
    till.ask(requestOf('termination', 2, [asks({ serviceIds: [7], used: { octets: 10 } })]));
    expect(balance(till)).toEqual([130, 0, 1000]);
  });

  test('of several in one request draws on the one quota', () => {
    const till = opened(whole);
    const one = (id: number, octets: number) =>
      asks({ serviceIds: [id], used: { octets }, asked: { octets: 20 } });
    till.ask(requestOf('update', 1, [one(7, 120), one(8, 80)]));
    expect(balance(till)).toEqual([0, 0, 960]);
  });

  test('is their own where they have a quota themselves', () => {
    const till = opened(whole);
    till.ask(requestOf('update', 1, [asks({ serviceIds: [7], asked: { octets: 30 } })]));
    till.ask(requestOf('update', 2, [asks({ serviceIds: [7], used: { octets: 10 } })]));
    expect(till.session()!.services).toMatchObject([
      { serviceIds: [], used: 0, grant: { units: 200 } },
      { serviceIds: [7], used: 10 },
    ]);
  });

  test('asking for one of them leaves the quota alone', () => {
    const till = opened(whole);
    till.ask(requestOf('update', 1, [asks({ serviceIds: [7], asked: { octets: 30 } })]));
    expect(balance(till)).toEqual([0, 200, 970]);
  });
});

describe('a quota for several identifiers', () => {
  test('is debited by what each of them reports', () => {
    const till = opened(asks({ serviceIds: [8, 9, 11], asked: { octets: 200 } }));
    till.ask(
      requestOf('termination', 1, [
        asks({ serviceIds: [8], used: { octets: 120 } }),
        asks({ serviceIds: [9, 11], used: { octets: 80 } }),
      ]),
    );
    expect(balance(till)).toEqual([0, 0, 1000]);
  });

  test('is not debited by what others report', () => {
    const till = opened(asks({ serviceIds: [8, 9], asked: { octets: 200 } }));
    till.ask(requestOf('termination', 1, [asks({ serviceIds: [9, 10], used: { octets: 30 } })]));
    expect(till.session()!.services.map(({ serviceIds, used }) => [serviceIds, used])).toEqual([
      [[8, 9], 0],
      [[9, 10], 30],
    ]);
  });

  test('of another rating group is another one', () => {
    const till = opened(asks({ ratingGroup: 2, serviceIds: [8, 9], asked: { octets: 200 } }));
    till.ask(requestOf('update', 1, [asks({ serviceIds: [8], used: { octets: 30 } })]));
    expect(till.session()!.services[0]).toMatchObject({ ratingGroup: 2, used: 0 });
  });
});

describe('at command level there is but one service', () => {
  const level = { level: 'command' as const };

  test.each([
    ['named in the first request only', [5], []],
    ['named from the second request on', [], [5]],
    ['never named', [], []],
  ])('%s', (_, first, then) => {
    const till = opened({ serviceIds: first, asked: { octets: 200 } }, level);
    const { services } = till.ask(
      requestOf('update', 1, [{ serviceIds: then, used: { octets: 60 }, asked: {} }], level),
    );
    expect(services).toMatchObject([{ granted: { units: 50 } }]);
    expect(balance(till)).toEqual([90, 50, 1000]);
    till.ask(requestOf('termination', 2, [{ serviceIds: then, used: { octets: 50 } }], level));
    expect(balance(till)).toEqual([90, 0, 1000]);
    expect(till.session()!.services).toHaveLength(1);
  });

  test('is rated by the rule of the name that it was given', () => {
    const till = new Till({
      plan: planOf([ruleOf({ name: 'five', ...at, match: { serviceIdentifier: [5] } })]),
      openings: { main: 100 },
    });
    till.ask(requestOf('initial', 0, [{ serviceIds: [5], asked: { octets: 10 } }], level));
    const used = { serviceIds: [], used: { octets: 10 }, asked: { octets: 20 } };
    expect(till.ask(requestOf('update', 1, [used], level)).services).toMatchObject([
      { outcome: 'success', granted: { units: 20 } },
    ]);
  });
});
