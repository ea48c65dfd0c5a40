/** What could not be rated, as Failed-AVP says it (RFC 8506 9.2, RFC 6733 7.5). */
import type { Answer, Fault } from '../charging/answer.ts';
import type { CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';
import type { Currency } from './money.ts';
import { isForeign, isUngrantable } from './units.ts';

type CCMoney = Understood<Value<'CC-Money'>>;
/** What of a request is for one service: an MSCC, or the command itself. */
type Level = Pick<
  Understood<Value<'Multiple-Services-Credit-Control'>>,
  'Requested-Service-Unit' | 'Used-Service-Unit'
>;

/** What counts units, beside CC-Money. */
const COUNTING = [
  'CC-Time',
  'CC-Total-Octets',
  'CC-Input-Octets',
  'CC-Output-Octets',
  'CC-Service-Specific-Units',
] as const;
type Units = Pick<
  Understood<Value<'Requested-Service-Unit'>>,
  (typeof COUNTING)[number] | 'CC-Money'
>;

/**
 * A copy of what was faulty, or an example of what is missing; undefined where nothing failed to be
 * rated. TS 32.299 6.4.3 has room for one.
 */
export function failedAVP(
  answer: Answer,
  ccr: Understood<CCR>,
  currency: Currency,
): Value<'Failed-AVP'> | undefined {
  if (answer.outcome === 'rating-failed') {
    if (answer.fault === 'context')
      return { 'Service-Context-Id': [ccr['Service-Context-Id'] ?? ''] };
    const named = nameOf(undefined, ccr['Service-Identifier']);
    return faulty([ccr], answer.fault, currency) ?? named;
  }
  if (answer.outcome !== 'success') return undefined;
  const failed = answer.services.find((service) => service.outcome === 'rating-failed');
  if (failed === undefined) return undefined;
  const { ratingGroup, serviceIds, fault } = failed;
  const sent = ccr['Multiple-Services-Credit-Control']?.filter(
    ({ 'Rating-Group': group, 'Service-Identifier': ids = [] }) =>
      group === ratingGroup &&
      ids.length === serviceIds.length &&
      ids.every((id) => serviceIds.includes(id)),
  );
  return faulty(sent ?? [ccr], fault, currency) ?? nameOf(ratingGroup, serviceIds[0]);
}

/** What names a service that no rule matches; without anything, a Rating-Group as an example. */
function nameOf(ratingGroup: number | undefined, identifier: number | undefined) {
  if (ratingGroup === undefined && identifier !== undefined)
    return { 'Service-Identifier': [identifier] };
  return { 'Rating-Group': [ratingGroup ?? 0] };
}

/** The units that could not be rated; undefined: it was not for them. */
function faulty(
  levels: readonly Level[],
  fault: Fault | undefined,
  currency: Currency,
): Value<'Failed-AVP'> | undefined {
  const money = wrongMoney(levels, currency);
  if (money !== undefined || fault === undefined) return money;
  for (const { 'Requested-Service-Unit': asked, 'Used-Service-Unit': used = [] } of levels) {
    const copied = copyOf(fault === 'used' ? used : asked === undefined ? [] : [asked]);
    if (Object.keys(copied).length > 0) return copied;
  }
  return undefined;
}

/** What each of several units counts, in the AVPs that say so. */
function copyOf(all: readonly Units[]): Value<'Failed-AVP'> {
  const copied: Record<string, unknown[]> = {};
  for (const name of COUNTING) {
    const found = all.flatMap((units) => units[name] ?? []);
    if (found.length > 0) copied[name] = found;
  }
  const money = all.flatMap(({ 'CC-Money': one }) => (one === undefined ? [] : moneyOf(one)));
  if (money.length > 0) copied['CC-Money'] = money;
  return copied;
}

/** The first CC-Money of another currency than the tenant's, or asked for below zero. */
function wrongMoney(levels: readonly Level[], currency: Currency): Value<'Failed-AVP'> | undefined {
  for (const { 'Requested-Service-Unit': asked, 'Used-Service-Unit': used = [] } of levels) {
    for (const units of asked === undefined ? used : [asked, ...used]) {
      const money = units['CC-Money'];
      const isWrong = units === asked ? isUngrantable : isForeign;
      if (money === undefined || !isWrong(money, currency)) continue;
      const [copied] = moneyOf(money);
      if (copied !== undefined) return { 'CC-Money': [copied] };
      const code = money['Currency-Code'];
      return code === undefined ? undefined : { 'Currency-Code': [code] };
    }
  }
  return undefined;
}

/** A copy, where it has all that it must. */
function moneyOf({
  'Unit-Value': value = {},
  'Currency-Code': code,
}: CCMoney): Value<'CC-Money'>[] {
  const { 'Value-Digits': digits, Exponent: exponent } = value;
  if (digits === undefined) return [];
  const copied: Value<'CC-Money'> = { 'Unit-Value': { 'Value-Digits': digits } };
  if (exponent !== undefined) copied['Unit-Value'].Exponent = exponent;
  if (code !== undefined) copied['Currency-Code'] = code;
  return [copied];
}
