/** What a session answers: outcomes in the core's words; `ro/` turns them into Result-Codes. */
import type { Multiplier } from './multiplier.ts';
import type { Directives, Final } from './plan.ts';
import type { Unit } from './request.ts';

/** In order of precedence where several hold (RFC 8506 9). */
export type Outcome =
  | 'success'
  | 'unknown-session' /* 5002 */
  | 'refused' /* the Result-Code that decoding or policy gave */
  | 'contradiction' /* 5012: the request cannot belong to the session as it stands */
  | 'user-unknown' /* 5030 */
  | 'resources-exceeded' /* 5006 */
  | 'service-denied' /* 4010 */
  | 'rating-failed' /* 5031 */
  | 'credit-limit-reached' /* 4012 */
  | 'uncontrolled'; /* 4011 */

/**
 * What of a request could not be rated, with `rating-failed`: its context, which no rule knows, or
 * the units that it asks for or reports. Absent: what names the service, which no rule matches.
 */
export type Fault = 'context' | 'asked' | 'used';

/** The answer for one service. */
export interface ServiceAnswer {
  ratingGroup?: number;
  serviceIds: readonly number[];
  outcome: Outcome;
  fault?: Fault;
  granted?: { unit: Unit; units: number };
  validitySeconds?: number;
  holdingSeconds?: number;
  /** Final units: these are the last; what the client does when they are used up. */
  final?: Final;
  directives?: Directives;
  /** Units of other kinds granted beside. */
  beside?: Partial<Record<Unit, number>>;
  /** Store time in ms of a tariff change within the grant, and a dual quota's units after it. */
  tariffChange?: { at: number; after?: number };
  /**
   * The pool that the grant belongs to (RFC 8506 8.30). The multiplier takes the grant's unit, of
   * money the smallest, to the pool's; a dual quota's second part has its own.
   */
  pool?: Multiplier & { id: number; after?: Multiplier };
}

export interface Answer {
  outcome: Outcome;
  fault?: Fault;
  /** With `refused`: the Result-Code. */
  resultCode?: number;
  level: 'services' | 'command';
  services: readonly ServiceAnswer[];
  /** Money that the session, or the event, has cost so far. */
  cost?: number;
  /** Money that may still be promised; below zero: overdraft. */
  remaining?: number;
  lowBalance?: boolean;
  failureHandling?: 'terminate' | 'continue' | 'retry-and-terminate';
  debitFailureHandling?: 'terminate-or-buffer' | 'continue';
  /** Check-Balance-Result (RFC 8506 8.6). */
  enough?: boolean;
  /** Refund-Information: hands back exactly this debit, once (TS 32.299 7.2.171). */
  refundInformation?: Uint8Array;
}

/** What became of a service that is not served, and why. */
export type Refusal = Pick<ServiceAnswer, 'outcome' | 'fault'>;

/** Of an answer, only that. */
export function refused({ outcome, fault }: Refusal): Refusal {
  return fault === undefined ? { outcome } : { outcome, fault };
}

/** A request that is refused before its services is not looked at beyond its context. */
export function faultOf(refusal: Outcome): Fault | undefined {
  return refusal === 'rating-failed' ? 'context' : undefined;
}
