/** What a session answers: outcomes in the core's words; `ro/` turns them into Result-Codes. */
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
  | 'credit-limit-reached'; /* 4012 */

/** The answer for one service. */
export interface ServiceAnswer {
  ratingGroup?: number;
  serviceIds: readonly number[];
  outcome: Outcome;
  granted?: { unit: Unit; units: number };
  validitySeconds?: number;
  holdingSeconds?: number;
  /** Final units: these are the last; what the client does when they are used up. */
  final?: 'terminate';
}

export interface Answer {
  outcome: Outcome;
  /** With `refused`: the Result-Code. */
  resultCode?: number;
  level: 'services' | 'command';
  services: readonly ServiceAnswer[];
}
