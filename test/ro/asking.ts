/**
 * Requests built octet by octet from the layouts of the specifications, decoded and translated: what
 * the tests of requests share. Nothing of it comes from the encoder.
 */
import type { EventRequest } from '../../src/charging/event.ts';
import type { Request } from '../../src/charging/request.ts';
import { type DecodedAs, decode } from '../../src/diameter/decode.ts';
import { identify } from '../../src/ro/identify.ts';
import {
  type SessionOptions,
  type SessionRequest,
  toEvent,
  toRequest,
} from '../../src/ro/request.ts';
import { avp, type CcrAvps, ccr, group } from '../diameter/bytes.ts';

export const VENDOR = { vendor: 10415 };
export const euro = { code: 978, digits: 2 };
export const NOW = 1_763_727_900_000;

/** 3GPP AVPs. */
export const avp3 = (code: number, data: Buffer | string | number) => avp(code, data, VENDOR);
export const group3 = (code: number, ...members: Buffer[]) => group(code, members, VENDOR);
export const serviceInformation = (...members: Buffer[]) => group3(873, ...members);
export const psInformation = (...members: Buffer[]) => serviceInformation(group3(874, ...members));
/** Node-Functionality is its one required member. */
export const imsInformation = (...members: Buffer[]) =>
  serviceInformation(group3(876, avp3(862, 6), ...members));
export const mscc = (...members: Buffer[]) => group(456, members);

/** An update with `more` AVPs, whole and decoded. */
export function decoded(more: Buffer[], replace: CcrAvps = {}): DecodedAs<'CCR'> {
  const found = decode(ccr({ more, replace }));
  if (found.name !== 'CCR') throw new Error(found.name);
  if (found.failure !== undefined) throw new Error(found.failure.errorMessage);
  return found;
}

/** The same in the core's words. */
export function asked(more: Buffer[], options: Partial<SessionOptions> = {}): Request {
  const { message, raw } = decoded(more);
  const identified = identify(message);
  if (identified === undefined) throw new Error('not identified');
  return toRequest(message, identified as SessionRequest, {
    currency: euro,
    now: NOW,
    information: raw.serviceInformation,
    ...options,
  });
}

/** An event with `more` AVPs: 0 debits, 1 refunds, 2 looks at the balance, 3 at the price. */
export function event(action: number, more: Buffer[]): EventRequest | undefined {
  const { message, raw } = decoded([avp(436, action), ...more], { requestType: avp(416, 4) });
  const identified = identify(message);
  if (identified === undefined) throw new Error('not identified');
  return toEvent(message, identified, {
    currency: euro,
    now: NOW,
    information: raw.serviceInformation,
  });
}
