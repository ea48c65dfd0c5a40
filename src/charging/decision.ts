/** What a decision is made on, and what it says is to be stored and answered. */
import type { Account } from './account.ts';
import type { Answer } from './answer.ts';
import type { Movement } from './draft.ts';
import type { Plan } from './plan.ts';
import type { ChargingRecord } from './record.ts';
import type { Session } from './session.ts';

export interface StepSettings {
  /** Answers kept in a session. */
  answerWindow: number;
  /** How long a session that its client ended answers duplicates and late usage. */
  endedMs: number;
  /** The same for one that supervision, an abort or an error ended. */
  abandonedMs: number;
}

/** What a decision is made on. */
export interface Known {
  now: number;
  session: Session | undefined;
  account: Account;
  plan: Plan;
  /** The account was read for this decision; a hint may grant but never refuse. */
  fresh: boolean;
  /** False after repeated conflicts: usage is debited and nothing is reserved. */
  reserving: boolean;
  /** After repeated shortages: usage beyond its grant goes to the last bucket, which takes all. */
  lastOnly?: boolean;
  settings: StepSettings;
}

export type Decision =
  /** Nothing to store. */
  | { kind: 'answer'; answer: Answer; alarm?: 'number-reused' }
  /** The decision would refuse on a hint: read the account and step again. */
  | { kind: 'reread' }
  | Change;

/** What is to be stored before the answer goes out. */
export interface Change {
  kind: 'change';
  answer: Answer;
  session: Session;
  /** How the session's place in the indexes changes. */
  index: 'open' | 'close' | 'keep';
  timer: number | 'keep' | 'remove';
  /** A closed session's time to live; `keep`: the one it has. */
  ttlMs?: number | 'keep';
  movements: readonly Movement[];
  record: ChargingRecord;
}
