/**
 * What the core answers, as a Credit-Control-Answer (RFC 8506 3.2, TS 32.299 6.4.3): outcomes
 * become Result-Codes, quota becomes Granted-Service-Unit, at the level that the request used.
 */
import type { Answer, Outcome, ServiceAnswer } from '../charging/answer.ts';
import type { Unit } from '../charging/request.ts';
import type { CCA, CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import { type Currency, unitValueOf } from './money.ts';

/** RFC 8506 9 and RFC 6733 7.1. `refused` carries its own code. */
export const codeOf: Record<Exclude<Outcome, 'refused'>, number> = {
  success: resultCodes.DIAMETER_SUCCESS,
  'unknown-session': resultCodes.DIAMETER_UNKNOWN_SESSION_ID,
  contradiction: resultCodes.DIAMETER_UNABLE_TO_COMPLY,
  'user-unknown': resultCodes.DIAMETER_USER_UNKNOWN,
  'resources-exceeded': resultCodes.DIAMETER_RESOURCES_EXCEEDED,
  'service-denied': resultCodes.DIAMETER_END_USER_SERVICE_DENIED,
  'rating-failed': resultCodes.DIAMETER_RATING_FAILED,
  'credit-limit-reached': resultCodes.DIAMETER_CREDIT_LIMIT_REACHED,
  uncontrolled: resultCodes.DIAMETER_CREDIT_CONTROL_NOT_APPLICABLE,
};

const CREDIT_CONTROL = 4;
/** CC-Session-Failover, RFC 8506 8.4: any worker serves any message. */
const FAILOVER_SUPPORTED = 1;
/** Final-Unit-Action, RFC 8506 8.35. */
const TERMINATE = 0;
const MAX_UNSIGNED32 = 0xffff_ffff;

/** A CCR of which enough was understood to be charged. */
export type AnswerableCCR = Understood<CCR> &
  Pick<CCR, 'Session-Id' | 'CC-Request-Type' | 'CC-Request-Number'>;

/** Proxy-Info and the Session-Id's own octets are echoed by the encoder, not here. */
export function toCCA(
  answer: Answer,
  to: { ccr: AnswerableCCR; origin: { host: string; realm: string }; currency: Currency },
): CCA {
  const { ccr, origin, currency } = to;
  const subSession = ccr['CC-Sub-Session-Id'];
  const failed = failedAVP(answer, ccr);
  return {
    'Session-Id': ccr['Session-Id'],
    'Result-Code': resultCodeOf(answer),
    'Origin-Host': origin.host,
    'Origin-Realm': origin.realm,
    'Auth-Application-Id': CREDIT_CONTROL,
    'CC-Request-Type': ccr['CC-Request-Type'],
    'CC-Request-Number': ccr['CC-Request-Number'],
    ...(subSession === undefined ? {} : { 'CC-Sub-Session-Id': subSession }),
    ...(answer.outcome === 'success' ? { 'CC-Session-Failover': FAILOVER_SUPPORTED } : {}),
    ...(answer.outcome === 'success' ? servicesOf(answer, currency) : {}),
    ...(failed === undefined ? {} : { 'Failed-AVP': [failed] }),
  };
}

function resultCodeOf({ outcome, resultCode }: Answer): number {
  return outcome === 'refused'
    ? (resultCode ?? resultCodes.DIAMETER_UNABLE_TO_COMPLY)
    : codeOf[outcome];
}

function servicesOf(answer: Answer, currency: Currency): Partial<CCA> {
  if (answer.level === 'services') {
    if (answer.services.length === 0) return {};
    return {
      'Multiple-Services-Credit-Control': answer.services.map((one) => serviceOf(one, currency)),
    };
  }
  const [service] = answer.services;
  return service === undefined ? {} : quotaOf(service, currency);
}

function serviceOf(
  service: ServiceAnswer,
  currency: Currency,
): Value<'Multiple-Services-Credit-Control'> {
  const { ratingGroup, serviceIds, holdingSeconds, outcome } = service;
  return {
    ...quotaOf(service, currency),
    ...(ratingGroup === undefined ? {} : { 'Rating-Group': ratingGroup }),
    ...(serviceIds.length === 0 ? {} : { 'Service-Identifier': [...serviceIds] }),
    'Result-Code': outcome === 'refused' ? resultCodes.DIAMETER_UNABLE_TO_COMPLY : codeOf[outcome],
    ...(holdingSeconds === undefined ? {} : { 'Quota-Holding-Time': holdingSeconds }),
  };
}

/** The members that a service and the command level have in common (RFC 8506 3.2, 8.16). */
function quotaOf(
  { granted, validitySeconds, final }: ServiceAnswer,
  currency: Currency,
): Pick<CCA, 'Granted-Service-Unit' | 'Validity-Time' | 'Final-Unit-Indication'> {
  return {
    ...(granted === undefined ? {} : { 'Granted-Service-Unit': grantedOf(granted, currency) }),
    ...(validitySeconds === undefined ? {} : { 'Validity-Time': validitySeconds }),
    ...(final === undefined ? {} : { 'Final-Unit-Indication': { 'Final-Unit-Action': TERMINATE } }),
  };
}

function grantedOf(
  { unit, units }: { unit: Unit; units: number },
  currency: Currency,
): Value<'Granted-Service-Unit'> {
  switch (unit) {
    case 'octets':
      return { 'CC-Total-Octets': BigInt(units) };
    case 'seconds':
      return { 'CC-Time': Math.min(units, MAX_UNSIGNED32) };
    case 'units':
      return { 'CC-Service-Specific-Units': BigInt(units) };
    case 'money':
      return {
        'CC-Money': { 'Unit-Value': unitValueOf(units, currency), 'Currency-Code': currency.code },
      };
  }
}

/** RFC 8506 9.2: 5031 names what cannot be rated. TS 32.299 6.4.3 has room for one. */
function failedAVP(answer: Answer, ccr: AnswerableCCR): Value<'Failed-AVP'> | undefined {
  if (answer.outcome === 'rating-failed')
    return { 'Service-Context-Id': [ccr['Service-Context-Id'] ?? ''] };
  const failed = answer.services.find((service) => service.outcome === 'rating-failed');
  if (failed === undefined || answer.outcome !== 'success') return undefined;
  const [identifier] = failed.serviceIds;
  if (failed.ratingGroup === undefined && identifier !== undefined)
    return { 'Service-Identifier': [identifier] };
  return { 'Rating-Group': [failed.ratingGroup ?? 0] };
}
