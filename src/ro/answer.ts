/**
 * What the core answers, as a Credit-Control-Answer (RFC 8506 3.2, TS 32.299 6.4.3): outcomes
 * become Result-Codes, quota becomes Granted-Service-Unit, at the level that the request used.
 */
import type { Answer, Outcome, ServiceAnswer } from '../charging/answer.ts';
import type { CCA, CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import { failedAVP } from './failed.ts';
import { type FinalUnits, indicationsOf } from './final.ts';
import { type Currency, unitValueOf } from './money.ts';
import { oncePerService } from './once.ts';
import { direct, grantedOf, poolReferenceOf } from './quota.ts';

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
/** CC-Request-Type, RFC 8506 8.3. */
const INITIAL_REQUEST = 1;
/** Tariff-Change-Usage, RFC 8506 8.27. */
const BEFORE = 0;
const AFTER = 1;
/** Credit-Control-Failure-Handling, RFC 8506 8.14. */
const failureHandlings = { terminate: 0, continue: 1, 'retry-and-terminate': 2 } as const;
/** Direct-Debiting-Failure-Handling, RFC 8506 8.15. */
const debitFailureHandlings = { 'terminate-or-buffer': 0, continue: 1 } as const;

/** A CCR of which enough was understood to be charged. */
export type AnswerableCCR = Understood<CCR> &
  Pick<CCR, 'Session-Id' | 'CC-Request-Type' | 'CC-Request-Number'>;

/** Whom an answer is for. */
export interface AnswerTo {
  ccr: AnswerableCCR;
  origin: { host: string; realm: string };
  /** The tenant's. */
  currency: Currency;
  /** What the peer understands; `rfc4006` by default. */
  finalUnits?: FinalUnits | undefined;
}

type MSCC = Value<'Multiple-Services-Credit-Control'>;

/** Proxy-Info and the Session-Id's own octets are echoed by the encoder, not here. */
export function toCCA(given: Answer, to: AnswerTo): CCA {
  const answer = oncePerService(given);
  const { ccr, origin } = to;
  const cca: CCA = {
    'Session-Id': ccr['Session-Id'],
    'Result-Code': resultCodeOf(answer),
    'Origin-Host': origin.host,
    'Origin-Realm': origin.realm,
    'Auth-Application-Id': CREDIT_CONTROL,
    'CC-Request-Type': ccr['CC-Request-Type'],
    'CC-Request-Number': ccr['CC-Request-Number'],
  };
  const subSession = ccr['CC-Sub-Session-Id'];
  if (subSession !== undefined) cca['CC-Sub-Session-Id'] = subSession;
  if (answer.outcome === 'success') {
    cca['CC-Session-Failover'] = FAILOVER_SUPPORTED;
    if (answer.level === 'services') addServices(cca, answer, to);
    else addQuota(cca, answer, to);
  }
  addAccount(cca, answer, to.currency);
  const failed = failedAVP(answer, ccr, to.currency);
  if (failed !== undefined) cca['Failed-AVP'] = [failed];
  return cca;
}

function resultCodeOf({ outcome, resultCode }: Answer): number {
  return outcome === 'refused'
    ? (resultCode ?? resultCodes.DIAMETER_UNABLE_TO_COMPLY)
    : codeOf[outcome];
}

/** One entry for each service, two where it has a quota for each side of a tariff change. */
function addServices(cca: CCA, answer: Answer, to: AnswerTo): void {
  const entries: MSCC[] = [];
  for (const service of answer.services) {
    const { granted, tariffChange } = service;
    const after = granted === undefined ? undefined : tariffChange?.after;
    if (granted === undefined || after === undefined) {
      entries.push(serviceOf(service, to, granted?.units ?? 0));
      continue;
    }
    // RFC 8506 5.1.2: each quota in an entry of its own.
    entries.push({ ...serviceOf(service, to, granted.units), 'Tariff-Change-Usage': BEFORE });
    entries.push({ ...serviceOf(service, to, after, true), 'Tariff-Change-Usage': AFTER });
  }
  const [first] = entries;
  if (first === undefined) {
    addOutcomeOfEvent(cca, answer);
    return;
  }
  // TS 32.299 7.1.9 and 6.4.3: both belong into a service.
  if (answer.refundInformation !== undefined)
    first['Refund-Information'] = Buffer.from(answer.refundInformation);
  if (answer.enough !== undefined)
    for (const entry of entries) entry['Check-Balance-Result'] = [checkOf(answer.enough)];
  cca['Multiple-Services-Credit-Control'] = entries;
}

/** A service with `units` of those that it was granted; `second`: after a tariff change. */
function serviceOf(service: ServiceAnswer, to: AnswerTo, units: number, second = false): MSCC {
  const { ratingGroup, serviceIds, holdingSeconds, outcome, validitySeconds, directives } = service;
  const { ccr, currency, finalUnits = 'rfc4006' } = to;
  const mscc: MSCC = {};
  const granted = grantedOf(service, units, currency);
  if (granted !== undefined) mscc['Granted-Service-Unit'] = granted;
  if (ratingGroup !== undefined) mscc['Rating-Group'] = ratingGroup;
  if (serviceIds.length > 0) mscc['Service-Identifier'] = [...serviceIds];
  const pool = poolReferenceOf(service, { currency, second });
  if (pool !== undefined) mscc['G-S-U-Pool-Reference'] = [pool];
  if (validitySeconds !== undefined) mscc['Validity-Time'] = validitySeconds;
  mscc['Result-Code'] =
    outcome === 'refused' ? resultCodes.DIAMETER_UNABLE_TO_COMPLY : codeOf[outcome];
  if (service.final !== undefined) Object.assign(mscc, indicationsOf(service.final, finalUnits));
  if (holdingSeconds !== undefined) mscc['Quota-Holding-Time'] = holdingSeconds;
  if (directives !== undefined) {
    const initial = ccr['CC-Request-Type'] === INITIAL_REQUEST;
    direct(mscc, { ...service, directives }, { units, initial });
  }
  return mscc;
}

/** RFC 8506 3.2: what the command level can say of the one service that it is for. */
function addQuota(cca: CCA, answer: Answer, { ccr, currency, finalUnits }: AnswerTo): void {
  addOutcomeOfEvent(cca, answer);
  const [service] = answer.services;
  if (service === undefined || !speaksOfUnits(ccr)) return;
  const granted = grantedOf(service, service.granted?.units ?? 0, currency);
  if (granted !== undefined) cca['Granted-Service-Unit'] = granted;
  if (service.validitySeconds !== undefined) cca['Validity-Time'] = service.validitySeconds;
  if (service.final !== undefined)
    Object.assign(cca, indicationsOf(service.final, finalUnits ?? 'rfc4006'));
}

/**
 * TS 32.299 6.4.3 has no units at command level: a client that named none there, as with messages
 * that the server counts, is told none there.
 */
function speaksOfUnits(ccr: AnswerableCCR): boolean {
  return (
    ccr['Requested-Service-Unit'] !== undefined ||
    ccr['Used-Service-Unit'] !== undefined ||
    ccr['Service-Identifier'] !== undefined
  );
}

function addOutcomeOfEvent(cca: CCA, { enough, refundInformation }: Answer): void {
  if (enough !== undefined) cca['Check-Balance-Result'] = checkOf(enough);
  if (refundInformation !== undefined) cca['Refund-Information'] = [Buffer.from(refundInformation)];
}

/** Check-Balance-Result, RFC 8506 8.6. */
function checkOf(enough: boolean): number {
  return enough ? 0 : 1;
}

/** What is told of the account and of failures, whatever became of the services. */
function addAccount(cca: CCA, answer: Answer, currency: Currency): void {
  const { cost, remaining, lowBalance, failureHandling, debitFailureHandling } = answer;
  if (cost !== undefined) cca['Cost-Information'] = moneyOf(cost, currency);
  if (remaining !== undefined) cca['Remaining-Balance'] = moneyOf(remaining, currency);
  if (lowBalance !== undefined) cca['Low-Balance-Indication'] = lowBalance ? 1 : 0;
  if (failureHandling !== undefined)
    cca['Credit-Control-Failure-Handling'] = failureHandlings[failureHandling];
  if (debitFailureHandling !== undefined)
    cca['Direct-Debiting-Failure-Handling'] = debitFailureHandlings[debitFailureHandling];
}

function moneyOf(amount: number, currency: Currency): Value<'Remaining-Balance'> {
  return { 'Unit-Value': unitValueOf(amount, currency), 'Currency-Code': currency.code };
}
