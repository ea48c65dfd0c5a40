/** The written form of plans: rules with what they match, what they grant and tell. */
import { LIMITS } from './limits.ts';
import { RAT_TYPES, TRIGGER_TYPES } from './wire-names.ts';

export const planDefs = {
  zone: {
    title: 'a zone',
    description: 'A name for networks, numbers or both, for rules to match on.',
    type: 'object',
    additionalProperties: false,
    required: ['id'],
    properties: {
      id: {
        title: "a zone's id: a letter, then up to 63 letters, digits, '.', '_' and '-'",
        description: 'What rules say in `visited`, `called` and `calling`.',
        type: 'string',
        pattern: '^[A-Za-z][A-Za-z0-9._-]{0,63}$',
      },
      networks: {
        title: 'a list of networks',
        description: 'Visited networks: an MCC, or an MCC and MNC.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.prefixes,
        items: { $ref: '#/$defs/network' },
      },
      numbers: {
        title: 'a list of digits in quotes',
        description: 'What numbers begin with, in the form that clients send.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.prefixes,
        items: { $ref: '#/$defs/digits' },
      },
    },
  },
  zones: {
    title: 'a list of zones',
    description: "Zones for rules to match on. A plan's go before the tenant's of the same id.",
    type: 'array',
    maxItems: LIMITS.zones,
    items: { $ref: '#/$defs/zone' },
  },
  holidays: {
    title: 'a list of dates',
    description:
      'Local dates that windows call `holiday`; they are no other day of the week then. A ' +
      "plan's list goes in place of the tenant's.",
    type: 'array',
    maxItems: LIMITS.holidays,
    items: { $ref: '#/$defs/date' },
  },
  prefixesOrZones: {
    title: "a list of digits in quotes, such as '4917', or ids of zones",
    type: 'array',
    minItems: 1,
    maxItems: LIMITS.prefixes,
    items: {
      title: "digits in quotes, such as '4917', or the id of a zone",
      type: 'string',
      pattern: '^([0-9]{1,15}|[A-Za-z][A-Za-z0-9._-]{0,63})$',
    },
  },
  window: {
    title: 'a window of time',
    description: 'A part of the week, in the time zone of the plan.',
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    properties: {
      days: {
        title: 'a list of days',
        description:
          'monday to sunday, workday (monday to friday), weekend, holiday. On a holiday only ' +
          '`holiday` holds. Default: every day, holidays too.',
        type: 'array',
        minItems: 1,
        maxItems: 16,
        items: {
          title: 'monday to sunday, workday, weekend or holiday',
          enum: [
            'monday',
            'tuesday',
            'wednesday',
            'thursday',
            'friday',
            'saturday',
            'sunday',
            'workday',
            'weekend',
            'holiday',
          ],
        },
      },
      from: {
        title: "a time of day such as '18:00'",
        description: "Default: '00:00'.",
        type: 'string',
        pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$',
      },
      until: {
        title: "a time of day such as '22:00', up to '24:00'",
        description:
          "Not included. Before `from`: on the day after; the days are those on which it begins. Default: '24:00'.",
        type: 'string',
        pattern: '^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$',
      },
    },
  },
  match: {
    title: 'what the rule matches',
    description: 'All members that are written must match; none written: every service.',
    type: 'object',
    additionalProperties: false,
    properties: {
      context: {
        title: 'a list of Service-Context-Ids',
        description: 'Service-Context-Ids, such as 32251@3gpp.org for data.',
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
        description: 'Service-Identifiers: all that the service has are among them.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.names,
        items: { $ref: '#/$defs/unsigned32' },
      },
      apn: {
        title: 'a list of access points',
        description: 'Access points (APN or DNN) without their operator identifier.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.names,
        items: { $ref: '#/$defs/host' },
      },
      rat: {
        title: 'a list of radio access types',
        description:
          `Radio access: ${Object.keys(RAT_TYPES).join(', ')}, or a number of 3GPP-RAT-Type ` +
          '(TS 29.061).',
        type: 'array',
        minItems: 1,
        maxItems: 256,
        items: {
          title: `one of ${Object.keys(RAT_TYPES).join(', ')}, or a number from 0 to 255`,
          anyOf: [
            { enum: Object.keys(RAT_TYPES) as (keyof typeof RAT_TYPES)[] },
            { type: 'integer', minimum: 0, maximum: 255 },
          ],
        },
      },
      visited: {
        title: 'a list of networks or zones',
        description: 'Visited networks: an MCC, an MCC and MNC, or the id of a zone with networks.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.prefixes,
        items: {
          title: "an MCC such as '262', an MCC and MNC such as '26201', or the id of a zone",
          type: 'string',
          pattern: '^([0-9]{3}([0-9]{2,3})?|[A-Za-z][A-Za-z0-9._-]{0,63})$',
        },
      },
      called: {
        $ref: '#/$defs/prefixesOrZones',
        description:
          'What the called number begins with, or ids of zones with numbers. Of all rules that ' +
          'match, the longest prefix decides, then the longest of `calling`, then the order.',
      },
      calling: {
        $ref: '#/$defs/prefixesOrZones',
        description: 'What the calling number begins with, likewise.',
      },
      role: {
        title: 'a list of sides of a call',
        description: 'Sides of a call (Role-Of-Node): originating, terminating, forwarding.',
        type: 'array',
        minItems: 1,
        maxItems: 3,
        items: {
          title: 'originating, terminating or forwarding',
          enum: ['originating', 'terminating', 'forwarding'],
        },
      },
      when: {
        title: 'a list of windows of time',
        description: 'Times of use; one of them is enough. Default: always.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.windows,
        items: { $ref: '#/$defs/window' },
      },
    },
  },
  quota: {
    title: 'quota sizes',
    description: 'How much is granted at a time.',
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
      threshold: {
        title: "a size such as '1 MB', or a part of the size such as '20 %'",
        description: 'Units left of a grant at which the client asks for more.',
        anyOf: [
          { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
          { type: 'string', pattern: '^[0-9]{1,16}(\\.[0-9]{1,9})?( ?([A-Za-z]{1,3}|%))?$' },
        ],
      },
    },
  },
  atEnd: {
    title: 'terminate, deny, or members that say redirect or restrict',
    description:
      'When credit ends: announce final units, after which the client ends the service ' +
      '(terminate, the default), redirects or restricts it; or just refuse more (deny).',
    anyOf: [
      { enum: ['terminate', 'deny'] },
      {
        type: 'object',
        additionalProperties: false,
        properties: {
          redirect: {
            title: 'a URL, a SIP URI or an IP address to redirect to',
            description: 'Where the client sends all traffic: a URL, a SIP URI or an IP address.',
            type: 'string',
            pattern: '^[\\x21-\\x7e]{1,1024}$',
          },
          restrict: {
            title: 'true',
            description: 'The client drops all traffic but what the filters let through.',
            const: true,
          },
          filters: {
            title: 'a list of IPFilterRules',
            description:
              "What stays open: IPFilterRules such as 'permit out ip from 192.0.2.1 to assigned'.",
            type: 'array',
            minItems: 1,
            maxItems: 100,
            items: {
              title: "an IPFilterRule, such as 'permit out ip from 192.0.2.1 to assigned'",
              type: 'string',
              pattern: '^(permit|deny) (in|out) (ip|[0-9]{1,3}) from [\\x20-\\x7e]{1,500}$',
            },
          },
          filterIds: {
            title: 'a list of filter names',
            description: 'What stays open: names of filters that the client knows (Filter-Id).',
            type: 'array',
            minItems: 1,
            maxItems: 100,
            items: { $ref: '#/$defs/identity' },
          },
          again: {
            $ref: '#/$defs/duration',
            description: 'After this time the client asks whether there is credit. Default: 5 min.',
          },
          otherwise: {
            title: 'refuse or stay',
            description:
              'Where there is none then: the service is refused (4012, the default), or it stays ' +
              'redirected or restricted and the client asks again.',
            enum: ['refuse', 'stay'],
          },
        },
      },
    ],
  },
  rule: {
    title: 'a rule',
    description:
      'Of the rules that match a service the one with the longest prefix of the called, then of ' +
      'the calling number decides about it, then the first.',
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { $ref: '#/$defs/id', description: 'Unique in its plan: records and buckets name it.' },
      match: { $ref: '#/$defs/match' },
      unit: { $ref: '#/$defs/unit' },
      price: { $ref: '#/$defs/price' },
      free: { title: 'true', description: 'Counted, but free of charge.', const: true },
      denied: { title: 'true', description: 'Not part of the plan: refused (4010).', const: true },
      uncontrolled: {
        title: 'true',
        description: 'Neither counted nor controlled: the client serves it without quota (4011).',
        const: true,
      },
      quota: { $ref: '#/$defs/quota' },
      validity: {
        $ref: '#/$defs/duration',
        description: 'Validity-Time of a grant, from 1 s. Not written: no limit in time.',
      },
      holdingTime: {
        $ref: '#/$defs/duration',
        description: 'Quota-Holding-Time told to the client. Not written: none is told.',
      },
      consumptionTime: {
        $ref: '#/$defs/duration',
        description: 'Seconds only: Quota-Consumption-Time, idle time that counts as use.',
      },
      timeMechanism: {
        title: 'a time quota mechanism',
        description: 'Seconds only: how the client counts them (Time-Quota-Mechanism).',
        type: 'object',
        additionalProperties: false,
        required: ['type', 'interval'],
        properties: {
          type: {
            title: 'discrete or continuous',
            description: 'Time-Quota-Type.',
            enum: ['discrete', 'continuous'],
          },
          interval: { $ref: '#/$defs/duration', description: 'Base-Time-Interval.' },
        },
      },
      envelopes: {
        title: 'none, plain, volume, events or volume-and-events',
        description: 'Envelope-Reporting: what the client reports of each envelope.',
        enum: ['none', 'plain', 'volume', 'events', 'volume-and-events'],
      },
      triggers: {
        title: 'a list of Trigger-Types',
        description:
          'What makes the client re-authorise: Trigger-Types by name or number (TS 32.299); [] ' +
          'for nothing. Not written: its own choice.',
        type: 'array',
        maxItems: LIMITS.names,
        items: {
          title: 'a Trigger-Type such as CHANGE_IN_RAT, or its number',
          anyOf: [
            { enum: Object.keys(TRIGGER_TYPES) as (keyof typeof TRIGGER_TYPES)[] },
            { $ref: '#/$defs/unsigned32' },
          ],
        },
      },
      beside: {
        title: 'sizes by unit',
        description:
          'Units of other kinds granted beside, free of charge: the client reports when any of ' +
          'them is used up.',
        type: 'object',
        additionalProperties: false,
        minProperties: 1,
        properties: {
          octets: { $ref: '#/$defs/quantity', description: 'CC-Total-Octets.' },
          seconds: { $ref: '#/$defs/quantity', description: 'CC-Time.' },
          units: { $ref: '#/$defs/quantity', description: 'CC-Service-Specific-Units.' },
        },
      },
      pool: {
        $ref: '#/$defs/unsigned32',
        description:
          'G-S-U-Pool-Identifier: services of a session whose rules name the same pool share it.',
      },
      atEnd: { $ref: '#/$defs/atEnd' },
    },
  },
  plan: {
    title: 'a plan',
    type: 'object',
    additionalProperties: false,
    required: ['id', 'rules'],
    properties: {
      id: { $ref: '#/$defs/id', description: 'Unique in its tenant: accounts name it.' },
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
      timeZone: {
        $ref: '#/$defs/timeZone',
        description: "Of its windows and its accounts' periods. Default: the tenant's.",
      },
      holidays: { $ref: '#/$defs/holidays' },
      zones: { $ref: '#/$defs/zones' },
      indeterminate: {
        title: 'before or after',
        description:
          'Which tariff rates usage that straddles a tariff change and that the client cannot ' +
          'split (UNIT_INDETERMINATE). Default: after.',
        enum: ['before', 'after'],
      },
      failureHandling: {
        title: 'terminate, continue or retry-and-terminate',
        description:
          'What clients do when no server answers (Credit-Control-Failure-Handling). Default: ' +
          'not told.',
        enum: ['terminate', 'continue', 'retry-and-terminate'],
      },
      debitFailureHandling: {
        title: 'terminate-or-buffer or continue',
        description: 'The same for direct debits (Direct-Debiting-Failure-Handling).',
        enum: ['terminate-or-buffer', 'continue'],
      },
      tells: {
        title: 'a list of cost and balance',
        description:
          'Told with each answer: `cost` (Cost-Information), `balance` (Remaining-Balance).',
        type: 'array',
        minItems: 1,
        maxItems: 2,
        uniqueItems: true,
        items: { title: 'cost or balance', enum: ['cost', 'balance'] },
      },
      lowBalance: {
        $ref: '#/$defs/money',
        description: 'Money left below which Low-Balance-Indication is told. Default: never.',
      },
      reauthorise: {
        title: 'a list of expiry',
        description:
          'When clients are asked to re-authorise (RAR) by themselves: `expiry`, when a bucket that ' +
          'their grants hold expires or begins another period. After a top-up they are in any case.',
        type: 'array',
        minItems: 1,
        maxItems: 1,
        items: { title: 'expiry', enum: ['expiry'] },
      },
      refunds: {
        title: 'what refunds may give back',
        description: 'One-time refunds. Not written: only what a Refund-Information proves.',
        type: 'object',
        additionalProperties: false,
        required: ['maximum'],
        properties: {
          maximum: { $ref: '#/$defs/money', description: 'The most that one refund gives back.' },
        },
      },
      rules: {
        title: 'a list of rules',
        description: 'In order: the first that matches decides, but for longer prefixes.',
        type: 'array',
        minItems: 1,
        maxItems: LIMITS.rules,
        items: { $ref: '#/$defs/rule' },
      },
    },
  },
} as const;
