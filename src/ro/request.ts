/**
 * A Credit-Control-Request in the words of the core (RFC 8506 3.1, TS 32.299 6.4.2): the only
 * place, with `answer.ts`, that knows both vocabularies.
 */
import type { EventAction, EventRequest } from '../charging/event.ts';
import type { AskedService, Refusal, Request } from '../charging/request.ts';
import type { CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';
import { equipmentOf } from './equipment.ts';
import { factsOf, ratOf } from './facts.ts';
import type { Identified } from './identify.ts';
import { messagesOf } from './messages.ts';
import type { Currency } from './money.ts';
import { addressOf } from './party.ts';
import { askedOf, usedOf } from './units.ts';

type MSCC = Understood<Value<'Multiple-Services-Credit-Control'>>;

/**
 * How long before its arrival an event is believed to have taken place: clients keep what they
 * could not deliver for hours, but a clock that is wrong by days must not find old tariffs.
 */
export const MAX_AGE_MS = 24 * 3_600_000;
/** How far a client's clock may be ahead of the store's. */
export const MAX_AHEAD_MS = 60_000;

/** Service-Information has a few hundred octets; of one that is larger no record keeps more. */
const MAX_INFORMATION_BYTES = 16_384;

/** The octets of CC-Correlation-Id that a record keeps. */
const MAX_CORRELATION_BYTES = 128;

/** Recipients times services that one request has rated; beyond it all are under the first's rule. */
const MAX_RATINGS = 100_000;

/** An identified request other than an event. */
export type SessionRequest = Identified & { kind: Request['kind'] };

/** What is known of a request beside what it says. */
export interface TranslateOptions {
  currency: Currency;
  /** Store ms, which Event-Timestamp is judged by; absent: Event-Timestamp is not believed. */
  now?: number;
  /** The data of Service-Information as it was received. */
  information?: Uint8Array | undefined;
}

export interface SessionOptions extends TranslateOptions {
  refusal?: Refusal | undefined;
  looseNumbering?: boolean;
  /** What the peer can be told of tariff changes (RFC 8506 8.20); `none` by default. */
  tariffChange?: 'single' | 'dual' | 'none';
}

export function toRequest(
  ccr: Understood<CCR>,
  identified: SessionRequest,
  with_: SessionOptions,
): Request {
  const { refusal, looseNumbering, tariffChange = 'none' } = with_;
  const { kind, sessionId, number, client } = identified;
  const { level, services } = servicesOf(ccr, kind, with_.currency);
  const context = identified.context ?? '';
  const request: Request = { kind, sessionId, number, context, client, level, services };
  addCommon(request, ccr, identified, with_);
  // At command level there is no room for a second quota.
  const single = tariffChange === 'dual' && request.level === 'command';
  if (tariffChange !== 'none') request.tariffChange = single ? 'single' : tariffChange;
  if (refusal !== undefined) request.refusal = refusal;
  if (looseNumbering) request.looseNumbering = true;
  const cause = ccr['Termination-Cause'];
  if (cause !== undefined) request.terminationCause = cause;
  return request;
}

/** Requested-Action, RFC 8506 8.41. */
const actions: readonly EventAction[] = ['debit', 'refund', 'balance-check', 'price-enquiry'];

/** Undefined: it does not say what is to be done, which `flawOf` has an answer for. */
export function toEvent(
  ccr: Understood<CCR>,
  identified: Identified,
  with_: TranslateOptions,
): EventRequest | undefined {
  const action = actions[ccr['Requested-Action'] ?? -1];
  if (action === undefined) return undefined;
  const { kind, sessionId, number, client } = identified;
  const { level, services } = servicesOf(ccr, kind, with_.currency);
  const context = identified.context ?? '';
  const event: EventRequest = { action, sessionId, number, context, client, level, services };
  addCommon(event, ccr, identified, with_);
  const debit = refundInformationOf(ccr);
  if (debit !== undefined) event.refundInformation = debit;
  return event;
}

/** TS 32.299 7.1.9 has it in a service; clients without services put it beside. */
function refundInformationOf(ccr: Understood<CCR>): Uint8Array | undefined {
  for (const service of ccr['Multiple-Services-Credit-Control'] ?? []) {
    const found = service['Refund-Information'];
    if (found !== undefined) return found;
  }
  return ccr['Refund-Information']?.[0];
}

type Common = Omit<EventRequest, 'action' | 'refundInformation'>;

/** Adds what requests of every kind may have. */
function addCommon(
  common: Common,
  ccr: Understood<CCR>,
  identified: Identified,
  { now, information }: TranslateOptions,
): void {
  const { subSessionId, sentContext } = identified;
  if (subSessionId !== undefined) common.subSessionId = subSessionId;
  if (sentContext !== undefined) common.sentContext = sentContext;
  const subscriber = identified.subscribers[0];
  if (subscriber !== undefined) {
    common.subscriber = subscriber;
    common.subscribers = identified.subscribers;
  }
  const facts = factsOf(ccr);
  if (facts !== undefined) common.facts = facts;
  const seconds = ccr['Event-Timestamp'];
  if (seconds !== undefined) {
    const stampedAt = seconds * 1000;
    common.stampedAt = stampedAt;
    if (now !== undefined && isBelievable(stampedAt, now)) common.occurredAt = stampedAt;
  }
  if (information !== undefined) common.information = keepable(information);
  const equipment = equipmentOf(ccr);
  if (equipment !== undefined) common.equipment = equipment;
  const correlation = ccr['CC-Correlation-Id'];
  if (correlation !== undefined)
    common.correlation = correlation.toString('hex', 0, MAX_CORRELATION_BYTES);
}

function keepable(information: Uint8Array): Uint8Array {
  return information.length > MAX_INFORMATION_BYTES
    ? information.subarray(0, MAX_INFORMATION_BYTES)
    : information;
}

/** Whether something can have taken place at `at` (RFC 8506 5.2 to 5.4, 6). */
function isBelievable(at: number, now: number): boolean {
  return at <= now + MAX_AHEAD_MS && at >= now - MAX_AGE_MS;
}

/** Units travel in services or, where there are none, at command level (RFC 8506 5.1.2). */
function servicesOf(
  ccr: Understood<CCR>,
  kind: Identified['kind'],
  currency: Currency,
): Pick<Request, 'level' | 'services'> {
  const services = ccr['Multiple-Services-Credit-Control'];
  if (services !== undefined) {
    // Each is charged as it is said, whether or not another names the same service (see `once.ts`).
    const sent = kind === 'event' ? services : withUsageBeside(services, ccr);
    const asked = sent.map((one) => serviceOf(one, currency));
    return { level: 'services', services: counted(asked, ccr, kind) };
  }
  const rsu = ccr['Requested-Service-Unit'];
  const usus = ccr['Used-Service-Unit'];
  const identifier = ccr['Service-Identifier'];
  if (rsu === undefined && usus === undefined && kind !== 'event')
    return { level: 'services', services: [] };
  const one = serviceOf(
    {
      ...(rsu === undefined ? {} : { 'Requested-Service-Unit': rsu }),
      ...(usus === undefined ? {} : { 'Used-Service-Unit': usus }),
      ...(identifier === undefined ? {} : { 'Service-Identifier': [identifier] }),
    },
    currency,
  );
  if (kind !== 'event') return { level: 'command', services: counted([one], ccr, kind) };
  // An event that names nothing at all is about the account, or about its messages.
  const named = rsu !== undefined || identifier !== undefined || messagesOf(ccr) !== undefined;
  return { level: 'command', services: named ? counted([one], ccr, kind) : [] };
}

/**
 * Usage that is reported at command level beside services, where no specification has it, is charged
 * all the same. It is the service's where there is but one and no Service-Identifier says otherwise,
 * else that of a service without Rating-Group: a report and an answer of its own, 5031 if no rule
 * rates it.
 */
function withUsageBeside(services: readonly MSCC[], ccr: Understood<CCR>): readonly MSCC[] {
  const usus = ccr['Used-Service-Unit'];
  if (usus === undefined) return services;
  const identifier = ccr['Service-Identifier'];
  const [only, ...others] = services;
  if (only !== undefined && others.length === 0 && identifier === undefined)
    return [{ ...only, 'Used-Service-Unit': [...(only['Used-Service-Unit'] ?? []), ...usus] }];
  const identified = identifier === undefined ? {} : { 'Service-Identifier': [identifier] };
  return [...services, { 'Used-Service-Unit': usus, ...identified }];
}

/**
 * Messages whose client leaves the counting to the server: one for each recipient and each part. One
 * message is what an event without units stands for in any case; in a session those are counted that
 * ask. Each recipient is charged by its own number.
 */
function counted(
  services: readonly AskedService[],
  ccr: Understood<CCR>,
  kind: Identified['kind'],
): readonly AskedService[] {
  const about = messagesOf(ccr);
  if (about === undefined) return services;
  const { recipients: named, parts } = about;
  const messages = Math.max(1, named.length) * parts;
  const isEvent = kind === 'event';
  if (named.length === 0 && messages === 1) return services;
  const isEach = named.length * services.length <= MAX_RATINGS;
  const recipients = isEach ? { recipients: named.map(addressOf) } : {};
  return services.map((one) => {
    const isReport = one.used !== undefined && one.asked === undefined;
    const isCounted =
      messages === 1 || hasUnits(one.asked) || !(isEvent || one.asked !== undefined);
    // The facts say who the only one is, but not that a report says it.
    const isNamed = named.length > 1 || (named.length === 1 && isReport && !isEvent);
    return { ...one, ...(isCounted ? {} : { messages }), ...(isNamed ? recipients : {}) };
  });
}

function hasUnits(asked: AskedService['asked']): boolean {
  for (const _ in asked) return true;
  return false;
}

function serviceOf(mscc: MSCC, currency: Currency): AskedService {
  const ratingGroup = mscc['Rating-Group'];
  const rsu = mscc['Requested-Service-Unit'];
  const usus = mscc['Used-Service-Unit'];
  const service: AskedService = { serviceIds: identifiersOf(mscc['Service-Identifier']) };
  if (ratingGroup !== undefined) service.ratingGroup = ratingGroup;
  if (rsu !== undefined) Object.assign(service, askedOf(rsu, currency));
  if (usus !== undefined) {
    Object.assign(service, usedOf(usus, currency, mscc['Tariff-Change-Usage']));
  }
  const reasons = reasonsOf(mscc);
  if (reasons.length > 0) service.reasons = reasons;
  const rat = ratOf(mscc['3GPP-RAT-Type']);
  if (rat !== undefined) service.facts = { rat };
  return service;
}

/** Of the service and of each report (TS 32.299 7.2.175). */
function reasonsOf(mscc: MSCC): readonly number[] {
  const reasons = [...(mscc['Reporting-Reason'] ?? [])];
  for (const { 'Reporting-Reason': reason } of mscc['Used-Service-Unit'] ?? []) {
    if (reason !== undefined) reasons.push(reason);
  }
  return reasons;
}

const noIdentifiers: readonly number[] = [];

function identifiersOf(identifiers: readonly number[] | undefined): readonly number[] {
  if (identifiers === undefined) return noIdentifiers;
  return identifiers.length === 1 ? identifiers : [...new Set(identifiers)].sort((a, b) => a - b);
}
