/** What could not be rated, as Failed-AVP says it (RFC 8506 9.2, RFC 6733 7.5). */
import type { Answer } from '../charging/answer.ts';
import type { CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';
import type { Currency } from './money.ts';
import { isForeign, isUngrantable } from './units.ts';

/**
 * A copy of what was faulty, or undefined where nothing failed to be rated. TS 32.299 6.4.3 has room
 * for one.
 */
export function failedAVP(
  answer: Answer,
  ccr: Understood<CCR>,
  currency: Currency,
): Value<'Failed-AVP'> | undefined {
  if (answer.outcome === 'rating-failed')
    return (
      wrongMoney([ccr], currency) ?? { 'Service-Context-Id': [ccr['Service-Context-Id'] ?? ''] }
    );
  if (answer.outcome !== 'success') return undefined;
  const failed = answer.services.find((service) => service.outcome === 'rating-failed');
  if (failed === undefined) return undefined;
  const { ratingGroup } = failed;
  const sent = ccr['Multiple-Services-Credit-Control']?.filter(
    (service) => service['Rating-Group'] === ratingGroup,
  );
  const money = wrongMoney(sent ?? [ccr], currency);
  if (money !== undefined) return money;
  const [identifier] = failed.serviceIds;
  if (ratingGroup === undefined && identifier !== undefined)
    return { 'Service-Identifier': [identifier] };
  return { 'Rating-Group': [ratingGroup ?? 0] };
}

/** The first CC-Money of another currency than the tenant's, or asked for below zero. */
function wrongMoney(
  levels: readonly Pick<Understood<CCR>, 'Requested-Service-Unit' | 'Used-Service-Unit'>[],
  currency: Currency,
): Value<'Failed-AVP'> | undefined {
  for (const { 'Requested-Service-Unit': asked, 'Used-Service-Unit': used = [] } of levels) {
    for (const units of asked === undefined ? used : [asked, ...used]) {
      const money = units['CC-Money'];
      const isWrong = units === asked ? isUngrantable : isForeign;
      if (!isWrong(money, currency)) continue;
      const { 'Value-Digits': digits, Exponent: exponent } = money?.['Unit-Value'] ?? {};
      const code = money?.['Currency-Code'];
      const named = code === undefined ? {} : { 'Currency-Code': code };
      if (digits === undefined) return code === undefined ? undefined : { 'Currency-Code': [code] };
      const value = {
        'Value-Digits': digits,
        ...(exponent === undefined ? {} : { Exponent: exponent }),
      };
      return { 'CC-Money': [{ 'Unit-Value': value, ...named }] };
    }
  }
  return undefined;
}
