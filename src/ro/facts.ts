/**
 * What a request says that rules may match on (TS 32.299 7.2.77, 7.2.110, 7.2.158, 7.2.211): read
 * from Service-Information, or from the command level, where some gateways put it.
 *
 * Nothing here can fail: what is not there, or makes no sense, is no fact.
 */
import type { Role } from '../charging/plan.ts';
import type { Facts } from '../charging/request.ts';
import type { CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';
import { messagesOf } from './messages.ts';
import { networkOfAccess, networkOfCode, networkOfLocation } from './network.ts';
import { addressOf, partyOf } from './party.ts';

type IMS = Understood<Value<'IMS-Information'>>;

/** Undefined: there are none. */
export function factsOf(ccr: Understood<CCR>): Facts | undefined {
  const facts: Facts = {};
  const information = ccr['Service-Information'];
  const ps = information?.['PS-Information'];
  const ims = information?.['IMS-Information'];
  const apn = ps?.['Called-Station-Id'] ?? ccr['Called-Station-Id']?.[0];
  if (apn !== undefined) facts.apn = networkIdentifier(apn);
  const rat = ratOf(ps?.['3GPP-RAT-Type'] ?? ccr['3GPP-RAT-Type']?.[0]);
  if (rat !== undefined) facts.rat = rat;
  const visited =
    networkOfCode(ps?.['3GPP-SGSN-MCC-MNC'] ?? ccr['3GPP-SGSN-MCC-MNC']?.[0]) ??
    networkOfLocation(ps?.['3GPP-User-Location-Info'] ?? ccr['3GPP-User-Location-Info']?.[0]) ??
    firstOf(ims?.['Access-Network-Information'], networkOfAccess);
  if (visited !== undefined) facts.visited = visited;
  if (ims !== undefined) Object.assign(facts, partiesOfCall(ims));
  const messages = messagesOf(ccr);
  if (messages !== undefined) {
    const called = addressOf(messages.recipients[0]);
    const calling = addressOf(messages.originator);
    if (called !== undefined) facts.called = called;
    if (calling !== undefined) facts.calling = calling;
  }
  return hasAny(facts) ? facts : undefined;
}

/** An APN's network identifier (TS 23.003 9.1): without the operator identifier, in lower case. */
export function networkIdentifier(apn: string): string {
  const lower = apn.toLowerCase();
  return lower.endsWith('.gprs') ? lower.replace(/\.mnc\d{3}\.mcc\d{3}\.gprs$/, '') : lower;
}

/** 3GPP-RAT-Type is one octet (TS 29.061 16.4.7.2). */
export function ratOf(octets: Uint8Array | undefined): number | undefined {
  return octets?.length === 1 ? octets[0] : undefined;
}

/** Role-Of-Node, TS 32.299 7.2.177. A B2BUA stands on no side. */
const roles: readonly (Role | undefined)[] = ['originating', 'terminating', 'forwarding'];

/**
 * Who calls whom. On the terminating side the called party is the subscriber, who is no
 * destination: a price by destination must not be found for it.
 */
function partiesOfCall(ims: IMS): Pick<Facts, 'role' | 'called' | 'calling'> {
  const role = roles[ims['Role-Of-Node'] ?? -1];
  const calling = firstOf(ims['Calling-Party-Address'], partyOf);
  const called =
    role === 'terminating'
      ? undefined
      : (partyOf(ims['Called-Party-Address']) ?? firstOf(ims['Requested-Party-Address'], partyOf));
  return {
    ...(role === undefined ? {} : { role }),
    ...(called === undefined ? {} : { called }),
    ...(calling === undefined ? {} : { calling }),
  };
}

function firstOf<T, U>(list: readonly T[] | undefined, read: (one: T) => U | undefined) {
  for (const one of list ?? []) {
    const value = read(one);
    if (value !== undefined) return value;
  }
  return undefined;
}

function hasAny(facts: Facts): boolean {
  for (const _ in facts) return true;
  return false;
}
