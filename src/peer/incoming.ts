/**
 * A request on its way through the application: who sent it, when, and the one answer that it gets
 * whatever happens to its handler.
 */
import type { Decoded } from '../diameter/decode.ts';
import type { Failure } from '../diameter/failure.ts';
import type { Connection } from './connection.ts';

/** Who is at the other end, as its CER told and the policy admitted it. */
export interface Peer<Options> {
  originHost: string;
  originRealm: string;
  /** All applications that it advertised; the relay's 0xFFFFFFFF stands for every one. */
  applications: readonly number[];
  originStateId: number | undefined;
  productName: string;
  strict: boolean;
  options: Options;
}

export class IncomingRequest<Options> {
  readonly decoded: Decoded;
  /**
   * The error that the answer must carry although the request is to be acted on as far as it was
   * understood: what the decoder met, or a route that is not acceptable.
   */
  readonly failure: Failure | undefined;
  readonly peer: Peer<Options>;
  readonly connection: Connection<Options>;
  /** Monotonic milliseconds at which its last octet was here. */
  readonly receivedAt: number;
  #answered = false;

  constructor(
    connection: Connection<Options>,
    peer: Peer<Options>,
    request: { decoded: Decoded; failure: Failure | undefined; receivedAt: number },
  ) {
    this.connection = connection;
    this.peer = peer;
    this.decoded = request.decoded;
    this.failure = request.failure;
    this.receivedAt = request.receivedAt;
  }

  get answered(): boolean {
    return this.#answered;
  }

  /**
   * Queues the encoded answer. It is counted and dropped when the connection is gone (the peer asks
   * again elsewhere). A second answer is a defect and throws.
   */
  answer(bytes: Buffer): void {
    if (this.#answered) throw new Error('a request was answered twice');
    this.#answered = true;
    this.connection.sendAnswer(bytes);
  }
}
