/**
 * From a Credit-Control-Request to its answer: the path of every message.
 *
 *   decoded -> overloaded? -> identified? -> tenant -> charge -> CCA
 *                 3004         5xxx                      |
 *                                            busy: 3004, refused: the decoder's own answer
 *
 * A request that could not be decoded, or is not allowed, is charged all the same when it reports
 * usage of a session that can be told (RFC 8506 7, table 6). A one-time event reports nothing: it is
 * served whole or not at all.
 */
import { answerFailure } from '../diameter/answer.ts';
import type { Decoded, DecodedAs } from '../diameter/decode.ts';
import { encode } from '../diameter/encode.ts';
import { type Failure, failure } from '../diameter/failure.ts';
import { answerHeader } from '../diameter/header.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import { type AnswerableCCR, toCCA } from '../ro/answer.ts';
import { flawOf } from '../ro/flaw.ts';
import { identify, wellFormed } from '../ro/identify.ts';
import type { Charging } from './charge.ts';
import { NO_CURRENCY, type PeerOptions, type RequestConfiguration, received } from './received.ts';

/** A request as a connection hands it over; `answer` is to be called once. */
export interface Inbound {
  readonly decoded: Decoded;
  /** What the answer must say although the request is acted on as far as it was understood. */
  readonly failure: Failure | undefined;
  /** Who sent it: the client, or an agent. */
  readonly peer: { readonly originHost: string; readonly options: PeerOptions };
  /** Monotonic ms. */
  readonly receivedAt: number;
  answer(bytes: Buffer): void;
}

export interface GatewayOptions {
  charging: Charging;
  origin: { host: string; realm: string };
  /** The one that holds now; asked for once for each request. */
  configuration(): RequestConfiguration;
  /** Ends what an STR names, sub-sessions too; `unknown`: there is nothing. */
  abort(
    sessionId: string,
    options: { mayServe(tenant: string): boolean; deadline: number },
  ): Promise<'ended' | 'unknown' | 'busy'>;
  /** Requests charged at once; more are answered 3004. */
  maxInFlight: number;
  /** A request's time budget in ms. */
  deadlineMs: number;
  clock(): number;
  events: {
    /** Every answer, with its Result-Code and how long it took. */
    answered(kind: string, resultCode: number, ms: number): void;
    /** An assertion failed while one request was served. */
    defect(error: unknown): void;
  };
}

export class Gateway {
  readonly #options: GatewayOptions;
  #inFlight = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** Requests that are being charged. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Answers one request; never rejects, whatever happens. */
  async handle(inbound: Inbound): Promise<void> {
    const { maxInFlight, events } = this.#options;
    if (this.#inFlight >= maxInFlight) {
      this.#fail(inbound, failure('DIAMETER_TOO_BUSY', 'too many requests in flight'));
      return;
    }
    this.#inFlight++;
    try {
      await this.#serve(inbound);
    } catch (error) {
      events.defect(error);
      this.#fail(inbound, failure('DIAMETER_UNABLE_TO_COMPLY', 'internal error'));
    } finally {
      this.#inFlight--;
    }
  }

  #serve(inbound: Inbound): Promise<void> | undefined {
    const { decoded } = inbound;
    if (decoded.name === 'CCR') return this.#creditControl(inbound, decoded);
    if (decoded.name === 'STR') return this.#sessionTermination(inbound, decoded);
    this.#fail(
      inbound,
      failure('DIAMETER_COMMAND_UNSUPPORTED', 'not a request to this application'),
    );
    return undefined;
  }

  async #creditControl(inbound: Inbound, decoded: DecodedAs<'CCR'>): Promise<void> {
    const identified = identify(decoded.message);
    const flaw = inbound.failure ?? flawOf(decoded.message);
    if (identified === undefined)
      return this.#fail(inbound, flaw ?? failure('DIAMETER_UNABLE_TO_COMPLY', 'not to be told'));
    const { kind } = identified;
    // Nothing was used yet, so nothing is lost with a request that is refused.
    if (flaw !== undefined && (flaw.eBit || kind === 'initial' || kind === 'event'))
      return this.#fail(inbound, flaw);
    const { charging, deadlineMs, origin } = this.#options;
    const configuration = this.#options.configuration();
    const incoming = received({
      ccr: decoded.message,
      information: decoded.raw.serviceInformation,
      identified,
      flaw,
      peer: inbound.peer,
      configuration,
    });
    const charged = await charging.charge(incoming, inbound.receivedAt + deadlineMs);
    if (charged.kind === 'busy')
      return this.#fail(inbound, failure('DIAMETER_TOO_BUSY', 'the store cannot be reached'));
    const { answer, tenant } = charged;
    if (flaw !== undefined) return this.#fail(inbound, flaw);
    const currency = tenant === undefined ? undefined : configuration.currencyOf(tenant);
    const { finalUnits } = inbound.peer.options;
    const cca = toCCA(answer, {
      ccr: decoded.message as AnswerableCCR,
      origin,
      currency: currency ?? NO_CURRENCY,
      finalUnits,
    });
    const bytes = encode('CCA', answerHeader(decoded.header), cca, decoded.raw);
    this.#answered(inbound, kind, cca['Result-Code']);
    inbound.answer(bytes);
  }

  /** In credit control a session ends by its CCR; a client that sends STR is taken at its word. */
  async #sessionTermination(inbound: Inbound, decoded: DecodedAs<'STR'>): Promise<void> {
    const sessionId = decoded.message['Session-Id'];
    if (inbound.failure !== undefined || sessionId === undefined)
      return this.#fail(inbound, inbound.failure ?? failure('DIAMETER_MISSING_AVP', 'Session-Id'));
    const { abort, origin, deadlineMs } = this.#options;
    const { tenants } = inbound.peer.options;
    const ended = await abort(wellFormed(sessionId), {
      mayServe: (tenant) => tenants?.includes(tenant) ?? true,
      deadline: inbound.receivedAt + deadlineMs,
    });
    if (ended === 'busy')
      return this.#fail(inbound, failure('DIAMETER_TOO_BUSY', 'the store cannot be reached'));
    const resultCode =
      ended === 'ended' ? resultCodes.DIAMETER_SUCCESS : resultCodes.DIAMETER_UNKNOWN_SESSION_ID;
    this.#answered(inbound, 'session-termination', resultCode);
    inbound.answer(
      encode(
        'STA',
        answerHeader(decoded.header),
        {
          'Session-Id': sessionId,
          'Result-Code': resultCode,
          'Origin-Host': origin.host,
          'Origin-Realm': origin.realm,
        },
        decoded.raw,
      ),
    );
  }

  #fail(inbound: Inbound, what: Failure): void {
    const bytes = answerFailure(inbound.decoded, this.#options.origin, what);
    this.#answered(inbound, 'failure', what.resultCode);
    if (bytes !== undefined) inbound.answer(bytes);
  }

  #answered({ receivedAt }: Inbound, kind: string, resultCode: number): void {
    const { events, clock } = this.#options;
    events.answered(kind, resultCode, clock() - receivedAt);
  }
}
