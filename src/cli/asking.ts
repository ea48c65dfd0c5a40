/** What commands have in common that want something of a session or its client. */
import type { Settings } from '../config.ts';
import { type AskOptions, askClientsOf } from '../engine/reauthorise.ts';
import { TollkeeperError } from '../errors.ts';
import type { AskClients } from '../provisioning/apply.ts';
import type { Store } from '../store/store.ts';
import { word } from '../values.ts';
import { chargeSettingsOf } from './serve.ts';

/** How long such a command tries to agree with the store; then it says what it knows. */
export const ASKING_MS = 10_000;

/** The settings that `askingOn` reads. */
export const askingSettings = [
  'answerWindow',
  'tombstoneSeconds',
  'abandonedTombstoneSeconds',
  'duplicateHorizonSeconds',
] as const;

export const subSessionFlag = {
  kind: word('N'),
  description: 'Only this CC-Sub-Session-Id. Default: all that the Session-Id has.',
};

/** What a wish for a client is committed with. No plan is needed for it, so none is looked up. */
export function askingOn(store: Store, settings: Settings): AskOptions {
  return { store, settings: chargeSettingsOf(settings), clock: () => performance.now() };
}

/** How clients of accounts that get another plan are asked. */
export function askingForPlan(store: Store, settings: Settings): AskClients {
  const options = askingOn(store, settings);
  return (account) =>
    askClientsOf(options, account, { reason: 'plan', deadline: performance.now() + ASKING_MS });
}

/** What went wrong with a session that was named; `busy` may still have been stored. */
export function sessionFailure(outcome: 'unknown' | 'busy', session: string): TollkeeperError {
  return outcome === 'unknown'
    ? new TollkeeperError('SESSION_UNKNOWN', { session })
    : new TollkeeperError('STORE_OUTCOME_UNKNOWN', { reason: 'the time ran out' });
}
