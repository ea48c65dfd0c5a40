/** Names of the standards that plans may say, with the numbers that they have on the wire. */
import { packetAvps } from '../diameter/dictionary/3gpp-packet.ts';

/** 3GPP-RAT-Type (TS 29.061 16.4.7.2). */
export const RAT_TYPES = {
  UTRAN: 1,
  GERAN: 2,
  WLAN: 3,
  GAN: 4,
  HSPA: 5,
  EUTRAN: 6,
  VIRTUAL: 7,
  'EUTRAN-NB-IoT': 8,
  'LTE-M': 9,
  NR: 10,
  'NG-RAN': 51,
} as const;

/** Trigger-Type (TS 32.299 7.2.236). */
export const TRIGGER_TYPES = packetAvps['Trigger-Type'].values;

/** Envelope-Reporting (TS 32.299 7.2.61). */
export const ENVELOPE_REPORTING = {
  none: 0,
  plain: 1,
  volume: 2,
  events: 3,
  'volume-and-events': 4,
} as const;
