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

/** What became of a request of ours. */
export type OutgoingResult =
  | { answer: Decoded; endToEnd: number }
  /** `endToEnd` is what the same request must carry when it is sent again, with T set. */
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

  /** `retransmissionOf` is the End-to-End Identifier of an earlier attempt; T is set then. */
  ask<Name extends OutgoingCommand>(
    command: Name,
    message: Messages[Name],
    options: { deadlineAt: number; retransmissionOf: number | undefined; noAnswer?: NoAnswer },
  ): Promise<OutgoingResult> {
    const { deadlineAt, retransmissionOf, noAnswer } = options;
    const endToEnd = retransmissionOf ?? this.#nextEndToEnd();
    if (noAnswer) return Promise.resolve({ noAnswer, endToEnd });
    const { 'Auth-Application-Id': applicationId }: { 'Auth-Application-Id': number } = message;
    const retransmitted = retransmissionOf !== undefined;
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
