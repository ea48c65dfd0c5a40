/**
 * The provisioning file as a JSON schema (2020-12): what may be written in it, in human form. The
 * types of the written form are read off the schema, so there is no second copy of it; the same
 * schema is published as `samples/provisioning.schema.json` for editors.
 *
 * A `title` completes "expected ..." in problems; a `description` is what an editor shows. What
 * one value says about another (an unknown plan, a minimum above its size) is `compile.ts`'s.
 */
import { LIMITS } from './limits.ts';
import { accountDefs } from './schema-accounts.ts';
import { peerDefs } from './schema-peers.ts';
import { planDefs } from './schema-plans.ts';
import { priceDefs } from './schema-prices.ts';
import { valueDefs } from './schema-values.ts';

const defs = {
  ...valueDefs,
  ...planDefs,
  ...priceDefs,
  ...accountDefs,
  tenant: {
    title: 'a tenant',
    description: 'An MVNO. Nothing crosses tenants; two may have the same subscriber numbers.',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'currency', 'plans'],
    properties: {
      id: { $ref: '#/$defs/id', description: 'Unique in the file; records and keys name it.' },
      name: { $ref: '#/$defs/text', description: 'For people. Default: the id.' },
      currency: {
        title: 'a currency code of ISO 4217 such as EUR',
        description: 'ISO 4217; all money of the tenant is in it.',
        type: 'string',
        pattern: '^[A-Z]{3}$',
      },
      digits: {
        title: 'a whole number from 0 to 9',
        description:
          "Decimal places of the smallest amount that is counted: with 4, '0.0001'. Never change " +
          'it once accounts exist: balances are stored in this unit. Default: those of the ' +
          'currency, such as 2 for EUR and 0 for JPY.',
        type: 'integer',
        minimum: 0,
        maximum: 9,
      },
      timeZone: {
        $ref: '#/$defs/timeZone',
        description: 'IANA name of the zone that windows and periods are in. Default: UTC.',
      },
      holidays: { $ref: '#/$defs/holidays' },
      zones: { $ref: '#/$defs/zones' },
      plans: {
        title: 'a list of plans',
        description: 'What its services cost.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.plans,
        items: { $ref: '#/$defs/plan' },
      },
      accounts: {
        title: 'a list of accounts',
        description: 'Accounts one by one.',
        type: 'array',
        maxItems: LIMITS.accounts,
        items: { $ref: '#/$defs/account' },
      },
      ranges: {
        title: 'a list of ranges of accounts',
        description: 'Accounts by the thousand.',
        type: 'array',
        maxItems: LIMITS.ranges,
        items: { $ref: '#/$defs/range' },
      },
    },
  },
  ...peerDefs,
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
      description: 'The MVNOs.',
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
          description: 'In the order in which they are tried.',
          type: 'array',
          maxItems: LIMITS.routes,
          items: { $ref: '#/$defs/route' },
        },
        default: { $ref: '#/$defs/id', description: 'The tenant where no rule matches.' },
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
export type WrittenMatch = Written<Defs['match']>;
export type WrittenPrice = Written<Defs['price']>;
export type WrittenWindow = Written<Defs['window']>;
export type WrittenZone = Written<Defs['zone']>;
export type WrittenAtEnd = Written<Defs['atEnd']>;
export type WrittenAccount = Written<Defs['account']>;
export type WrittenRange = Written<Defs['range']>;
export type WrittenSubscriber = Written<Defs['subscriber']>;
export type WrittenLimit = Written<Defs['limit']>;
export type WrittenRenewal = Written<Defs['renewal']>;
export type WrittenBucket = Written<Defs['bucket']>;
export type WrittenPeers = Written<Defs['peers']>;
export type WrittenRouting = NonNullable<WrittenFile['routing']>;
/** A size, duration, number or amount, by the unit that it stands for. */
export type WrittenQuantity = Written<Defs['quantity']>;
