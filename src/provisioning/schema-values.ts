/** The written form of single values: names, amounts, times, addresses. */

export const valueDefs = {
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
  time: {
    title: "a time in quotes, such as '2031-12-31T23:59:59Z'",
    type: 'string',
    pattern:
      '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?' +
      '(Z|[+-][0-9]{2}:[0-9]{2})$',
  },
  date: {
    title: "a date such as '2031-12-25'",
    type: 'string',
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
  },
  timeZone: {
    title: "the name of a time zone, such as 'Europe/Berlin'",
    type: 'string',
    pattern: '^[A-Za-z][A-Za-z0-9/_+-]{0,63}$',
  },
  digits: {
    title: "digits in quotes, such as '4917'",
    type: 'string',
    pattern: '^[0-9]{1,15}$',
  },
  network: {
    title: "an MCC of 3 digits or an MCC and MNC in quotes, such as '262' or '26201'",
    type: 'string',
    pattern: '^[0-9]{3}([0-9]{2,3})?$',
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
} as const;
