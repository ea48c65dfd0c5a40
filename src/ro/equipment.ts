/**
 * User-Equipment-Info and its extension (RFC 8506 8.49 to 8.57), for the record: `<kind>:<value>`,
 * the digits of an IMEI(SV), hexadecimal for addresses.
 */
import type { CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';

/** User-Equipment-Info-Type, RFC 8506 8.50. */
const kinds = ['imeisv', 'mac', 'eui64', 'modified-eui64'] as const;

type Extension = Understood<Value<'User-Equipment-Info-Extension'>>;
const members: readonly [keyof Extension & string, string][] = [
  ['User-Equipment-Info-IMEISV', 'imeisv'],
  ['User-Equipment-Info-MAC', 'mac'],
  ['User-Equipment-Info-EUI64', 'eui64'],
  ['User-Equipment-Info-ModifiedEUI64', 'modified-eui64'],
  ['User-Equipment-Info-IMEI', 'imei'],
];

/** The octets that a record keeps of what has 16 at the most. */
const MAX_BYTES = 128;

/** At command level, or in PS-Information, where TS 32.299 7.2.158 has it too. */
export function equipmentOf(ccr: Understood<CCR>): string | undefined {
  const extension = ccr['User-Equipment-Info-Extension'];
  if (extension !== undefined) {
    for (const [name, kind] of members) {
      const value = extension[name];
      if (Buffer.isBuffer(value)) return textOf(kind, value);
    }
  }
  const info =
    ccr['User-Equipment-Info'] ??
    ccr['Service-Information']?.['PS-Information']?.['User-Equipment-Info'];
  const kind = kinds[info?.['User-Equipment-Info-Type'] ?? -1];
  const value = info?.['User-Equipment-Info-Value'];
  return kind === undefined || value === undefined ? undefined : textOf(kind, value);
}

function textOf(kind: string, whole: Buffer): string {
  const value = whole.subarray(0, MAX_BYTES);
  return `${kind}:${kind.startsWith('imei') ? digitsOf(value) : value.toString('hex')}`;
}

/** Clients send the digits as text or as swapped halves of octets, filled up (TS 29.274 8.10). */
function digitsOf(value: Buffer): string {
  const text = value.toString('latin1');
  if (/^\d+$/.test(text)) return text;
  const swapped = value
    .toString('hex')
    .replace(/(.)(.)/g, '$2$1')
    .replace(/f$/, '');
  return /^\d+$/.test(swapped) ? swapped : value.toString('hex');
}
