/** The written form of what MVNOs share: which peers may connect, and who is routed where. */
import { LIMITS } from './limits.ts';

/** What may be said of whoever is let in, by whichever name. */
const admission = {
  strict: { $ref: '#/$defs/strict' },
  single: { $ref: '#/$defs/single' },
  numbering: { $ref: '#/$defs/numbering' },
  tariffChange: { $ref: '#/$defs/tariffChange' },
  finalUnits: { $ref: '#/$defs/finalUnits' },
  tenants: { $ref: '#/$defs/tenantIds' },
} as const;

export const peerDefs = {
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
  tariffChange: {
    title: 'none, single or dual',
    description:
      'How the client may be told of a tariff change within a grant: not at all (none, the ' +
      'default: a client that does not know it ends the session), by one quota for both tariffs ' +
      '(single), or by a quota for each (dual). RFC 8506 5.1.2, 8.20.',
    enum: ['none', 'single', 'dual'],
  },
  finalUnits: {
    title: 'rfc4006 or rfc8506',
    description:
      'How final units are announced: Final-Unit-Indication (rfc4006, the default) or ' +
      'QoS-Final-Unit-Indication where it says more (rfc8506).',
    enum: ['rfc4006', 'rfc8506'],
  },
  knownPeer: {
    title: 'a known peer',
    type: 'object',
    additionalProperties: false,
    required: ['host'],
    properties: {
      host: { $ref: '#/$defs/host', description: 'Its Origin-Host.' },
      ...admission,
    },
  },
  knownRealm: {
    title: 'a realm of peers',
    type: 'object',
    additionalProperties: false,
    required: ['realm'],
    properties: {
      realm: { $ref: '#/$defs/host', description: 'Their Origin-Realm.' },
      ...admission,
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
        description: 'Peers by their Origin-Host.',
        type: 'array',
        maxItems: LIMITS.peers,
        items: { $ref: '#/$defs/knownPeer' },
      },
      realms: {
        title: 'a list of realms',
        description: 'Peers by their Origin-Realm.',
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
          ...admission,
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
          originHost: { $ref: '#/$defs/hosts', description: 'Origin-Hosts.' },
          originRealm: { $ref: '#/$defs/hosts', description: 'Origin-Realms.' },
          destinationRealm: { $ref: '#/$defs/hosts', description: 'Destination-Realms.' },
          serviceContextId: { $ref: '#/$defs/names', description: 'Service-Context-Ids.' },
          apn: {
            $ref: '#/$defs/hosts',
            description: 'Called-Station-Id, with or without its operator identifier.',
          },
          imsiPrefix: { $ref: '#/$defs/prefixes', description: 'What the IMSI begins with.' },
          e164Prefix: { $ref: '#/$defs/prefixes', description: 'What the MSISDN begins with.' },
        },
      },
      tenant: { $ref: '#/$defs/id', description: 'Whose its requests are.' },
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
