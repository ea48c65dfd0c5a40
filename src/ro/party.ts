/**
 * Who calls whom, as numbers that a plan's prefixes can be compared with: URIs of IMS (RFC 3966,
 * RFC 3261 19.1.1) and addresses of messages (TS 32.299 7.2.7).
 */
import type { Understood, Value } from '../diameter/message.ts';

/** Address-Type, TS 32.299 7.2.9. */
const MSISDN = 1;
const NUMERIC_SHORTCODE = 4;
/** What people put between digits (RFC 3966 3, visual-separator), and some systems' spaces. */
const SEPARATORS = /[-.() ]/g;
const DIGITS = /^\+?[0-9*#]+$/;

/**
 * The number in a `tel:` or `sip:` URI or in plain digits, in international form without a plus
 * sign where it says that it is international; what is no number stays as it was sent. Undefined:
 * the party is not known.
 */
export function partyOf(uri: string | undefined): string | undefined {
  if (uri === undefined || uri === '' || uri.toLowerCase() === 'unknown') return undefined;
  const colon = uri.indexOf(':');
  switch (uri.slice(0, colon + 1).toLowerCase()) {
    case '':
      return numberOf(uri) ?? uri;
    case 'tel:':
      return numberOf(uri.slice(colon + 1).split(';', 1)[0] ?? '') ?? uri;
    case 'sip:':
    case 'sips:':
      return numberOfSip(uri.slice(colon + 1)) ?? uri;
    default:
      return uri;
  }
}

/** A user part is a number where `user=phone` or its plus sign says so (RFC 3261 19.1.6). */
function numberOfSip(rest: string): string | undefined {
  const at = rest.indexOf('@');
  if (at < 0) return undefined;
  const user = rest.slice(0, at).split(/[;:]/, 1)[0] ?? '';
  const isPhone = user.startsWith('+') || /;user=phone(?:[;?]|$)/i.test(rest.slice(at));
  return isPhone ? numberOf(user) : undefined;
}

/** Digits without separators, and without the plus sign or zeros before a country code. */
function numberOf(text: string): string | undefined {
  const digits = text.replace(SEPARATORS, '');
  if (!DIGITS.test(digits)) return undefined;
  if (digits.startsWith('+')) return digits.slice(1);
  return /^00[1-9]/.test(digits) ? digits.slice(2) : digits;
}

type Addressed = Understood<Value<'Originator-Address'>>;

/** The party of an address of a message; undefined: it names none. */
export function addressOf(address: Addressed | undefined): string | undefined {
  const data = address?.['Address-Data'];
  if (data === undefined || data === '') return undefined;
  const type = address?.['Address-Type'] ?? MSISDN;
  return type === MSISDN || type === NUMERIC_SHORTCODE ? partyOf(data) : data;
}
