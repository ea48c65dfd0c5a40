/** A configuration's document, read in short steps: what JSON.parse gives, and no part of it twice. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Parts, parsing } from '../../src/provisioning/parse.ts';
import { atOnce } from '../../src/provisioning/work.ts';

const parse = (text: string, options?: { known?: Parts; chunk?: number }) =>
  atOnce(parsing(text, options));

/** What parsing comes to: a value, or what is wrong. */
function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    return { name: (error as Error).name, message: (error as Error).message };
  }
}

const alike = (text: string, chunk?: number) =>
  expect(outcome(() => parse(text, chunk === undefined ? {} : { chunk }).value)).toEqual(
    outcome(() => JSON.parse(text)),
  );

const documents = fc.oneof(
  fc.jsonValue(),
  fc.record({
    tenants: fc.array(
      fc.record({
        plans: fc.array(fc.jsonValue(), { maxLength: 4 }),
        zones: fc.jsonValue(),
        holidays: fc.jsonValue(),
      }),
      { maxLength: 3 },
    ),
    peers: fc.jsonValue(),
  }),
);
const chunks = fc.integer({ min: 0, max: 40 });
const spaces = fc.constantFrom(0, 1, '\t', '\r\n ');

describe('any document', () => {
  test('is what JSON.parse makes of it, whatever is read in one step', () => {
    fc.assert(
      fc.property(documents, spaces, chunks, (value, space, chunk) => {
        alike(JSON.stringify(value, undefined, space as string), chunk);
      }),
    );
  });

  test('that is broken somewhere is refused as by JSON.parse', () => {
    const characters = fc.constantFrom(...'{}[],:"\\ 1-.e\n', 'null', '');
    fc.assert(
      fc.property(documents, fc.nat(), characters, chunks, (value, place, other, chunk) => {
        const text = JSON.stringify(value);
        const at = place % (text.length + 1);
        alike(text.slice(0, at) + other + text.slice(at + 1), chunk);
      }),
      { numRuns: 1_000 },
    );
  });
});

test.each([
  ['nothing', ''],
  ['a comma after the last item', '[[1], [2], ]'],
  ['a comma after the last member', '{"a": [1], "b": {}, }'],
  ['no comma', '[[1] [2]]'],
  ['items that are missing', '[,[1]]'],
  ['more than one value', '{"a": 1} {}'],
  ['a name that is no text', '{"a": [], 1: 2}'],
  ['a name twice', '{"a": [1], "b": 2, "a": [3]}'],
  ['the name of a prototype', '{"__proto__": {"a": [1]}, "b": {"__proto__": 1}}'],
  ['brackets and quotes in texts', '{"a]": ["}", "\\"]", "\\\\"], "b": "{[\\u005d"}'],
  ['a long text', JSON.stringify({ a: 'x\\'.repeat(200_000) })],
  ['lists in lists', `${'['.repeat(3_000)}${']'.repeat(3_000)}`],
])('%s is read as JSON.parse does', (_, text) => {
  const read = (options: { chunk?: number }) => outcome(() => parse(text, options).value);
  const expected = outcome(() => JSON.parse(text));
  // Not toEqual: what is deep is beyond it.
  for (const options of [{}, { chunk: 3 }])
    expect(JSON.stringify(read(options))).toBe(JSON.stringify(expected));
});

const written = (plans: readonly object[], more: object = {}) =>
  JSON.stringify({ tenants: [{ id: 't', zones: [{ id: 'eu' }], plans, ...more }] });
const plansOf = (value: unknown) =>
  (value as { tenants: { zones: unknown; plans: unknown[] }[] }).tenants[0]!;

describe('a part that is written as before', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => ({ id, rules: [{ name: id.repeat(50) }] }));

  test('is the same value, wherever it stands', () => {
    const first = parse(written([a!, b!]));
    const second = parse(written([c!, b!, a!], { name: 'T' }), { known: first.parts });
    const [then, now] = [plansOf(first.value), plansOf(second.value)];
    expect(second.value).toEqual(JSON.parse(written([c!, b!, a!], { name: 'T' })));
    expect(now.plans[1]).toBe(then.plans[1]);
    expect(now.plans[2]).toBe(then.plans[0]);
    expect(now.zones).toBe(then.zones);
    const third = plansOf(parse(written([a!, c!]), { known: second.parts }).value);
    expect(third.plans[0]).toBe(then.plans[0]);
    expect(third.plans[1]).toBe(now.plans[0]);
  });

  test('is one value where it stands twice', () => {
    const { plans } = plansOf(parse(written([a!, b!, a!])).value);
    expect(plans[2]).toBe(plans[0]);
    expect(plans[1]).toEqual(b);
  });

  test('is another value when a character of it changes', () => {
    const first = parse(written([a!]));
    const text = written([a!]).replace('aaa', 'aba');
    const second = parse(text, { known: first.parts });
    expect(plansOf(second.value).plans).toEqual(plansOf(JSON.parse(text)).plans);
  });

  test('is not taken for the beginning of another', () => {
    const at = (holidays: string) => `{"tenants":[{"plans":[1,"x",12],"holidays":${holidays}}]}`;
    const first = parse(at('2026'));
    expect(parse(at('20261'), { known: first.parts }).value).toEqual(JSON.parse(at('20261')));
  });
});

test('no step reads more than a chunk', () => {
  const rules = Array.from({ length: 5_000 }, (_, at) => ({
    name: `r${at}`,
    price: { amount: at },
  }));
  const text = written([{ id: 'p', rules }]);
  let steps = 0;
  for (const work = parsing(text); !work.next().done; ) steps += 1;
  expect(steps).toBeGreaterThan(text.length / 16_384);
});
