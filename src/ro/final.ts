/**
 * Final units on the wire: what the client does when they are used up (RFC 8506 5.6, 8.34, 8.68).
 *
 * Final-Unit-Indication always goes out, because it can say every action and is all that clients of
 * RFC 4006 know. QoS-Final-Unit-Indication goes with it to peers that are known to read it, unless
 * something of the action could not be said there: such a client heeds nothing else (8.68).
 */
import type { Final } from '../charging/plan.ts';
import { ipAddress } from '../diameter/address.ts';
import type { Value } from '../diameter/message.ts';
import { filterRuleOf } from './filter.ts';

/** Which indications a peer gets. */
export type FinalUnits = 'rfc4006' | 'rfc8506';

/** Final-Unit-Action, RFC 8506 8.35. */
const actions: Readonly<Record<Final['action'], number>> = {
  terminate: 0,
  redirect: 1,
  restrict: 2,
};
/** Redirect-Address-Type, RFC 8506 8.38. */
const URL = 2;
const SIP_URI = 3;

export function indicationsOf(
  final: Final,
  finalUnits: FinalUnits,
): {
  'Final-Unit-Indication': Value<'Final-Unit-Indication'>;
  'QoS-Final-Unit-Indication'?: Value<'QoS-Final-Unit-Indication'>;
} {
  const plain = { 'Final-Unit-Indication': indicationOf(final) };
  const qos = finalUnits === 'rfc8506' ? qosIndicationOf(final) : undefined;
  return qos === undefined ? plain : { ...plain, 'QoS-Final-Unit-Indication': qos };
}

function indicationOf({ action, redirect, filters = [], filterIds = [] }: Final) {
  const indication: Value<'Final-Unit-Indication'> = { 'Final-Unit-Action': actions[action] };
  // RFC 8506 5.6.1: nothing but the action.
  if (action === 'terminate') return indication;
  if (filters.length > 0) indication['Restriction-Filter-Rule'] = [...filters];
  if (filterIds.length > 0) indication['Filter-Id'] = [...filterIds];
  if (redirect !== undefined && action === 'redirect') {
    const { type, address } = redirect;
    indication['Redirect-Server'] = {
      'Redirect-Address-Type': type,
      'Redirect-Server-Address': type < URL ? (ipAddress(address)?.address ?? address) : address,
    };
  }
  return indication;
}

function qosIndicationOf({ action, redirect, filters = [], filterIds = [] }: Final) {
  const indication: Value<'QoS-Final-Unit-Indication'> = { 'Final-Unit-Action': actions[action] };
  if (action === 'terminate') return indication;
  const rules = filters.map((text, at) => filterRuleOf(text, at + 1));
  if (rules.includes(undefined)) return undefined;
  if (rules.length > 0) indication['Filter-Rule'] = rules.filter((rule) => rule !== undefined);
  if (filterIds.length > 0) indication['Filter-Id'] = [...filterIds];
  if (redirect === undefined || action !== 'redirect') return indication;
  const server = extensionOf(redirect);
  return server && { ...indication, 'Redirect-Server-Extension': server };
}

/** RFC 8506 8.64: exactly one member. */
function extensionOf({
  type,
  address,
}: NonNullable<Final['redirect']>): Value<'Redirect-Server-Extension'> | undefined {
  if (type === URL) return { 'Redirect-Address-URL': address };
  if (type === SIP_URI) return { 'Redirect-Address-SIP-URI': address };
  const ip = ipAddress(address);
  return ip && { 'Redirect-Address-IPAddress': ip };
}
