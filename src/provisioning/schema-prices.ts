/** The written form of prices. */

export const priceDefs = {
  tier: {
    title: 'a tier',
    type: 'object',
    additionalProperties: false,
    required: ['from', 'amount'],
    properties: {
      from: {
        $ref: '#/$defs/quantity',
        description: 'Units of the service beyond which it holds; tiers stand in ascending order.',
      },
      amount: { $ref: '#/$defs/money', description: "For each `per`; '0': free from here on." },
      per: { $ref: '#/$defs/quantity', description: "Default: the price's." },
      increment: {
        $ref: '#/$defs/quantity',
        description: "Default: the tier's `per` if it has one, else the price's increment.",
      },
      fee: { $ref: '#/$defs/money', description: 'Charged once, when the tier is reached.' },
    },
  },
  step: {
    title: 'a step',
    type: 'object',
    additionalProperties: false,
    required: ['amount'],
    properties: {
      from: {
        $ref: '#/$defs/quantity',
        description: 'Units of the service beyond which it holds. Only the first has none.',
      },
      amount: {
        $ref: '#/$defs/money',
        description: 'What all usage costs, as soon as this step is reached.',
      },
    },
  },
  price: {
    title: 'a price',
    description:
      '`amount` of money for each `per`, counted in whole steps of `increment` over the units of ' +
      'a service of a session that money pays for.',
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    properties: {
      amount: { $ref: '#/$defs/money' },
      per: { $ref: '#/$defs/quantity', description: 'The units that `amount` is for.' },
      increment: {
        $ref: '#/$defs/quantity',
        description: 'The step in which usage is counted. Default: `per`.',
      },
      fee: {
        $ref: '#/$defs/money',
        description: 'Charged once, with the first unit: a connection fee. It may stand alone.',
      },
      minimum: {
        $ref: '#/$defs/quantity',
        description: 'With the first unit, this many count as used.',
      },
      free: { $ref: '#/$defs/quantity', description: 'The first units, which cost nothing.' },
      tiers: {
        title: 'a list of tiers',
        description: 'Other rates for the units beyond a number of them; each unit at its own.',
        type: 'array',
        minItems: 1,
        maxItems: 16,
        items: { $ref: '#/$defs/tier' },
      },
      steps: {
        title: 'a list of steps',
        description: 'Flat amounts by how much is used, in place of `amount` and `per`.',
        type: 'array',
        minItems: 1,
        maxItems: 17,
        items: { $ref: '#/$defs/step' },
      },
      increments: {
        title: 'session or report',
        description:
          'Whether increments, fee, minimum, free units, tiers and steps count all usage of the ' +
          "service in its session (default), or begin anew with each of the client's reports.",
        enum: ['session', 'report'],
      },
    },
  },
} as const;
