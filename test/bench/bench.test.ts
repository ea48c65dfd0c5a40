// The benchmarks run, each for a moment: what they measure then means nothing, that they measure
// everything does.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { asText, type Figure, median } from '../../bench/figure.ts';

const run = fileURLToPath(new URL('../../bench/run.ts', import.meta.url));

let figures: Figure[] = [];

beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [run, '--tiny', '--json']);
  figures = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Figure);
}, 120_000);

const of = (bench: string, name = ''): Figure[] =>
  figures.filter((figure) => figure.bench === bench && figure.name.startsWith(name));

describe('each part of the benchmark', () => {
  it('finds figures that are figures', () => {
    for (const figure of figures) expect(figure.value, figure.name).toBeGreaterThan(0);
  });

  it('codec: times what goes through the decoder and the encoder', () => {
    expect(of('codec').map(({ name }) => name.replace(/\d+ octets/, 'n octets'))).toEqual([
      'decode a CCR of n octets',
      'encode a CCA of n octets',
      'encode a CCR of n octets',
      'answer a request that cannot be served',
      'cut a chunk of 100 messages',
    ]);
  });

  it('matching: finds rules in plans of different sizes', () => {
    expect(of('matching').map(({ name }) => name)).toEqual([
      '10 rules of a called prefix each',
      '10,000 rules of a called prefix each',
      'a rule of 10,000 called prefixes',
      '10,000 rules to 10 rules',
    ]);
  });

  it('commits: commits, and so does redis-benchmark', () => {
    expect(of('commits').map(({ name }) => name)).toEqual([
      'commits of the store',
      'CPU of its process per commit',
      'CPU of Redis per commit',
      'the same by redis-benchmark',
      'CPU of Redis per call of that',
    ]);
  });

  it('system: charges in every setting, against the goals', () => {
    expect(of('system', 'answers').map((figure) => figure.with)).toEqual([
      { durability: 'memory', outstanding: 20 },
      { durability: 'memory', outstanding: 200 },
      { durability: 'fsync', outstanding: 20 },
      { durability: 'fsync', outstanding: 200 },
    ]);
    const goals = of('system').filter(({ goal }) => goal !== undefined);
    expect(goals.map(({ name, goal }) => [name, goal])).toEqual([
      ['worker CPU per CCR', 35],
      ['Redis CPU per CCR', 20],
    ]);
  });

  it('trips: counts one an update where the session stays, two where it does not', () => {
    const [sticky, spread] = of('trips', 'round trips per update');
    expect(sticky).toMatchObject({ with: { sessions: 'on one worker each' }, goal: 1.05 });
    expect(sticky!.value).toBeLessThanOrEqual(1.05);
    expect(spread).toMatchObject({ with: { sessions: 'spread over two workers' }, goal: 2 });
    expect(spread!.value).toBeGreaterThan(1.5);
    expect(spread!.value).toBeLessThan(2.5);
  });

  it('memory: weighs open sessions and what they own', () => {
    const [one, sixteen] = of('memory', 'Redis per open session');
    expect(one).toMatchObject({ with: { answers: 1 }, goal: 1_000 });
    expect(sixteen).toMatchObject({ with: { answers: 16 } });
    const sessions = of('memory', 'of these, the session');
    expect(sessions[1]!.value).toBeGreaterThan(sessions[0]!.value);
  });

  it('import: imports alone, and while a worker charges', () => {
    expect(
      of('import').map(({ name, with: { meanwhile = '' } = {} }) => [name, meanwhile]),
    ).toEqual([
      ['subscribers', ''],
      ['all of them', ''],
      ['memory of the importer, at most', ''],
      ['Redis per subscriber', ''],
      ...['nothing', 'the import'].flatMap((meanwhile) => [
        ['latency of a CCR, half of them', meanwhile],
        ['latency of a CCR, 99 of 100', meanwhile],
        ['CCRs answered', meanwhile],
      ]),
      ['subscribers', 'charging'],
    ]);
  });

  it('start: times a worker and the whole service', () => {
    expect(of('start')).toHaveLength(2);
  });
});

it('against: measures this version and another checkout in turn, and what one takes of the other', async () => {
  const here = fileURLToPath(new URL('../..', import.meta.url));
  const args = [run, '--tiny', '--json', `--against=${here}`];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  const found = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Figure);
  expect(found).toHaveLength(24);
  for (const figure of found) expect(figure.value, figure.name).toBeGreaterThan(0);
  const [there, us, times] = found as [Figure, Figure, Figure];
  expect([there, us, times].map(({ name }) => name)).toEqual([
    'worker CPU per CCR, there',
    'worker CPU per CCR, here',
    'worker CPU per CCR, here to there',
  ]);
  expect(times.value).toBeCloseTo(us.value / there.value);
}, 120_000);

it('refuses a part that there is not, and says which there are', async () => {
  await expect(promisify(execFile)(process.execPath, [run, 'speed'])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'no such part: speed; there are codec, matching, commits, system',
    ),
  });
});

describe('figures', () => {
  it('takes the middle of an odd number of samples, the mean of the two middle ones otherwise', () => {
    expect(median([9, 1, 2])).toEqual({ value: 2, range: [1, 9] });
    expect(median([4, 1, 2, 10])).toEqual({ value: 3, range: [1, 10] });
  });

  it('says whether a goal is met', () => {
    const figure: Figure = { bench: 'system', name: 'CPU', unit: 'us', value: 34.96, goal: 35 };
    expect(asText(figure)).toMatch(/35\.0 us {2}goal 35: met$/);
    expect(asText({ ...figure, value: 35.2 })).toMatch(/goal 35: MISSED$/);
  });
});
