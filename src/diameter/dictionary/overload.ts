// Overload (RFC 7683 7, RFC 8581 7), load (RFC 8583 7) and message priority (RFC 7944). None is
// ever mandatory.

import type { Avp } from '../avp.ts';

export const overloadAvps = {
  DRMP: {
    code: 301,
    flags: '[M]',
    format: 'Enumerated',
    values: {
      PRIORITY_0: 0,
      PRIORITY_1: 1,
      PRIORITY_2: 2,
      PRIORITY_3: 3,
      PRIORITY_4: 4,
      PRIORITY_5: 5,
      PRIORITY_6: 6,
      PRIORITY_7: 7,
      PRIORITY_8: 8,
      PRIORITY_9: 9,
      PRIORITY_10: 10,
      PRIORITY_11: 11,
      PRIORITY_12: 12,
      PRIORITY_13: 13,
      PRIORITY_14: 14,
      PRIORITY_15: 15,
    },
  },
  'OC-Supported-Features': {
    code: 621,
    flags: '[M]',
    format: 'Grouped',
    members: ['[ OC-Feature-Vector ]', '*[ AVP ]'],
  },
  'OC-Feature-Vector': { code: 622, flags: '[M]', format: 'Unsigned64' },
  'OC-OLR': {
    code: 623,
    flags: '[M]',
    format: 'Grouped',
    members: [
      '< OC-Sequence-Number >',
      '< OC-Report-Type >',
      '[ OC-Reduction-Percentage ]',
      '[ OC-Validity-Duration ]',
      '*[ AVP ]',
    ],
  },
  'OC-Sequence-Number': { code: 624, flags: '[M]', format: 'Unsigned64' },
  'OC-Validity-Duration': { code: 625, flags: '[M]', format: 'Unsigned32' },
  'OC-Report-Type': {
    code: 626,
    flags: '[M]',
    format: 'Enumerated',
    values: { HOST_REPORT: 0, REALM_REPORT: 1, PEER_REPORT: 2 },
  },
  'OC-Reduction-Percentage': { code: 627, flags: '[M]', format: 'Unsigned32' },
  'OC-Peer-Algo': { code: 648, flags: '[M]', format: 'Unsigned64' },
  SourceID: { code: 649, flags: '[M]', format: 'DiameterIdentity' },
  Load: {
    code: 650,
    flags: '[M]',
    format: 'Grouped',
    members: ['[ Load-Type ]', '[ Load-Value ]', '[ SourceID ]', '*[ AVP ]'],
  },
  'Load-Type': { code: 651, flags: '[M]', format: 'Enumerated', values: { HOST: 0, PEER: 1 } },
  'Load-Value': { code: 652, flags: '[M]', format: 'Unsigned64' },
} as const satisfies Record<string, Avp>;
