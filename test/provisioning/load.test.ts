/** The provisioning file: what is accepted, what is said of each mistake and where. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LIMITS } from '../../src/provisioning/limits.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { renderProblems } from '../../src/provisioning/problem.ts';

/** A small file that is right; a test changes a line of it. */
const RIGHT = `tenants:
  - id: blue
    currency: EUR
    digits: 4
    plans:
      - id: prepaid
        rules:
          - name: internet
            match: { ratingGroup: [1] }
            unit: octets
            price: { amount: '0.05', per: 1 MiB, increment: 1 KiB }
            quota: { size: 10 MiB, minimum: 1 KiB, maximum: 20 MiB }
            validity: 1 h
          - name: calls
            match: { context: [32260@3gpp.org] }
            unit: seconds
            free: true
            quota: { size: 60 }
    accounts:
      - id: a1
        plan: prepaid
        subscribers: [{ e164: '491' }]
        buckets:
          - { id: bundle, unit: octets, opening: 1 GB, paysFor: [internet] }
          - { id: main, unit: money, opening: '5' }
    ranges:
      - prefix: r
        count: 10
        first: { e164: '500' }
        plan: prepaid
peers:
  known:
    - { host: pgw.example, tenants: [blue] }
`;

function problemsOf(text: string): string[] {
  const loaded = loadProvisioning(text, 'f.yaml');
  return loaded.ok ? [] : renderProblems(loaded.problems).split('\n');
}

/** RIGHT with one piece of it replaced, which must be there. */
function changed(from: string, to: string): string {
  expect(RIGHT.split(from)).toHaveLength(2);
  return RIGHT.replace(from, () => to);
}

test('a tenant whose currency is wrong or missing is checked to its end', () => {
  const unknownPlan = changed(
    'plan: prepaid\n        subscribers',
    'plan: gold\n        subscribers',
  );
  const wrong = problemsOf(unknownPlan.replace('currency: EUR', 'currency: euro'));
  expect(wrong).toHaveLength(2);
  expect(wrong[0]).toMatch(/^f\.yaml:3:15: /);
  expect(wrong[1]).toContain('gold');
  const missing = problemsOf(unknownPlan.replace('    currency: EUR\n', ''));
  expect(missing).toHaveLength(2);
  expect(missing[1]).toContain('gold');
});

test('the small file is right', () => {
  expect(problemsOf(RIGHT)).toEqual([]);
});

test.each<[what: string, from: string, to: string, problems: string[]]>([
  [
    'a misspelt member',
    'currency: EUR',
    'curency: EUR',
    [
      "3:5: tenants[0].curency: found unknown member 'curency'" +
        ", expected a known member: 'currency'?",
    ],
  ],
  [
    'a missing member',
    '      - id: a1\n        plan',
    '      - plan',
    [
      '20:9: tenants[0].accounts[0].id: found nothing' +
        ", expected an account id of up to 128 letters, digits, '.', '_' and '-'",
    ],
  ],
  [
    'another type',
    "amount: '0.05'",
    'amount: 0.05',
    [
      '11:30: tenants[0].plans[0].rules[0].price.amount: found 0.05' +
        ", expected an amount of money in quotes, such as '0.05'",
    ],
  ],
  [
    'a word that is not one of them',
    'unit: seconds',
    'unit: minutes',
    [
      "16:19: tenants[0].plans[0].rules[1].unit: found 'minutes'" +
        ', expected octets, seconds, units or money',
    ],
  ],
  [
    'a wrong pattern',
    "e164: '491'",
    "e164: '+491'",
    [
      "22:31: tenants[0].accounts[0].subscribers[0].e164: found '+491'" +
        ", expected a number in international form in quotes, without '+', such as '491700000001'",
    ],
  ],
  [
    'a number without quotes',
    "e164: '491'",
    'e164: 491',
    [
      '22:31: tenants[0].accounts[0].subscribers[0].e164: found 491' +
        ", expected a number in international form in quotes, without '+', such as '491700000001'",
    ],
  ],
  [
    'a value that fits no choice',
    'ratingGroup: [1]',
    'ratingGroup: [-1]',
    [
      '9:36: tenants[0].plans[0].rules[0].match.ratingGroup[0]: found -1' +
        ", expected a rating group from 0 to 4294967295 or 'none'",
    ],
  ],
  [
    'an empty list',
    'ratingGroup: [1]',
    'ratingGroup: []',
    [
      '9:35: tenants[0].plans[0].rules[0].match.ratingGroup: found an empty list' +
        ', expected a list of rating groups',
    ],
  ],
  [
    'an empty value',
    'id: prepaid\n',
    'id:\n',
    [
      '6:9: tenants[0].plans[0].id: found nothing' +
        ", expected an id of up to 64 letters, digits, '.', '_' and '-'",
    ],
  ],
  [
    'an unknown currency',
    'EUR',
    'EUX',
    ["3:15: tenants[0].currency: found 'EUX', expected a currency code of ISO 4217 such as EUR"],
  ],
  [
    'an unknown plan',
    'id: a1\n        plan: prepaid',
    'id: a1\n        plan: prepiad',
    ["21:15: tenants[0].accounts[0].plan: found 'prepiad', expected the id of a plan: 'prepaid'?"],
  ],
  [
    'an unknown rule',
    'paysFor: [internet]',
    'paysFor: [intenet]',
    [
      "24:66: tenants[0].accounts[0].buckets[0].paysFor[0]: found 'intenet'" +
        ", expected a rule of plan 'prepaid': 'internet'?",
    ],
  ],
  [
    'a rule of another unit',
    'paysFor: [internet]',
    'paysFor: [calls]',
    [
      "24:66: tenants[0].accounts[0].buckets[0].paysFor[0]: found 'calls', which counts seconds" +
        ', expected a rule that counts octets',
    ],
  ],
  [
    'an unknown tenant of a peer',
    'tenants: [blue]',
    'tenants: [bleu]',
    ["33:38: peers.known[0].tenants[0]: found 'bleu', expected the id of a tenant: 'blue'?"],
  ],
  [
    'too many decimal places',
    "'0.05'",
    "'0.05123'",
    [
      "11:30: tenants[0].plans[0].rules[0].price.amount: found '0.05123'" +
        ', expected at most 4 decimal places',
    ],
  ],
  [
    'too much money',
    "opening: '5'",
    "opening: '900719925474.1'",
    [
      "25:47: tenants[0].accounts[0].buckets[1].opening: found '900719925474.1'" +
        ', expected at most 900719925474.0991',
    ],
  ],
  [
    'too many octets',
    'opening: 1 GB',
    'opening: 9999999 TB',
    [
      "24:50: tenants[0].accounts[0].buckets[0].opening: found '9999999 TB'" +
        ', expected at most 2^53 - 1',
    ],
  ],
  [
    'a price of nothing',
    "'0.05'",
    "'0'",
    ["11:30: tenants[0].plans[0].rules[0].price.amount: found '0', expected more than 0"],
  ],
  [
    'a size in seconds for octets',
    'size: 10 MiB',
    'size: 10 min',
    [
      "12:28: tenants[0].plans[0].rules[0].quota.size: found '10 min'" +
        ", expected a size such as '10 MB', '10 MiB' or a whole number of octets",
    ],
  ],
  [
    'a fraction of an octet',
    'size: 10 MiB',
    "size: '10240.5'",
    [
      "12:28: tenants[0].plans[0].rules[0].quota.size: found '10240.5'" +
        ", expected a size such as '10 MB', '10 MiB' or a whole number of octets: nothing is rounded",
    ],
  ],
  [
    'a fraction of a second',
    'size: 60 ',
    "size: '60.5' ",
    [
      "18:28: tenants[0].plans[0].rules[1].quota.size: found '60.5'" +
        ", expected a duration such as '90 s', '15 min', '1 h' or a whole number of seconds: nothing is rounded",
    ],
  ],
  [
    'an increment above the size',
    'increment: 1 KiB',
    'increment: 11 MiB',
    [
      "11:61: tenants[0].plans[0].rules[0].price.increment: found steps of '11 MiB'" +
        ", expected at most the quota's size, '10 MiB'",
    ],
  ],
  [
    'a step of `per` above the size',
    ', increment: 1 KiB',
    ', per: 1 GiB',
    ['11:50: found an error (Map keys must be unique), expected well-formed YAML'],
  ],
  [
    'a minimum above the size',
    'minimum: 1 KiB',
    'minimum: 11 MiB',
    [
      "12:45: tenants[0].plans[0].rules[0].quota.minimum: found '11 MiB'" +
        ", expected at most the size, '10 MiB'",
    ],
  ],
  [
    'a maximum below the size',
    'maximum: 20 MiB',
    'maximum: 1 MiB',
    [
      "12:61: tenants[0].plans[0].rules[0].quota.maximum: found '1 MiB'" +
        ", expected at least the size, '10 MiB'",
    ],
  ],
  [
    'a minimum of 0',
    'minimum: 1 KiB',
    'minimum: 0',
    ['12:45: tenants[0].plans[0].rules[0].quota.minimum: found 0, expected more than 0'],
  ],
  [
    'no validity at all',
    'validity: 1 h',
    'validity: 0',
    ['13:23: tenants[0].plans[0].rules[0].validity: found 0, expected more than 0'],
  ],
  [
    'a validity without end',
    'validity: 1 h',
    'validity: 900 d',
    ["13:23: tenants[0].plans[0].rules[0].validity: found '900 d', expected at most 366 d"],
  ],
  [
    'two tariffs',
    "price: { amount: '0.05'",
    "free: true\n            price: { amount: '0.05'",
    [
      '11:13: tenants[0].plans[0].rules[0].free: found free beside price' +
        ', expected one of them only',
    ],
  ],
  [
    'no tariff',
    '            free: true\n',
    '',
    [
      '14:13: tenants[0].plans[0].rules[1]: found no price' +
        ", expected one of 'price', 'free: true', 'denied: true', 'uncontrolled: true'",
    ],
  ],
  [
    'a tariff for money',
    'unit: seconds',
    'unit: money',
    [
      '17:13: tenants[0].plans[0].rules[1].free: found free' +
        ', expected neither price nor free: money is not rated again',
      '18:28: tenants[0].plans[0].rules[1].quota.size: found 60' +
        ", expected an amount of money in quotes, such as '0.05'",
    ],
  ],
  [
    'a rule without quota',
    '            quota: { size: 60 }\n',
    '',
    ['14:13: tenants[0].plans[0].rules[1].quota: found nothing, expected quota sizes'],
  ],
  [
    'a rule that is never reached',
    'match: { ratingGroup: [1] }',
    'match: {}',
    [
      "14:13: tenants[0].plans[0].rules[1]: found a rule after 'internet', which matches everything" +
        ', expected rules that can be reached',
    ],
  ],
  [
    'a rule twice',
    'name: calls',
    'name: internet',
    [
      "14:19: tenants[0].plans[0].rules[1].name: found 'internet'" +
        ', expected a name not given before',
    ],
  ],
  [
    'a bucket twice',
    'id: bundle',
    'id: main',
    ["25:19: tenants[0].accounts[0].buckets[1].id: found 'main', expected a name not given before"],
  ],
  [
    'a bucket after the last',
    'opening: 1 GB',
    'priority: 1001',
    [
      "24:51: tenants[0].accounts[0].buckets[0].priority: found 1001 with 'bundle'" +
        ", expected less than 1000: 'main' is drawn last",
    ],
  ],
  [
    'credit on units',
    'opening: 1 GB',
    "creditLimit: '1'",
    [
      '24:41: tenants[0].accounts[0].buckets[0].creditLimit: found a bucket of octets' +
        ', expected no credit limit: only money may go below zero',
    ],
  ],
  [
    'a main bucket that expires',
    "opening: '5'",
    "expires: '2031-01-01T00:00:00Z'",
    [
      "25:13: tenants[0].accounts[0].buckets[1]: found a bucket 'main' that cannot take everything" +
        ', expected money that never expires and pays for every rule, or another id',
    ],
  ],
  [
    'a day that does not exist',
    'opening: 1 GB',
    "expires: '2031-02-29T00:00:00Z'",
    [
      "24:50: tenants[0].accounts[0].buckets[0].expires: found '2031-02-29T00:00:00Z'" +
        ", expected a time that exists, such as '2031-12-31T23:59:59Z'",
    ],
  ],
  [
    'a time without zone',
    'opening: 1 GB',
    "expires: '2031-02-28T00:00:00'",
    [
      "24:50: tenants[0].accounts[0].buckets[0].expires: found '2031-02-28T00:00:00'" +
        ", expected a time in quotes, such as '2031-12-31T23:59:59Z'",
    ],
  ],
  [
    'a subscriber twice',
    "[{ e164: '491' }]",
    "[{ e164: '491' }, { e164: '491' }]",
    [
      "22:48: tenants[0].accounts[0].subscribers[1].e164: found '491'" +
        ', expected none of what tenants[0].accounts[0].subscribers[0].e164 has already',
    ],
  ],
  [
    'a subscriber of a range',
    "e164: '491'",
    "e164: '509'",
    [
      "29:24: tenants[0].ranges[0].first.e164: found 10 numbers from '500'" +
        ', expected none of what tenants[0].accounts[0].subscribers[0].e164 has already',
    ],
  ],
  [
    'an account of a range',
    'id: a1',
    'id: r505',
    [
      "27:17: tenants[0].ranges[0].prefix: found 10 accounts from 'r500'" +
        ', expected none of what tenants[0].accounts[0].id has already',
    ],
  ],
  [
    'a range beyond its digits',
    "'500'",
    "'995'",
    [
      "29:24: tenants[0].ranges[0].first.e164: found '995', counted up by 10" +
        ', expected numbers of 3 digits',
    ],
  ],
  [
    'two tenants without routing',
    'peers:',
    '  - { id: red, currency: SEK, plans: [{ id: p, rules: [{ name: none, denied: true }] }] }\npeers:',
    [
      '1:1: routing: found nothing' +
        ', expected routing rules or a default: there is more than one tenant',
    ],
  ],
  [
    'two tenants with a routing that says nothing',
    'peers:',
    '  - { id: red, currency: SEK, plans: [{ id: p, rules: [{ name: none, denied: true }] }] }\n' +
      'routing: {}\npeers:',
    [
      '32:10: routing: found {}' +
        ', expected routing rules or a default: there is more than one tenant',
    ],
  ],
  [
    'a route to nobody',
    'peers:',
    'routing: { rules: [{ match: { apn: [a] }, tenant: blu }], default: red }\npeers:',
    [
      "31:51: routing.rules[0].tenant: found 'blu', expected the id of a tenant: 'blue'?",
      "31:68: routing.default: found 'red', expected the id of a tenant",
    ],
  ],
  [
    'a route for nothing',
    'peers:',
    'routing: { rules: [{ match: {}, tenant: blue }] }\npeers:',
    ['31:29: routing.rules[0].match: found {}, expected at least one thing to match on'],
  ],
  [
    'a peer twice',
    'tenants: [blue] }',
    'tenants: [blue] }\n    - { host: PGW.example }',
    ["34:15: peers.known[1].host: found 'pgw.example', expected a name not given before"],
  ],
  [
    'not YAML',
    'currency: EUR',
    'currency: [EUR',
    [
      '4:5: found an error (Flow sequence in block collection must be sufficiently indented and end with a ])' +
        ', expected well-formed YAML',
      '4:13: found an error (Nested mappings are not allowed in compact mappings)' +
        ', expected well-formed YAML',
    ],
  ],
  [
    'a member twice',
    'currency: EUR',
    'currency: EUR\n    currency: SEK',
    ['4:5: found an error (Map keys must be unique), expected well-formed YAML'],
  ],
  [
    'a tag',
    'currency: EUR',
    'currency: !js EUR',
    ['3:15: found an error (Unresolved tag: !js), expected well-formed YAML'],
  ],
])('%s', (_, from, to, problems) => {
  expect(problemsOf(changed(from, to))).toEqual(problems.map((problem) => `f.yaml:${problem}`));
});

test('everything is told at once, in the order of the file', () => {
  const text = changed('currency: EUR', 'currency: EUX\n    colour: blue')
    .replace("'0.05'", '0.05')
    .replace('size: 60 ', 'size: 60 min, minimum: 2 h ')
    .replace('id: a1\n        plan: prepaid', 'id: a1\n        plan: postpaid')
    .replace('host: pgw.example', 'host: pgw example');
  expect(problemsOf(text).map((line) => line.split(': found')[0])).toEqual([
    'f.yaml:3:15: tenants[0].currency',
    'f.yaml:4:5: tenants[0].colour',
    'f.yaml:12:30: tenants[0].plans[0].rules[0].price.amount',
    'f.yaml:19:45: tenants[0].plans[0].rules[1].quota.minimum',
    'f.yaml:22:15: tenants[0].accounts[0].plan',
    'f.yaml:34:15: peers.known[0].host',
  ]);
});

test.each<[what: string, text: string, problem: string]>([
  ['nothing', '', '1:1: found nothing, expected a provisioning file'],
  ['a comment only', '# empty\n', '1:1: found nothing, expected a provisioning file'],
  ['a word', 'tenants', "1:1: found 'tenants', expected a provisioning file"],
  [
    'two documents',
    'tenants: []\n---\ntenants: []\n',
    '2:1: found an error (Source contains multiple documents; please use ' +
      'YAML.parseAllDocuments()), expected well-formed YAML',
  ],
  ['no list', 'tenants: 5\n', '1:10: tenants: found 5, expected a list of tenants'],
  [
    'a file beyond the bound',
    `#${'x'.repeat(LIMITS.fileBytes)}`,
    '1:1: found a larger file, expected at most 8388608 octets',
  ],
  [
    'a billion laughs',
    `a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n${[...'bcdefghi']
      .map((name, i) => `${name}: &${name} [${`*${'abcdefgh'[i]}, `.repeat(9)}]\n`)
      .join('')}`,
    '1:1: found aliases that stand for too much, expected at most 1000 nodes',
  ],
  [
    'a member with a blank in its name',
    'ten ants: []\n',
    "1:1: ['ten ants']: found unknown member 'ten ants', expected a known member: 'tenants'?",
  ],
])('%s', (_, text, problem) => {
  expect(problemsOf(text)).toEqual([`f.yaml:${problem}`]);
});

test('a value that an alias stands for is found where it is written', () => {
  const text = changed('opening: 1 GB', 'opening: 1 GB, priority: &high 2000').replace(
    "opening: '5'",
    "opening: '5', priority: *high",
  );
  expect(problemsOf(text)).toEqual([
    "f.yaml:24:72: tenants[0].accounts[0].buckets[0].priority: found 2000 with 'bundle', " +
      "expected less than 2000: 'main' is drawn last",
  ]);
});

test('endless nesting is a problem like any other', () => {
  const loaded = loadProvisioning(`tenants: ${'['.repeat(100_000)}`, 'f.yaml');
  expect(loaded).toMatchObject({ ok: false, problems: [{ field: '', line: 1 }] });
});

/** A file that says all that can be said. */
const RICH = `tenants:
  - id: blue
    currency: EUR
    digits: 4
    timeZone: Europe/Berlin
    holidays: ['2026-12-25']
    zones: [{ id: eu, networks: ['208', '22201'], numbers: ['33', '39'] }]
    plans:
      - id: all
        timeZone: UTC
        holidays: ['2026-12-26']
        zones: [{ id: near, numbers: ['49'] }]
        indeterminate: before
        failureHandling: continue
        debitFailureHandling: continue
        tells: [cost, balance]
        lowBalance: '1'
        refunds: { maximum: '5' }
        rules:
          - name: calls
            match:
              context: [32260@3gpp.org]
              serviceIdentifier: [1]
              apn: [ims]
              rat: [EUTRAN, 10]
              visited: [eu, '262']
              called: [near, '1']
              calling: ['44']
              role: [originating]
              when: [{ days: [workday, holiday], from: 08:00, until: 18:00 }, { from: 22:00 }]
            unit: seconds
            price:
              amount: '0.05'
              per: 1 min
              increment: 1 s
              minimum: 90 s
              free: 1 min
              tiers: [{ from: 5 min, amount: '0.04', fee: '0.01' }]
              increments: report
            quota: { size: 10 min, minimum: 10 s, maximum: 1 h, threshold: 10 % }
            timeMechanism: { type: discrete, interval: 10 s }
            envelopes: volume
            triggers: [CHANGE_IN_RAT, 30]
            beside: { octets: 1 MB, units: 1 }
            pool: 1
            atEnd: { redirect: 'https://a.example/', filterIds: [a], again: 1 min, otherwise: stay }
          - name: pictures
            unit: octets
            price: { steps: [{ amount: '1' }, { from: 1 MB, amount: '2' }] }
            quota: { size: 1 MB }
            atEnd: { restrict: true, filters: ['permit out ip from any to assigned'] }
    accounts:
      - id: a1
        plan: all
        subscribers:
          - e164: '491'
            limits: [{ id: cap, unit: money, amount: '5', every: week, on: monday, rules: [calls] }]
        subscriberRanges: [{ count: 5, first: { imsi: '262010000000000' } }]
        buckets:
          - { id: pass, unit: octets, opening: 1 GB, starts: '2026-01-01T00:00:00Z', lasts: 1 d }
          - { id: month, unit: seconds, renewal: { every: month, on: 5, amount: 1 h, rollover: all } }
          - { id: main, unit: money, opening: '5', creditLimit: '10' }
peers:
  known: [{ host: pgw.example, tariffChange: dual, finalUnits: rfc8506 }]
`;

test('the rich file is right', () => {
  expect(problemsOf(RICH)).toEqual([]);
});

test.each([
  ['small', RIGHT],
  ['rich', RICH],
])('whatever a %s file says, it is loaded or its problems have places in it', (_, right) => {
  const pieces = right.split(/(?<=[\s:,])|(?=[\]})'])/);
  const noise = ['', '~', '{}', '[]', '5', "'", '- ', '&a ', '*a ', '__proto__: ', '? ', '!!set '];
  const edits = fc.array(
    fc.record({ at: fc.nat(pieces.length - 1), piece: fc.constantFrom(...noise, ...pieces) }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(edits, (list) => {
      const edited = [...pieces];
      for (const { at, piece } of list) edited[at] = piece;
      const text = edited.join('');
      const lines = text.split('\n');
      const loaded = loadProvisioning(text, 'f.yaml');
      if (loaded.ok) return;
      expect(loaded.problems.length).toBeGreaterThan(0);
      for (const { line, column } of loaded.problems) {
        expect(column).toBeGreaterThanOrEqual(1);
        expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
      }
    }),
    { numRuns: 400 },
  );
});
