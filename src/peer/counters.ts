/** What a listener counts since it was made. Plain numbers, for whoever exports them. */
import type { PeerState } from './machine.ts';

export interface Counters {
  connectionsAccepted: number;
  /** Closed as they came, because `connections` was reached. */
  connectionsDropped: number;
  /** Capabilities exchanges that succeeded. */
  peersOpened: number;
  /** CERs answered with an error, and those rejected because the peer was open already. */
  peersRefused: number;
  /** Requests given to the application. */
  requests: number;
  /** Answers to them that were queued for their peer. */
  answers: number;
  /** Answers whose connection was gone (RFC 6733 5.5.4: the duplicate will ask again). */
  answersDropped: number;
  /** Requests answered here instead of by the application, by Result-Code. */
  refused: Record<number, number>;
  /** Handlers that failed; each was answered with 5012. */
  handlerFailures: number;
  /** Answers to nothing that we asked. */
  answersDiscarded: number;
  /** Byte streams that were no Diameter, or messages before the CER. */
  violations: number;
  /** Connections given up because the peer did not read or did not answer watchdogs. */
  givenUp: number;
  watchdogsSent: number;
  failovers: number;
}

export function zero(): Counters {
  return {
    connectionsAccepted: 0,
    connectionsDropped: 0,
    peersOpened: 0,
    peersRefused: 0,
    requests: 0,
    answers: 0,
    answersDropped: 0,
    refused: {},
    handlerFailures: 0,
    answersDiscarded: 0,
    violations: 0,
    givenUp: 0,
    watchdogsSent: 0,
    failovers: 0,
  };
}

/** The counters with what can be seen at this moment. */
export interface PeerStatistics extends Counters {
  /** Connections in each state of the peer machine. */
  states: Partial<Record<PeerState['name'], number>>;
  /** Requests that the application is busy with. */
  inFlight: number;
  /** Bytes that peers have not taken yet. */
  queuedBytes: number;
}
