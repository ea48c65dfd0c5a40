/**
 * Requests of ours on one connection: DWR and DPR, which the state machines supervise, and those of
 * the application. RFC 6733 3 (identifiers), 5.4.1, 5.5.1, 8.3.1, 8.5.1.
 */
import type { Origin } from '../diameter/answer.ts';
import type { Messages } from '../diameter/commands.ts';
import type { Decoded } from '../diameter/decode.ts';
import { encode } from '../diameter/encode.ts';
import type { OutgoingHeader } from '../diameter/header.ts';
import { hopByHopIds } from './identifiers.ts';
import { type NoAnswer, type PendingRequest, PendingRequests } from './pending.ts';

/** The requests that a server sends to a client of its application. */
export type OutgoingCommand = 'RAR' | 'ASR';

/** How a request of ours is told from others, and from itself when it is sent again (RFC 6733 3). */
export interface RequestIds {
  /** Absent: a fresh one is taken. */
  endToEnd?: number;
  /** Sent before, or maybe: sets the T flag. */
  retransmitted?: boolean;
}

/** What became of a request of ours. */
export type OutgoingResult =
  | { answer: Decoded; endToEnd: number }
  | { noAnswer: NoAnswer; endToEnd: number };

/** Disconnect-Cause, RFC 6733 5.4.3. */
export const disconnectCauses = { rebooting: 0, busy: 1, 'not wanted': 2 } as const;
export type DisconnectCause = keyof typeof disconnectCauses;

const codes = { RAR: 258, ASR: 274, DWR: 280, DPR: 282 } as const;

export class OutgoingRequests {
  readonly pending: PendingRequests;
  readonly #send: (bytes: Buffer) => void;
  readonly #origin: Origin;
  readonly #nextHopByHop: (taken: (id: number) => boolean) => number;
  readonly #nextEndToEnd: () => number;

  constructor(
    send: (bytes: Buffer) => void,
    options: {
      origin: Origin;
      limit: number;
      random: () => number;
      nextEndToEnd: () => number;
    },
  ) {
    this.pending = new PendingRequests(options.limit);
    this.#send = send;
    this.#origin = options.origin;
    this.#nextHopByHop = hopByHopIds(options.random);
    this.#nextEndToEnd = options.nextEndToEnd;
  }

  /** A request that was sent before has its End-to-End Identifier again, and T set. */
  ask<Name extends OutgoingCommand>(
    command: Name,
    message: Messages[Name],
    options: { deadlineAt: number; noAnswer?: NoAnswer } & RequestIds,
  ): Promise<OutgoingResult> {
    const { deadlineAt, noAnswer, retransmitted = false } = options;
    const { endToEnd = this.#nextEndToEnd() } = options;
    if (noAnswer) return Promise.resolve({ noAnswer, endToEnd });
    const { 'Auth-Application-Id': applicationId }: { 'Auth-Application-Id': number } = message;
    return new Promise((resolve) => {
      this.#request(
        command,
        message,
        { applicationId, proxiable: true, endToEnd, retransmitted },
        {
          command: codes[command],
          deadlineAt,
          answered: (answer) => resolve({ answer, endToEnd }),
          failed: (why) => resolve({ noAnswer: why, endToEnd }),
        },
      );
    });
  }

  sendDWR(answered: () => void): void {
    const { host, realm, stateId } = this.#origin;
    const state = stateId === undefined ? {} : { 'Origin-State-Id': stateId };
    this.#base('DWR', { 'Origin-Host': host, 'Origin-Realm': realm, ...state }, answered);
  }

  sendDPR(cause: DisconnectCause, answered: () => void): void {
    const { host, realm } = this.#origin;
    const message = {
      'Origin-Host': host,
      'Origin-Realm': realm,
      'Disconnect-Cause': disconnectCauses[cause],
    };
    this.#base('DPR', message, answered);
  }

  /** RFC 6733 2.5: application 0, never proxiable. */
  #base<Name extends 'DWR' | 'DPR'>(
    command: Name,
    message: Messages[Name],
    answered: () => void,
  ): void {
    const header = { applicationId: 0, endToEnd: this.#nextEndToEnd() };
    this.#request(command, message, header, {
      command: codes[command],
      deadlineAt: undefined,
      answered,
      failed: () => {},
    });
  }

  #request<Name extends OutgoingCommand | 'DWR' | 'DPR'>(
    command: Name,
    message: Messages[Name],
    header: Omit<OutgoingHeader, 'hopByHop'>,
    pending: PendingRequest,
  ): void {
    const hopByHop = this.#nextHopByHop((id) => this.pending.has(id));
    const bytes = encode(command, { ...header, hopByHop }, message);
    this.pending.add(hopByHop, pending);
    this.#send(bytes);
  }
}
