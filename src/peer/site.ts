/** What the connections of one listener share: its settings, its counters, whom they tell. */
import type { Origin } from '../diameter/answer.ts';
import type { Connection } from './connection.ts';
import type { Counters } from './counters.ts';
import type { Local } from './dispatch.ts';
import type { IncomingRequest } from './incoming.ts';
import type { Admit } from './policy.ts';
import type { PeerSettings } from './settings.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What the application and the operator are told. None of these may take long. */
export interface PeerHooks<Options> {
  /** Each request must be answered; one whose handler throws or rejects gets 5012. */
  onRequest: (request: IncomingRequest<Options>) => void | Promise<void>;
  onPeerOpen?: (connection: Connection<Options>) => void;
  /** For every connection that was open once. */
  onPeerClose?: (connection: Connection<Options>, reason: CloseReason) => void;
  onViolation?: (violation: { remoteAddress: string; reason: string }) => void;
  /** Never given the contents of AVPs, besides the identities of peers. */
  log?: (level: LogLevel, event: string, fields: Record<string, unknown>) => void;
}

export type CloseReason =
  | 'peer closed'
  | 'peer left'
  | 'we left'
  | 'refused'
  | 'no capabilities exchange'
  | 'violation'
  | 'watchdog'
  | 'peer does not read'
  | 'transport failed'
  | 'defect';

export interface Site<Options> {
  settings: PeerSettings<Options>;
  hooks: PeerHooks<Options>;
  counters: Counters;
  local: Local;
  origin: Origin;
  admit: Admit<Options>;
  nextEndToEnd: () => number;
  /** Connections on which this peer is open. */
  openOf: (originHost: string) => readonly Connection<Options>[];
}
