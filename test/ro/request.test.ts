/** A Credit-Control-Request in the core's words: RFC 8506 3.1, 5.1.2, 8.16-8.22. */
import { describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/charging/money.ts';
import type { CCR } from '../../src/diameter/commands.ts';
import type { Understood, Value } from '../../src/diameter/message.ts';
import { identify } from '../../src/ro/identify.ts';
import { type SessionRequest, toRequest } from '../../src/ro/request.ts';

const currency = { code: 978, digits: 2 };
type MSCC = Understood<Value<'Multiple-Services-Credit-Control'>>;

const base: Understood<CCR> = {
  'Session-Id': 'gw;1;2',
  'Origin-Host': 'gw.example',
  'Origin-Realm': 'example',
  'CC-Request-Type': 2,
  'CC-Request-Number': 3,
  'Service-Context-Id': '32251@3gpp.org',
};

function translated(part: Understood<CCR>) {
  const ccr = { ...base, ...part };
  const identified = identify(ccr);
  if (identified === undefined || identified.kind === 'event') throw new Error('not of a session');
  return toRequest(ccr, identified as SessionRequest, { currency });
}

const servicesOf = (...services: MSCC[]) =>
  translated({ 'Multiple-Services-Credit-Control': services } as Understood<CCR>);
const money = (digits: bigint, exponent?: number) => ({
  'CC-Money': {
    'Unit-Value': {
      'Value-Digits': digits,
      ...(exponent === undefined ? {} : { Exponent: exponent }),
    },
  },
});

describe('units', () => {
  test('C-095 an empty Requested-Service-Unit asks, an absent one does not', () => {
    const { services } = servicesOf(
      { 'Rating-Group': 1, 'Requested-Service-Unit': {} },
      { 'Rating-Group': 2 },
    );
    expect(services).toEqual([
      { ratingGroup: 1, serviceIds: [], asked: {} },
      { ratingGroup: 2, serviceIds: [] },
    ]);
  });

  test('C-078 input and output are added where there is no total, and never to it', () => {
    const octets = (usu: Understood<Value<'Used-Service-Unit'>>) =>
      servicesOf({ 'Rating-Group': 1, 'Used-Service-Unit': [usu] }).services[0]!.used;
    expect(octets({ 'CC-Input-Octets': 3n, 'CC-Output-Octets': 4n })).toEqual({ octets: 7 });
    expect(octets({ 'CC-Input-Octets': 3n })).toEqual({ octets: 3 });
    expect(
      octets({ 'CC-Total-Octets': 9n, 'CC-Input-Octets': 3n, 'CC-Output-Octets': 4n }),
    ).toEqual({ octets: 9 });
    expect(octets({ 'CC-Total-Octets': 0n, 'CC-Input-Octets': 3n })).toEqual({ octets: 0 });
    expect(octets({})).toEqual({});
  });

  test('C-105 several Used-Service-Units of a service are summed, each by its own total', () => {
    const { services } = servicesOf({
      'Rating-Group': 1,
      'Used-Service-Unit': [
        { 'CC-Total-Octets': 5n, 'CC-Time': 1 },
        { 'CC-Input-Octets': 2n, 'CC-Output-Octets': 1n },
        { 'CC-Service-Specific-Units': 4n },
      ],
    });
    expect(services[0]!.used).toEqual({ octets: 8, seconds: 1, units: 4 });
  });

  test('C-094 the same service twice in one request is told twice', () => {
    const { services } = servicesOf(
      { 'Rating-Group': 1, 'Service-Identifier': [2, 1], 'Used-Service-Unit': [{ 'CC-Time': 5 }] },
      {
        'Rating-Group': 1,
        'Service-Identifier': [1, 2, 2],
        'Requested-Service-Unit': { 'CC-Time': 60 },
        'Used-Service-Unit': [{ 'CC-Time': 6 }],
        'Reporting-Reason': [3],
      },
    );
    const key = { ratingGroup: 1, serviceIds: [1, 2] };
    expect(services).toEqual([
      { ...key, used: { seconds: 5 } },
      { ...key, asked: { seconds: 60 }, used: { seconds: 6 }, reasons: [3] },
    ]);
  });

  test('two services without Rating-Group are the service of the session', () => {
    const { services } = servicesOf(
      { 'Used-Service-Unit': [{ 'CC-Total-Octets': 1n }] },
      { 'Used-Service-Unit': [{ 'CC-Total-Octets': 2n }], 'Requested-Service-Unit': {} },
    );
    expect(services).toEqual([
      { serviceIds: [], used: { octets: 1 } },
      { serviceIds: [], asked: {}, used: { octets: 2 } },
    ]);
  });

  test('C-093 rating group, identifier and both are different services', () => {
    const { services } = servicesOf(
      { 'Rating-Group': 1 },
      { 'Rating-Group': 1, 'Service-Identifier': [7] },
      { 'Service-Identifier': [7] },
    );
    expect(services).toHaveLength(3);
  });

  test('what no counter holds is cut, and said to be', () => {
    const usage = (...usus: Understood<Value<'Used-Service-Unit'>>[]) =>
      servicesOf({ 'Rating-Group': 1, 'Used-Service-Unit': usus }).services[0];
    expect(usage({ 'CC-Total-Octets': 2n ** 64n - 1n })).toMatchObject({
      used: { octets: LIMIT },
      excess: true,
    });
    expect(usage({ 'CC-Total-Octets': BigInt(LIMIT) }, { 'CC-Total-Octets': 1n })).toMatchObject({
      used: { octets: LIMIT },
      excess: true,
    });
    expect(usage(money(2n ** 63n - 1n))).toMatchObject({ used: { money: LIMIT }, excess: true });
    expect(usage({ 'CC-Total-Octets': BigInt(LIMIT) })!.excess).toBeUndefined();
    expect(usage(money(15n, -3))!.excess).toBeUndefined();
    const usu = { 'CC-Total-Octets': BigInt(LIMIT) };
    const twice = servicesOf({ 'Rating-Group': 1, 'Used-Service-Unit': [usu, usu] });
    expect(twice.services).toMatchObject([{ used: { octets: LIMIT }, excess: true }]);
  });
});

describe('money', () => {
  const reported = (...values: [bigint, number][]) =>
    servicesOf({
      'Used-Service-Unit': values.map(([digits, exponent]) => money(digits, exponent)),
    }).services;

  test('C-105 is summed exactly and rounded up once', () => {
    const mille: [bigint, number] = [1n, -3];
    expect(reported(...Array.from({ length: 10 }, () => mille))).toMatchObject([
      { used: { money: 1 } },
    ]);
    expect(reported(mille, [3n, -2])).toMatchObject([{ used: { money: 4 } }]);
    expect(reported([1n, -30], [1n, 3])).toMatchObject([{ used: { money: 100_001 } }]);
  });

  test('that is given back counts against what was spent, and never below nothing', () => {
    const [net] = reported([50n, -2], [-30n, -2]);
    expect(net).toEqual({ serviceIds: [], used: { money: 20 } });
    expect(reported([50n, -2], [-50n, -2])).toEqual([{ serviceIds: [], used: { money: 0 } }]);
    expect(reported([50n, -2], [-51n, -2])).toMatchObject([{ used: { money: 0 }, excess: true }]);
  });

  test('below zero is none to be asked for', () => {
    const asks = (digits: bigint) =>
      servicesOf({ 'Requested-Service-Unit': money(digits, -2) }).services[0];
    expect(asks(-1n)).toEqual({ serviceIds: [], asked: {}, foreignMoney: true });
    expect(asks(0n)).toEqual({ serviceIds: [], asked: { money: 0 } });
  });
});

describe('levels', () => {
  test('units without services are the command level’s', () => {
    expect(
      translated({
        'Requested-Service-Unit': money(25n, -1),
        'Used-Service-Unit': [money(5n)],
        'Service-Identifier': 7,
      } as Understood<CCR>),
    ).toMatchObject({
      level: 'command',
      services: [{ serviceIds: [7], asked: { money: 250 }, used: { money: 500 } }],
    });
  });

  const octets = (count: bigint) => ({ 'CC-Total-Octets': count });

  test('usage at command level beside one service is that service’s', () => {
    const { level, services } = translated({
      'Used-Service-Unit': [octets(5n), octets(1n)],
      'Multiple-Services-Credit-Control': [
        { 'Rating-Group': 1, 'Requested-Service-Unit': {}, 'Used-Service-Unit': [octets(2n)] },
      ],
    } as Understood<CCR>);
    expect(level).toBe('services');
    expect(services).toEqual([{ ratingGroup: 1, serviceIds: [], asked: {}, used: { octets: 8 } }]);
  });

  test('usage at command level beside several services, or of one by name, is of its own', () => {
    const beside = (...more: Understood<CCR>[]) =>
      translated(Object.assign({ 'Used-Service-Unit': [octets(5n)] }, ...more)).services;
    const services = [{ 'Rating-Group': 1 }, { 'Rating-Group': 2 }];
    expect(beside({ 'Multiple-Services-Credit-Control': services } as Understood<CCR>)).toEqual([
      { ratingGroup: 1, serviceIds: [] },
      { ratingGroup: 2, serviceIds: [] },
      { serviceIds: [], used: { octets: 5 } },
    ]);
    const one = { 'Multiple-Services-Credit-Control': services.slice(1), 'Service-Identifier': 7 };
    expect(beside(one as Understood<CCR>)).toEqual([
      { ratingGroup: 2, serviceIds: [] },
      { serviceIds: [7], used: { octets: 5 } },
    ]);
  });

  test('a request without any units names no service', () => {
    expect(translated({})).toMatchObject({ level: 'services', services: [] });
  });

  test('C-091 services count whatever Multiple-Services-Indicator says', () => {
    const request = translated({
      'Multiple-Services-Indicator': 0,
      'Multiple-Services-Credit-Control': [{ 'Rating-Group': 1 }],
    } as Understood<CCR>);
    expect(request).toMatchObject({ level: 'services', services: [{ ratingGroup: 1 }] });
  });

  test('C-017 Requested-Action means nothing in a session', () => {
    for (const type of [1, 2, 3])
      expect(translated({ 'CC-Request-Type': type, 'Requested-Action': 1 })).toEqual(
        translated({ 'CC-Request-Type': type }),
      );
  });

  test('Termination-Cause is kept', () => {
    expect(translated({ 'CC-Request-Type': 3, 'Termination-Cause': 4 })).toMatchObject({
      kind: 'termination',
      terminationCause: 4,
    });
  });
});
