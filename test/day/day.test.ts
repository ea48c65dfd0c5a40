/**
 * A short day with everything else, so that the long one does not rot. `npm run test:day` plays the
 * long one: `DAY_SEED`, `DAY_SUBSCRIBERS` and `DAY_REQUESTS` say which.
 */
import { expect, test } from 'vitest';
import { playDay } from './day.ts';

const long = process.env.DAY === 'long';
const numberOf = (name: string, usual: number): number => Number(process.env[name] ?? usual);

const options = {
  seed: numberOf('DAY_SEED', 1),
  subscribers: numberOf('DAY_SUBSCRIBERS', long ? 10_000 : 300),
  requests: numberOf('DAY_REQUESTS', long ? 500_000 : 6_000),
  kills: long ? 6 : 2,
};

test('every account is charged what its day cost, to the unit', {
  timeout: long ? 3_600_000 : 120_000,
}, async () => {
  const report = await playDay(options);
  const { codes, ...rest } = report;
  if (long) console.log(JSON.stringify({ ...options, ...rest, codes }, undefined, 2));
  expect(rest).toMatchObject({ wrong: [], audit: [], contradictions: [], openSessions: 0 });
  expect(rest.requests).toBeGreaterThan(0.8 * options.requests);
  expect(rest.copies).toBeGreaterThan(options.requests / 100);
  expect(rest.kills).toBe(options.kills);
  // Some were refused for want of credit, and for nothing else.
  expect(Object.keys(codes)).toEqual(['2001', '4012']);
});
