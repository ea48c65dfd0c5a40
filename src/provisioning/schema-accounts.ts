/** The written form of accounts: who shares them, what pays, and what limits whom. */
import { LIMITS } from './limits.ts';

const every = {
  title: 'hour, day, week or month',
  description: 'How long a period is, by the local calendar.',
  enum: ['hour', 'day', 'week', 'month'],
} as const;

const periodStart = {
  on: {
    title: 'a day of the month from 1 to 31, or a day of the week',
    description:
      'With month: the day that periods begin on (the last one of a shorter month). With week: ' +
      'monday to sunday. Default: 1, monday.',
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 31 },
      { enum: ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] },
    ],
  },
  from: {
    description:
      'In place of `on`: a time that a period begins at, which the others follow from. A period ' +
      'begins at midnight where it is not written.',
    $ref: '#/$defs/time',
  },
  timeZone: {
    $ref: '#/$defs/timeZone',
    description: 'Whose calendar counts. Default: that of the plan, as it is when this is written.',
  },
} as const;

export const accountDefs = {
  renewal: {
    title: 'a renewal',
    description: 'The bucket is filled again with each period; what is left over is booked out.',
    type: 'object',
    additionalProperties: false,
    required: ['every'],
    properties: {
      every,
      amount: {
        $ref: '#/$defs/quantity',
        description: 'Added with each period. Default: the opening of the bucket.',
      },
      rollover: {
        title: "a quantity of the bucket's unit, or all",
        description: 'The most of what is left that is kept for the next period. Default: nothing.',
        anyOf: [{ const: 'all' }, { $ref: '#/$defs/quantity' }],
      },
      on: periodStart.on,
      from: periodStart.from,
      timeZone: periodStart.timeZone,
    },
  },
  bucket: {
    title: 'a bucket',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'unit'],
    properties: {
      id: {
        $ref: '#/$defs/id',
        description: 'Never to be used again for another bucket of the same account.',
      },
      unit: { $ref: '#/$defs/unit' },
      opening: {
        $ref: '#/$defs/quantity',
        description:
          'What a new account starts with; later runs leave balances alone. Default: the amount ' +
          'of the renewal, else 0.',
      },
      priority: {
        title: 'a whole number from 1 to 1000000',
        description: 'Lower is drawn first. Default: 1000 for money, 100 for units.',
        type: 'integer',
        minimum: 1,
        maximum: LIMITS.priority,
      },
      starts: {
        $ref: '#/$defs/time',
        description: 'ISO 8601 with a zone; nothing is drawn before. Default: at once.',
      },
      expires: {
        $ref: '#/$defs/time',
        description: 'ISO 8601 with a zone; nothing is drawn from then on. Default: never.',
      },
      lasts: {
        $ref: '#/$defs/duration',
        description: 'It ends this long after its first use. Default: it does not.',
      },
      renewal: { $ref: '#/$defs/renewal' },
      creditLimit: {
        $ref: '#/$defs/money',
        description: 'Money only: how far promises may go below zero. Default: not at all.',
      },
      paysFor: {
        title: 'a list of rule names',
        description: 'Rules of the plan that it pays for. Default: all rules of its unit.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.names,
        items: { $ref: '#/$defs/id' },
      },
    },
  },
  buckets: {
    title: 'a list of buckets',
    description:
      'The bucket drawn last takes what no other can: it is money, never expires and pays for ' +
      'everything. Where no such bucket is written, an empty one called `main` is implied.',
    type: 'array',
    maxItems: LIMITS.buckets,
    items: { $ref: '#/$defs/bucket' },
  },
  limit: {
    title: 'a limit',
    description:
      'What one subscriber may use of the account in a period, or in all. Of an account that ' +
      'exists, a new limit starts with its amount, and where its amount is edited what is left ' +
      'moves by the difference; one that is no longer written of its subscriber is gone.',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'unit', 'amount'],
    properties: {
      id: { $ref: '#/$defs/id', description: "Among the ids of the account's buckets." },
      unit: {
        $ref: '#/$defs/unit',
        description:
          'money: what the subscriber costs; else what it uses, however it is paid. What is free ' +
          'of charge does not count.',
      },
      amount: { $ref: '#/$defs/quantity', description: 'The most that may be used.' },
      every: { ...every, description: 'The period that it is for. Default: for good.' },
      on: periodStart.on,
      from: periodStart.from,
      timeZone: periodStart.timeZone,
      rules: {
        title: 'a list of rule names',
        description: 'The rules whose use counts. Default: all rules (of its unit).',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.names,
        items: { $ref: '#/$defs/id' },
      },
    },
  },
  status: {
    title: 'active or blocked',
    description: 'A blocked account is refused every service. Default: active.',
    enum: ['active', 'blocked'],
  },
  maxSessions: {
    title: 'a whole number from 1 to 1000000',
    description: 'The most sessions open at once. Default: 100.',
    type: 'integer',
    minimum: 1,
    maximum: 1_000_000,
  },
  subscriber: {
    title: 'a subscriber with at least one identity',
    description: 'The identities of one subscriber: each of them finds the account.',
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    properties: {
      e164: { $ref: '#/$defs/e164', description: 'An MSISDN.' },
      imsi: { $ref: '#/$defs/imsi', description: 'An IMSI.' },
      sip: { $ref: '#/$defs/identity', description: 'A SIP URI.' },
      nai: { $ref: '#/$defs/identity', description: 'A network access identifier.' },
      private: { $ref: '#/$defs/identity', description: 'An identity of the operator.' },
      limits: {
        title: 'a list of limits',
        description: 'What this subscriber may use of the account.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.buckets,
        items: { $ref: '#/$defs/limit' },
      },
    },
  },
  firstNumbers: {
    title: 'the first e164, the first imsi, or both',
    description: 'What is counted up, with as many digits throughout.',
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    properties: {
      e164: { $ref: '#/$defs/e164', description: 'The first MSISDN.' },
      imsi: { $ref: '#/$defs/imsi', description: 'The first IMSI.' },
    },
  },
  subscriberRange: {
    title: 'a range of subscribers',
    description: 'Many subscribers of one account: numbers are counted up from `first`.',
    type: 'object',
    additionalProperties: false,
    required: ['count', 'first'],
    properties: {
      count: {
        title: `a whole number from 1 to ${LIMITS.subscribers}`,
        description: 'How many subscribers.',
        type: 'integer',
        minimum: 1,
        maximum: LIMITS.subscribers,
      },
      first: { $ref: '#/$defs/firstNumbers' },
    },
  },
  account: {
    title: 'an account',
    description:
      'Of an account that exists, what is not written is left as it is: its status, its ' +
      'subscribers with their limits (`subscribers: []` for none), its buckets.',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'plan'],
    properties: {
      id: { $ref: '#/$defs/accountId', description: 'Unique in its tenant.' },
      plan: { $ref: '#/$defs/id', description: 'The plan that rates it.' },
      status: { $ref: '#/$defs/status' },
      subscribers: {
        title: 'a list of subscribers',
        description: 'Who shares this account.',
        type: 'array',
        maxItems: LIMITS.subscribers,
        items: { $ref: '#/$defs/subscriber' },
      },
      subscriberRanges: {
        title: 'a list of ranges of subscribers',
        description: `Who shares it too, by the thousand; up to ${LIMITS.subscribers} subscribers in all.`,
        type: 'array',
        maxItems: LIMITS.ranges,
        items: { $ref: '#/$defs/subscriberRange' },
      },
      buckets: { $ref: '#/$defs/buckets' },
      maxSessions: { $ref: '#/$defs/maxSessions' },
    },
  },
  range: {
    title: 'a range of accounts',
    description:
      'Many accounts alike, each with one subscriber: numbers are counted up from `first`, and ' +
      'an account is called `prefix` plus its e164, or plus its imsi where there is no e164.',
    type: 'object',
    additionalProperties: false,
    required: ['prefix', 'count', 'first', 'plan'],
    properties: {
      prefix: {
        title: "the start of an account id: up to 64 letters, digits, '.', '_' and '-'",
        description: 'What their ids begin with.',
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
      },
      count: {
        title: `a whole number from 1 to ${LIMITS.accountsOfRange}`,
        description: 'How many accounts.',
        type: 'integer',
        minimum: 1,
        maximum: LIMITS.accountsOfRange,
      },
      first: { $ref: '#/$defs/firstNumbers' },
      plan: { $ref: '#/$defs/id', description: 'The plan that rates them.' },
      status: { $ref: '#/$defs/status' },
      buckets: { $ref: '#/$defs/buckets' },
      maxSessions: { $ref: '#/$defs/maxSessions' },
    },
  },
} as const;
