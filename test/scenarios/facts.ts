/**
 * What a request of a scenario says of its use: `apn=`, `rat=`, `visited=` as a gateway's
 * PS-Information; `called=`, `calling=` and `role=` as IMS-Information or, of a message, as
 * SMS-Information.
 */
import type { CCR } from '../../src/diameter/commands.ts';
import type { Value } from '../../src/diameter/message.ts';

const SMS = '32274@3gpp.org';
const ROLES: Record<string, number> = { originating: 0, terminating: 1, forwarding: 2 };

type Words = ReadonlyMap<string, string>;

export function factsOf(words: Words, context: string): Pick<CCR, 'Service-Information'> {
  const information = {
    ...packetsOf(words),
    ...(context === SMS ? messageOf(words) : callOf(words)),
  };
  return Object.keys(information).length === 0 ? {} : { 'Service-Information': information };
}

function packetsOf(words: Words): Partial<Value<'Service-Information'>> {
  const apn = words.get('apn');
  const rat = words.get('rat');
  const visited = words.get('visited');
  if (apn === undefined && rat === undefined && visited === undefined) return {};
  return {
    'PS-Information': {
      ...(apn === undefined ? {} : { 'Called-Station-Id': apn }),
      ...(rat === undefined ? {} : { '3GPP-RAT-Type': Buffer.of(Number(rat)) }),
      ...(visited === undefined ? {} : { '3GPP-SGSN-MCC-MNC': visited }),
    },
  };
}

function callOf(words: Words): Partial<Value<'Service-Information'>> {
  const called = words.get('called');
  const calling = words.get('calling');
  const role = words.get('role');
  if (called === undefined && calling === undefined && role === undefined) return {};
  return {
    'IMS-Information': {
      'Node-Functionality': 6,
      ...(role === undefined ? {} : { 'Role-Of-Node': ROLES[role] ?? Number(role) }),
      ...(called === undefined ? {} : { 'Called-Party-Address': `tel:+${called}` }),
      ...(calling === undefined ? {} : { 'Calling-Party-Address': [`tel:+${calling}`] }),
    },
  };
}

function messageOf(words: Words): Partial<Value<'Service-Information'>> {
  const called = words.get('called');
  if (called === undefined) return {};
  const address = { 'Address-Type': 1, 'Address-Data': called };
  return { 'SMS-Information': { 'Recipient-Info': [{ 'Recipient-Address': [address] }] } };
}
