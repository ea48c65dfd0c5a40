/**
 * The provisioning file as a JSON schema (2020-12): what may be written in it, in human form. The
 * types of the written form are read off the schema, so there is no second copy of it; the same
 * schema is published as `samples/provisioning.schema.json` for editors.
 *
 * A `title` completes "expected ..." in problems; a `description` is what an editor shows. What
 * one value says about another (an unknown plan, a minimum above its size) is `compile.ts`'s.
 */

/** Bounds of a provisioning file. Beyond them it is refused, whatever it says. */
export const LIMITS = {
  fileBytes: 4 * 1024 * 1024,
  tenants: 1_000,
  plans: 1_000,
  rules: 1_000,
  accounts: 50_000,
  ranges: 100,
  accountsOfRange: 1_000_000,
  subscribers: 10_000,
  buckets: 64,
  peers: 10_000,
  routes: 10_000,
  names: 1_000,
} as const;

const defs = {
  id: {
    title: "an id of up to 64 letters, digits, '.', '_' and '-'",
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
  },
  accountId: {
    title: "an account id of up to 128 letters, digits, '.', '_' and '-'",
    type: 'string',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$',
  },
  text: { title: 'a text of 1 to 200 characters', type: 'string', pattern: '^\\S(.{0,198}\\S)?$' },
  host: {
    title: "a DiameterIdentity in quotes, such as 'pgw1.epc.example'",
    type: 'string',
    pattern: '^(?!-)[A-Za-z0-9_-]{1,63}(\\.[A-Za-z0-9_-]{1,63})*$',
    maxLength: 253,
  },
  money: {
    title: "an amount of money in quotes, such as '0.05'",
    description: 'A decimal number in quotes, in units of the currency: never rounded.',
    type: 'string',
    pattern: '^[0-9]{1,16}(\\.[0-9]{1,9})?$',
  },
  duration: {
    title: "a duration such as '90 s', '15 min', '1 h', '2 d', or a whole number of seconds",
    anyOf: [
      { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      { type: 'string', pattern: '^[0-9]{1,16} ?(s|min|h|d)$' },
    ],
  },
  quantity: {
    title:
      "a size such as '10 MB' or '10 MiB', a duration such as '5 min', an amount of money in " +
      'quotes, or a whole number',
    description:
      'By the unit of the rule or bucket. Octets: B, kB, MB, GB, TB (powers of 1000) or KiB, ' +
      'MiB, GiB, TiB (powers of 1024). Seconds: s, min, h, d. Units: a whole number. Money: a ' +
      'decimal number in quotes.',
    anyOf: [
      { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      { type: 'string', pattern: '^[0-9]{1,16}(\\.[0-9]{1,9})?( ?[A-Za-z]{1,3})?$' },
    ],
  },
  unit: {
    title: 'octets, seconds, units or money',
    description: 'What is counted. `money`: clients ask for amounts of money (RFC 8506 8.22).',
    enum: ['octets', 'seconds', 'units', 'money'],
  },
  unsigned32: {
    title: 'a whole number from 0 to 4294967295',
    type: 'integer',
    minimum: 0,
    maximum: 4_294_967_295,
  },
  digits: {
    title: "digits in quotes, such as '4917'",
    type: 'string',
    pattern: '^[0-9]{1,15}$',
  },
  e164: {
    title: "a number in international form in quotes, without '+', such as '491700000001'",
    type: 'string',
    pattern: '^[0-9]{1,15}$',
  },
  imsi: {
    title: "an IMSI of 6 to 15 digits in quotes, such as '262010000000001'",
    type: 'string',
    pattern: '^[0-9]{6,15}$',
  },
  identity: {
    title: 'an identity of up to 255 characters without blanks',
    type: 'string',
    pattern: '^[^\\s\\u0000-\\u001f\\u007f]{1,255}$',
  },
  price: {
    title: 'a price',
    description: '`amount` of money for each `per`, counted in whole steps of `increment`.',
    type: 'object',
    additionalProperties: false,
    required: ['amount', 'per'],
    properties: {
      amount: { $ref: '#/$defs/money' },
      per: { $ref: '#/$defs/quantity' },
      increment: {
        $ref: '#/$defs/quantity',
        description: 'The step in which usage is counted. Default: `per`.',
      },
    },
  },
  quota: {
    title: 'quota sizes',
    type: 'object',
    additionalProperties: false,
    required: ['size'],
    properties: {
      size: {
        $ref: '#/$defs/quantity',
        description: 'Granted when the client leaves the size to the server.',
      },
      minimum: {
        $ref: '#/$defs/quantity',
        description: 'The smallest useful grant: with less, credit is exhausted. Default: 1 unit.',
      },
      maximum: {
        $ref: '#/$defs/quantity',
        description: 'The most that is granted, however much is asked. Default: `size`.',
      },
    },
  },
  rule: {
    title: 'a rule',
    description: 'The first rule of a plan that matches a service decides about it.',
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { $ref: '#/$defs/id' },
      match: {
        title: 'what the rule matches',
        description: 'All members that are written must match; none written: every service.',
        type: 'object',
        additionalProperties: false,
        properties: {
          context: {
            title: 'a list of Service-Context-Ids',
            type: 'array',
            minItems: 1,
            maxItems: LIMITS.names,
            items: { $ref: '#/$defs/identity' },
          },
          ratingGroup: {
            title: 'a list of rating groups',
            description: 'Rating groups; `none` stands for services without one.',
            type: 'array',
            minItems: 1,
            maxItems: LIMITS.names,
            items: {
              title: "a rating group from 0 to 4294967295 or 'none'",
              anyOf: [{ $ref: '#/$defs/unsigned32' }, { const: 'none' }],
            },
          },
          serviceIdentifier: {
            title: 'a list of Service-Identifiers',
            type: 'array',
            minItems: 1,
            maxItems: LIMITS.names,
            items: { $ref: '#/$defs/unsigned32' },
          },
        },
      },
      unit: { $ref: '#/$defs/unit' },
      price: { $ref: '#/$defs/price' },
      free: { title: 'true', description: 'Counted, but free of charge.', const: true },
      denied: { title: 'true', description: 'Not part of the plan: refused (4010).', const: true },
      quota: { $ref: '#/$defs/quota' },
      validity: {
        $ref: '#/$defs/duration',
        description: 'Validity-Time of a grant, from 1 s. Not written: no limit in time.',
      },
      holdingTime: {
        $ref: '#/$defs/duration',
        description: 'Quota-Holding-Time told to the client. Not written: none is told.',
      },
      atEnd: {
        title: 'terminate or deny',
        description: 'When credit ends: announce final units (default) or just refuse more.',
        enum: ['terminate', 'deny'],
      },
    },
  },
  plan: {
    title: 'a plan',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'rules'],
    properties: {
      id: { $ref: '#/$defs/id' },
      version: {
        title: 'a whole number from 1 to 2147483647',
        description: 'Raise it with every change: records name it. Default: 1.',
        type: 'integer',
        minimum: 1,
        maximum: 2_147_483_647,
      },
      supervision: {
        $ref: '#/$defs/duration',
        description: 'When a silent session without validity is closed (Tcc). Default: 24 h.',
      },
      validityGrace: {
        $ref: '#/$defs/duration',
        description:
          'How long a reservation outlives the validity of an unreported grant. Default: 60 s.',
      },
      rules: {
        title: 'a list of rules',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.rules,
        items: { $ref: '#/$defs/rule' },
      },
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
        description: 'What a new account starts with; later runs leave balances alone. Default: 0.',
      },
      priority: {
        title: 'a whole number from 1 to 1000000',
        description: 'Lower is drawn first. Default: 1000 for money, 100 for units.',
        type: 'integer',
        minimum: 1,
        maximum: 1_000_000,
      },
      expires: {
        title: "a time in quotes, such as '2031-12-31T23:59:59Z'",
        description: 'ISO 8601 with a zone; nothing is drawn from then on. Default: never.',
        type: 'string',
        pattern:
          '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?' +
          '(Z|[+-][0-9]{2}:[0-9]{2})$',
      },
      creditLimit: {
        $ref: '#/$defs/money',
        description: 'Money only: how far promises may go below zero. Default: not at all.',
      },
      paysFor: {
        title: 'a list of rule names',
        description: 'Rules of the plan that it pays for. Default: all rules of its unit.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.rules,
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
      e164: { $ref: '#/$defs/e164' },
      imsi: { $ref: '#/$defs/imsi' },
      sip: { $ref: '#/$defs/identity' },
      nai: { $ref: '#/$defs/identity' },
      private: { $ref: '#/$defs/identity' },
    },
  },
  account: {
    title: 'an account',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'plan'],
    properties: {
      id: { $ref: '#/$defs/accountId' },
      plan: { $ref: '#/$defs/id' },
      status: { $ref: '#/$defs/status' },
      subscribers: {
        title: 'a list of subscribers',
        description: 'Who shares this account.',
        type: 'array',
        maxItems: LIMITS.subscribers,
        items: { $ref: '#/$defs/subscriber' },
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
        type: 'string',
        pattern: '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$',
      },
      count: {
        title: `a whole number from 1 to ${LIMITS.accountsOfRange}`,
        type: 'integer',
        minimum: 1,
        maximum: LIMITS.accountsOfRange,
      },
      first: {
        title: 'the first e164, the first imsi, or both',
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: { e164: { $ref: '#/$defs/e164' }, imsi: { $ref: '#/$defs/imsi' } },
      },
      plan: { $ref: '#/$defs/id' },
      status: { $ref: '#/$defs/status' },
      buckets: { $ref: '#/$defs/buckets' },
      maxSessions: { $ref: '#/$defs/maxSessions' },
    },
  },
  tenant: {
    title: 'a tenant',
    description: 'An MVNO. Nothing crosses tenants; two may have the same subscriber numbers.',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'currency', 'plans'],
    properties: {
      id: { $ref: '#/$defs/id' },
      name: { $ref: '#/$defs/text' },
      currency: {
        title: 'a currency code of ISO 4217 such as EUR',
        type: 'string',
        pattern: '^[A-Z]{3}$',
      },
      digits: {
        title: 'a whole number from 0 to 9',
        description:
          "Decimal places of the smallest amount that is counted: with 4, '0.0001'. Never change " +
          'it once accounts exist: balances are stored in this unit. Default: 6.',
        type: 'integer',
        minimum: 0,
        maximum: 9,
      },
      plans: {
        title: 'a list of plans',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.plans,
        items: { $ref: '#/$defs/plan' },
      },
      accounts: {
        title: 'a list of accounts',
        type: 'array',
        maxItems: LIMITS.accounts,
        items: { $ref: '#/$defs/account' },
      },
      ranges: {
        title: 'a list of ranges of accounts',
        type: 'array',
        maxItems: LIMITS.ranges,
        items: { $ref: '#/$defs/range' },
      },
    },
  },
  tenantIds: {
    title: 'a list of tenant ids',
    description: 'Tenants that may be served through this peer. Default: all.',
    type: 'array',
    minItems: 1,
    maxItems: LIMITS.tenants,
    items: { $ref: '#/$defs/id' },
  },
  strict: {
    title: 'true or false',
    description: 'Judge messages by the letter, not by what real clients send. Default: false.',
    type: 'boolean',
  },
  single: {
    title: 'true or false',
    description: 'Refuse a second connection to the same worker while one is open. Default: false.',
    type: 'boolean',
  },
  numbering: {
    title: 'strict or loose',
    description:
      'A CC-Request-Number that comes again with other contents is refused (strict, the ' +
      'default) or taken as a new request (loose).',
    enum: ['strict', 'loose'],
  },
  knownPeer: {
    title: 'a known peer',
    type: 'object',
    additionalProperties: false,
    required: ['host'],
    properties: {
      host: { $ref: '#/$defs/host', description: 'Its Origin-Host.' },
      strict: { $ref: '#/$defs/strict' },
      single: { $ref: '#/$defs/single' },
      numbering: { $ref: '#/$defs/numbering' },
      tenants: { $ref: '#/$defs/tenantIds' },
    },
  },
  knownRealm: {
    title: 'a realm of peers',
    type: 'object',
    additionalProperties: false,
    required: ['realm'],
    properties: {
      realm: { $ref: '#/$defs/host', description: 'Their Origin-Realm.' },
      strict: { $ref: '#/$defs/strict' },
      single: { $ref: '#/$defs/single' },
      numbering: { $ref: '#/$defs/numbering' },
      tenants: { $ref: '#/$defs/tenantIds' },
    },
  },
  peers: {
    title: 'which peers may connect',
    description: 'Known peers go before realms, realms before anybody.',
    type: 'object',
    additionalProperties: false,
    properties: {
      known: {
        title: 'a list of known peers',
        type: 'array',
        maxItems: LIMITS.peers,
        items: { $ref: '#/$defs/knownPeer' },
      },
      realms: {
        title: 'a list of realms',
        type: 'array',
        maxItems: LIMITS.peers,
        items: { $ref: '#/$defs/knownRealm' },
      },
      anybody: {
        title: 'settings for whoever connects, or {}',
        description: 'Lets in whoever connects: on loopback only, unless `anywhere` says so.',
        type: 'object',
        additionalProperties: false,
        properties: {
          anywhere: {
            title: 'true or false',
            description: 'Beyond loopback too. Default: false.',
            type: 'boolean',
          },
          strict: { $ref: '#/$defs/strict' },
          single: { $ref: '#/$defs/single' },
          numbering: { $ref: '#/$defs/numbering' },
          tenants: { $ref: '#/$defs/tenantIds' },
        },
      },
      servedRealms: {
        title: 'a list of realms',
        description: 'Destination-Realms that are ours besides the realm of the settings.',
        type: 'array',
        maxItems: LIMITS.names,
        items: { $ref: '#/$defs/host' },
      },
      forbiddenRoutes: {
        title: 'a list of DiameterIdentities',
        description:
          'Requests that came through one of these (Route-Record) are refused: 5003, RFC 6733 2.9.',
        type: 'array',
        maxItems: LIMITS.names,
        items: { $ref: '#/$defs/host' },
      },
    },
  },
  route: {
    title: 'a routing rule',
    type: 'object',
    additionalProperties: false,
    required: ['match', 'tenant'],
    properties: {
      match: {
        title: 'at least one thing to match on',
        description: 'All members that are written must match; each lists what it accepts.',
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: {
          originHost: { $ref: '#/$defs/hosts' },
          originRealm: { $ref: '#/$defs/hosts' },
          destinationRealm: { $ref: '#/$defs/hosts' },
          serviceContextId: { $ref: '#/$defs/names' },
          apn: {
            $ref: '#/$defs/hosts',
            description: 'Called-Station-Id, with or without its operator identifier.',
          },
          imsiPrefix: { $ref: '#/$defs/prefixes' },
          e164Prefix: { $ref: '#/$defs/prefixes' },
        },
      },
      tenant: { $ref: '#/$defs/id' },
    },
  },
  hosts: {
    title: 'a list of names',
    type: 'array',
    minItems: 1,
    maxItems: LIMITS.names,
    items: { $ref: '#/$defs/host' },
  },
  names: {
    title: 'a list of names',
    type: 'array',
    minItems: 1,
    maxItems: LIMITS.names,
    items: { $ref: '#/$defs/identity' },
  },
  prefixes: {
    title: 'a list of digits in quotes',
    type: 'array',
    minItems: 1,
    maxItems: LIMITS.names,
    items: { $ref: '#/$defs/digits' },
  },
} as const;

export const provisioningSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'a provisioning file',
  description: 'An MVNE with its MVNOs: tenants, plans, accounts, peers, and who is routed where.',
  type: 'object',
  additionalProperties: false,
  required: ['tenants'],
  properties: {
    tenants: {
      title: 'a list of tenants',
      type: 'array',
      minItems: 1,
      maxItems: LIMITS.tenants,
      items: { $ref: '#/$defs/tenant' },
    },
    peers: { $ref: '#/$defs/peers' },
    routing: {
      title: 'routing rules',
      description:
        'Gives each request its tenant: the first rule that matches, else `default`. May be left ' +
        'out where there is one tenant only.',
      type: 'object',
      additionalProperties: false,
      properties: {
        rules: {
          title: 'a list of routing rules',
          type: 'array',
          maxItems: LIMITS.routes,
          items: { $ref: '#/$defs/route' },
        },
        default: { $ref: '#/$defs/id' },
      },
    },
  },
  $defs: defs,
} as const;

type Defs = typeof defs;

/** What a part of the schema allows to be written. */
type Written<S> = S extends { $ref: `#/$defs/${infer Name extends keyof Defs}` }
  ? Written<Defs[Name]>
  : S extends { const: infer Value }
    ? Value
    : S extends { enum: readonly (infer Value)[] }
      ? Value
      : S extends { anyOf: readonly (infer Choice)[] }
        ? Written<Choice>
        : S extends { properties: infer Members; required: readonly (infer Required)[] }
          ? WrittenObject<Members, Required>
          : S extends { properties: infer Members }
            ? WrittenObject<Members, never>
            : S extends { items: infer Item }
              ? readonly Written<Item>[]
              : S extends { type: 'string' }
                ? string
                : S extends { type: 'integer' }
                  ? number
                  : S extends { type: 'boolean' }
                    ? boolean
                    : never;

type WrittenObject<Members, Required> = {
  [Name in keyof Members as Name extends Required ? Name : never]: Written<Members[Name]>;
} & {
  [Name in keyof Members as Name extends Required ? never : Name]?: Written<Members[Name]>;
};

/** A provisioning file that its schema allows, as written. */
export type WrittenFile = Written<typeof provisioningSchema>;
export type WrittenTenant = Written<Defs['tenant']>;
export type WrittenPlan = Written<Defs['plan']>;
export type WrittenRule = Written<Defs['rule']>;
export type WrittenAccount = Written<Defs['account']>;
export type WrittenRange = Written<Defs['range']>;
export type WrittenBucket = Written<Defs['bucket']>;
export type WrittenPeers = Written<Defs['peers']>;
export type WrittenRouting = NonNullable<WrittenFile['routing']>;
/** A size, duration, number or amount, by the unit that it stands for. */
export type WrittenQuantity = Written<Defs['quantity']>;
