/**
 * One connection to one peer: the socket around the two state machines. Bytes come in, are framed
 * and decoded; the base protocol's own messages are dealt with here, requests of the application
 * are handed on, answers are queued. Nothing that goes wrong here reaches another connection.
 */
import type { Socket } from 'node:net';
import { answerFailure, type Origin } from '../diameter/answer.ts';
import type { Messages } from '../diameter/commands.ts';
import { type Decoded, type DecodedAs, decode } from '../diameter/decode.ts';
import { encode } from '../diameter/encode.ts';
import { type Failure, failure } from '../diameter/failure.ts';
import { Framer, type Violation } from '../diameter/framer.ts';
import { answerHeader, type OutgoingHeader } from '../diameter/header.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import { composeCEA, judgeCER, RELAY } from './capabilities.ts';
import type { Counters } from './counters.ts';
import { dispatch, type Local } from './dispatch.ts';
import { hopByHopIds } from './identifiers.ts';
import { IncomingRequest, type Peer } from './incoming.ts';
import {
  accepted,
  deadlineOf,
  type PeerAction,
  type PeerEvent,
  type PeerState,
  step,
} from './machine.ts';
import { Outbox } from './outbox.ts';
import { type NoAnswer, type PendingRequest, PendingRequests } from './pending.ts';
import type { Admit } from './policy.ts';
import type { PeerSettings } from './settings.ts';
import { connectionUp, stepWatchdog, type Watchdog, type WatchdogEvent } from './watchdog.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What the application and the operator are told. None of these may take long. */
export interface PeerHooks<Options> {
  onRequest: (request: IncomingRequest<Options>) => void | Promise<void>;
  onPeerOpen?: (connection: Connection<Options>) => void;
  onPeerClose?: (connection: Connection<Options>, reason: CloseReason) => void;
  onViolation?: (violation: { remoteAddress: string; reason: string }) => void;
  /** Never given the contents of AVPs, besides the identities of peers. */
  log?: (level: LogLevel, event: string, fields: Record<string, unknown>) => void;
}

/** What a connection shares with the others of its listener. */
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

export type CloseReason =
  | 'peer closed'
  | 'peer left'
  | 'we left'
  | 'refused'
  | 'no capabilities exchange'
  | 'violation'
  | 'watchdog'
  | 'peer does not read'
  | 'transport failed';

/** Disconnect-Cause, RFC 6733 5.4.3. */
export const disconnectCauses = { rebooting: 0, busy: 1, 'not wanted': 2 } as const;
export type DisconnectCause = keyof typeof disconnectCauses;

/** The requests that a server sends to a client of its application (RFC 6733 8.3, 8.5). */
export type OutgoingCommand = 'RAR' | 'ASR';

/** What became of a request of ours. */
export type OutgoingResult =
  | { answer: Decoded; endToEnd: number }
  /** `endToEnd` is what the same request must carry when it is sent again, with T set. */
  | { noAnswer: NoAnswer; endToEnd: number };

const codes = { RAR: 258, ASR: 274, DWR: 280, DPR: 282 } as const;
const MESSAGE: PeerEvent = { kind: 'message' };
const SECOND_CER = failure('DIAMETER_UNABLE_TO_COMPLY', 'capabilities are exchanged already');
const TOO_BUSY = failure('DIAMETER_TOO_BUSY', 'too many requests in flight');
const DEFECT = failure('DIAMETER_UNABLE_TO_COMPLY', 'internal error');

export class Connection<Options> {
  /** Unique within its listener. */
  readonly id: number;
  readonly remoteAddress: string;
  readonly #socket: Socket;
  readonly #site: Site<Options>;
  readonly #outbox: Outbox;
  readonly #framer: Framer;
  readonly #pending: PendingRequests;
  readonly #nextHopByHop: (taken: (id: number) => boolean) => number;
  #state: PeerState;
  #watchdog: Watchdog | undefined;
  #peer: Peer<Options> | undefined;
  #inFlight = 0;
  /** The CER, DWR, DPR or application request that the machine is stepping on, and when it came. */
  #request: Decoded | undefined;
  #receivedAt = 0;
  #cea: Buffer | undefined;
  #dpr: Decoded | undefined;
  #disconnectCause: DisconnectCause = 'rebooting';
  #pausedAt: number | undefined;
  #timer: { at: number; cancel: () => void } | undefined;
  #reason: CloseReason | undefined;

  constructor(id: number, socket: Socket, site: Site<Options>) {
    const { settings } = site;
    this.id = id;
    this.remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#socket = socket;
    this.#site = site;
    this.#outbox = new Outbox(socket, settings.clock, this.#written);
    this.#framer = new Framer(this.#handle, {
      maxFrameBytes: settings.limits.frameBytes,
    });
    this.#pending = new PendingRequests(settings.limits.pending);
    this.#nextHopByHop = hopByHopIds(settings.random);
    this.#state = accepted(this.#now(), settings.timeouts);
    socket.setNoDelay(true);
    socket.on('data', this.#received);
    socket.on('end', () => this.#step({ kind: 'peer-disc' }, 'peer closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reason ??= 'transport failed';
      this.#log('debug', 'transport failed', { code: error.code });
    });
    socket.on('close', this.#gone);
    this.#arm();
  }

  /** The peer, once its capabilities are known and accepted. */
  get peer(): Peer<Options> | undefined {
    return this.#peer;
  }

  get state(): PeerState['name'] {
    return this.#state.name;
  }

  /** Whether requests of ours may be sent: open, and not in doubt. */
  get usable(): boolean {
    return this.#state.name === 'open' && this.#watchdog?.status === 'okay';
  }

  /** Requests that the application has not answered yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Octets that the peer has not taken yet. */
  get queuedBytes(): number {
    return this.#outbox.queuedBytes;
  }

  /**
   * Sends a request of ours, with T set when `retransmissionOf` names the End-to-End Identifier of an
   * earlier attempt on another connection. Resolves with the answer, or with why there is none; it
   * is never sent a second time from here.
   */
  request<Name extends OutgoingCommand>(
    command: Name,
    message: Messages[Name],
    options: { timeoutMs: number; retransmissionOf?: number },
  ): Promise<OutgoingResult> {
    const endToEnd = options.retransmissionOf ?? this.#site.nextEndToEnd();
    const { 'Auth-Application-Id': applicationId }: { 'Auth-Application-Id': number } = message;
    const noAnswer = this.#whyNot(applicationId);
    if (noAnswer) return Promise.resolve({ noAnswer, endToEnd });
    return new Promise((resolve) => {
      this.#sendRequest(
        command,
        message,
        {
          applicationId,
          proxiable: true,
          endToEnd,
          retransmitted: options.retransmissionOf !== undefined,
        },
        {
          command: codes[command],
          deadlineAt: this.#now() + options.timeoutMs,
          answered: (answer) => resolve({ answer, endToEnd }),
          failed: (why) => resolve({ noAnswer: why, endToEnd }),
        },
      );
      this.#arm();
    });
  }

  /** Ends the connection in order: DPR, requests in flight answered, DPA awaited, closed. */
  leave(cause: DisconnectCause): void {
    this.#disconnectCause = cause;
    this.#step({ kind: 'stop' }, 'we left');
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#step({ kind: 'give-up' }, 'we left');
  }

  /** Asks for a sign of life now instead of when the watchdog's interval is over. */
  probe(): void {
    this.#stepWatchdog('probe');
  }

  /** For `IncomingRequest.answer`: one request in flight is done. */
  sendAnswer(bytes: Buffer): void {
    this.#inFlight -= 1;
    if (this.#over) {
      this.#site.counters.answersDropped += 1;
      return;
    }
    this.#site.counters.answers += 1;
    this.#push(bytes);
    if (this.#inFlight === 0 && this.#state.name !== 'open') this.#step({ kind: 'idle' });
  }

  /** Nothing can be sent any more. */
  get #over(): boolean {
    return this.#state.name === 'closed' || this.#state.name === 'disconnecting';
  }

  readonly #received = (chunk: Buffer): void => {
    this.#receivedAt = this.#now();
    const violation = this.#framer.push(chunk);
    if (violation) this.#violated(violation);
    else if (this.#outbox.queuedBytes > this.#site.settings.limits.pauseBytes) this.#pause();
  };

  readonly #handle = (frame: Buffer): void => {
    const decoded = decode(frame, { strict: this.#peer?.strict ?? false });
    if (!decoded.header.request) {
      this.#answerArrived(decoded);
      return;
    }
    this.#stepWatchdog('receive');
    this.#request = decoded;
    switch (decoded.name) {
      case 'CER':
        this.#step({ kind: 'cer', verdict: this.#judge(decoded) }, 'refused');
        break;
      case 'DWR':
        this.#step({ kind: 'dwr' }, 'no capabilities exchange');
        break;
      case 'DPR':
        this.#dpr = decoded;
        this.#step(
          { kind: 'dpr', flawed: decoded.failure !== undefined, inFlight: this.#inFlight },
          'peer left',
        );
        break;
      default:
        this.#step(MESSAGE, 'no capabilities exchange');
    }
  };

  /** RFC 6733 6.2.1: an answer to nothing that we asked is dropped, and never answered. */
  #answerArrived(answer: Decoded): void {
    const { hopByHop, code } = answer.header;
    const request = this.#pending.take(hopByHop, code);
    this.#stepWatchdog(request?.command === codes.DWR ? 'receive-dwa' : 'receive');
    if (request) {
      request.answered(answer);
      return;
    }
    this.#site.counters.answersDiscarded += 1;
    if (this.#state.name === 'wait-cer') this.#step(MESSAGE, 'no capabilities exchange');
  }

  /** Framing is lost. Where the octets still show a request, its answer says so: 5015. */
  #violated(violation: Violation): void {
    this.#site.counters.violations += 1;
    this.#log('warn', 'violation', { reason: violation.message });
    this.#guard(() =>
      this.#site.hooks.onViolation?.({
        remoteAddress: this.remoteAddress,
        reason: violation.message,
      }),
    );
    this.#request = violation.frame && decode(violation.frame);
    const answerable = this.#request?.header.request === true;
    this.#step({ kind: 'violation', answerable }, 'violation');
  }

  #step(event: PeerEvent, reason?: CloseReason): void {
    const before = this.#state.name;
    const { state, actions } = step(this.#state, event, this.#now(), this.#site.settings.timeouts);
    this.#state = state;
    if (state.name !== before) {
      if (state.name !== 'open') this.#reason ??= reason;
      if (before === 'open') this.#stepWatchdog('connection-down');
    }
    for (const action of actions) this.#perform(action);
    if (state.name !== before) this.#arm();
  }

  #perform(action: PeerAction): void {
    switch (action) {
      case 'process':
        this.#process(this.#request!);
        break;
      case 'send-cea':
        this.#push(this.#cea!);
        break;
      case 'open':
        this.#open();
        break;
      case 'refuse-cer':
        this.#refuse(this.#request!, SECOND_CER);
        break;
      case 'send-failure':
        this.#refuse(this.#request!, this.#request!.failure!);
        break;
      case 'send-dwa':
        this.#answerDWR(this.#request!);
        break;
      case 'send-dpr':
        this.#sendDPR();
        break;
      case 'send-dpa':
        this.#answerDPR(this.#dpr!);
        break;
      case 'disconnect':
        // What still comes is thrown away, up to the peer's own end.
        this.#framer.stop();
        this.#pausedAt = undefined;
        this.#socket.resume();
        this.#outbox.end();
        break;
      case 'abort':
        this.#framer.stop();
        this.#socket.resetAndDestroy();
        break;
    }
  }

  /** The verdict on a CER; its CEA is ready when there is to be one. */
  #judge(decoded: DecodedAs<'CER'>): 'accept' | 'refuse' | 'reject' {
    if (this.#state.name !== 'wait-cer') return 'refuse';
    const { settings, admit, counters, openOf } = this.#site;
    const judgement = judgeCER(decoded, settings.applications, admit);
    const refused = 'refused' in judgement ? judgement.refused : undefined;
    const { localAddress } = this.#socket;
    this.#cea = composeCEA(decoded, { ...settings, localAddress }, refused);
    if ('refused' in judgement) {
      counters.peersRefused += 1;
      this.#log('warn', 'peer refused', {
        originHost: decoded.message['Origin-Host'],
        resultCode: judgement.refused.resultCode,
        reason: judgement.refused.errorMessage,
      });
      return 'refuse';
    }
    const { capabilities, admission } = judgement;
    if (admission.single && !this.#replaces(openOf(capabilities.originHost))) {
      counters.peersRefused += 1;
      this.#log('warn', 'peer is open already', { originHost: capabilities.originHost });
      return 'reject';
    }
    this.#peer = {
      ...capabilities,
      strict: admission.strict ?? false,
      options: admission.options,
    };
    return 'accept';
  }

  /**
   * Whether this connection may take the place of a peer's others: only of dead ones. Those not known
   * to be dead are asked, so that a peer that lost its connection is let in when it tries again.
   */
  #replaces(others: readonly Connection<Options>[]): boolean {
    for (const other of others) {
      if (other.usable) other.probe();
      else other.destroy();
    }
    return !others.some((other) => other.state === 'open');
  }

  #open(): void {
    this.#watchdog = connectionUp(this.#now(), this.#site.settings);
    this.#site.counters.peersOpened += 1;
    const { originHost, originRealm, applications, productName } = this.#peer!;
    this.#log('info', 'peer open', { originHost, originRealm, applications, productName });
    this.#guard(() => this.#site.hooks.onPeerOpen?.(this));
  }

  #process(decoded: Decoded): void {
    const { counters, settings, local, hooks } = this.#site;
    const disposition = dispatch(decoded, local);
    if (disposition.to === 'peer') {
      this.#refuse(decoded, disposition.failure);
      return;
    }
    if (this.#inFlight >= settings.limits.inFlight) {
      this.#refuse(decoded, TOO_BUSY);
      return;
    }
    this.#inFlight += 1;
    counters.requests += 1;
    const request = new IncomingRequest(this, this.#peer!, {
      decoded,
      failure: disposition.failure,
      receivedAt: this.#receivedAt,
    });
    try {
      const working = hooks.onRequest(request);
      if (working) working.catch((error) => this.#handlerFailed(request, error));
    } catch (error) {
      this.#handlerFailed(request, error);
    }
  }

  /** A defect costs the one request that it met: 5012 instead of silence. */
  #handlerFailed(request: IncomingRequest<Options>, error: unknown): void {
    this.#site.counters.handlerFailures += 1;
    this.#log('error', 'request failed', { error: String(error) });
    if (request.answered) return;
    request.answer(answerFailure(request.decoded, this.#site.origin, DEFECT)!);
  }

  #refuse(request: Decoded, refusal: Failure): void {
    const { refused } = this.#site.counters;
    refused[refusal.resultCode] = (refused[refusal.resultCode] ?? 0) + 1;
    this.#push(answerFailure(request, this.#site.origin, refusal)!);
  }

  #answerDWR(request: Decoded): void {
    if (request.failure) {
      this.#refuse(request, request.failure);
      return;
    }
    const success = { 'Result-Code': resultCodes.DIAMETER_SUCCESS };
    const message = { ...success, ...this.#origin(), ...this.#stateId() };
    this.#push(encode('DWA', answerHeader(request.header), message));
  }

  #answerDPR(request: Decoded): void {
    if (request.failure) {
      this.#refuse(request, request.failure);
      return;
    }
    const success = { 'Result-Code': resultCodes.DIAMETER_SUCCESS };
    this.#push(encode('DPA', answerHeader(request.header), { ...success, ...this.#origin() }));
  }

  #sendDWR(): void {
    this.#site.counters.watchdogsSent += 1;
    this.#sendBase('DWR', { ...this.#origin(), ...this.#stateId() }, () => {});
  }

  #sendDPR(): void {
    const message = {
      ...this.#origin(),
      'Disconnect-Cause': disconnectCauses[this.#disconnectCause],
    };
    this.#sendBase('DPR', message, () => this.#step({ kind: 'dpa', inFlight: this.#inFlight }));
  }

  /** A request that the state machines supervise: it has no deadline of its own. */
  #sendBase<Name extends 'DWR' | 'DPR'>(
    command: Name,
    message: Messages[Name],
    answered: () => void,
  ): void {
    const header = { applicationId: 0, endToEnd: this.#site.nextEndToEnd() };
    this.#sendRequest(command, message, header, {
      command: codes[command],
      deadlineAt: undefined,
      answered,
      failed: () => {},
    });
  }

  #sendRequest<Name extends OutgoingCommand | 'DWR' | 'DPR'>(
    command: Name,
    message: Messages[Name],
    header: Omit<OutgoingHeader, 'hopByHop'>,
    pending: PendingRequest,
  ): void {
    const hopByHop = this.#nextHopByHop((id) => this.#pending.has(id));
    this.#pending.add(hopByHop, pending);
    this.#push(encode(command, { ...header, hopByHop }, message));
  }

  #whyNot(application: number): NoAnswer | undefined {
    if (this.#state.name !== 'open') return 'closed';
    if (this.#watchdog?.status !== 'okay') return 'suspect';
    if (this.#pending.full) return 'full';
    // RFC 6733 5.3: only what the peer advertised is sent to it.
    const { applications } = this.#peer!;
    const supported = applications.includes(application) || applications.includes(RELAY);
    return supported ? undefined : 'unsupported';
  }

  #origin() {
    const { host, realm } = this.#site.origin;
    return { 'Origin-Host': host, 'Origin-Realm': realm };
  }

  #stateId() {
    const { stateId } = this.#site.origin;
    return stateId === undefined ? {} : { 'Origin-State-Id': stateId };
  }

  #push(bytes: Buffer): void {
    this.#outbox.push(bytes);
    const { limitBytes } = this.#site.settings.limits;
    if (this.#outbox.queuedBytes > limitBytes) this.#giveUp('peer does not read');
  }

  #giveUp(reason: CloseReason): void {
    this.#site.counters.givenUp += 1;
    this.#log('warn', 'connection given up', { reason });
    this.#step({ kind: 'give-up' }, reason);
  }

  /** Nothing more is read from a peer that does not read its answers. */
  #pause(): void {
    if (this.#over || this.#pausedAt !== undefined) return;
    this.#pausedAt = this.#now();
    this.#socket.pause();
    this.#arm();
  }

  readonly #written = (): void => {
    const { pauseBytes } = this.#site.settings.limits;
    if (this.#pausedAt === undefined || this.#outbox.queuedBytes > pauseBytes / 2) return;
    this.#pausedAt = undefined;
    this.#socket.resume();
  };

  #stepWatchdog(event: WatchdogEvent): void {
    if (!this.#watchdog) return;
    const { watchdog, action } = stepWatchdog(
      this.#watchdog,
      event,
      this.#now(),
      this.#site.settings,
    );
    this.#watchdog = watchdog;
    switch (action) {
      case 'send-dwr':
        this.#sendDWR();
        break;
      case 'failover':
        this.#failOver(event === 'connection-down' ? 'closed' : 'suspect');
        break;
      case 'failback':
        this.#log('info', 'peer is back', {});
        break;
      case 'close':
        this.#giveUp('watchdog');
        break;
    }
  }

  #failOver(why: NoAnswer): void {
    if (why === 'suspect') {
      this.#site.counters.failovers += 1;
      this.#log('warn', 'peer is suspect', {});
    }
    this.#pending.failOver(why);
  }

  /** One timer serves everything that waits; it is set anew only when something is due earlier. */
  #arm(): void {
    const at = this.#nextDue();
    if (this.#timer && at !== undefined && this.#timer.at <= at) return;
    this.#timer?.cancel();
    this.#timer = undefined;
    if (at === undefined) return;
    const delayMs = Math.max(0, at - this.#now());
    this.#timer = { at, cancel: this.#site.settings.clock.after(delayMs, this.#due) };
  }

  #nextDue(): number | undefined {
    if (this.#state.name === 'closed') return undefined;
    const watchdogAt = this.#state.name === 'open' ? this.#watchdog?.expiresAt : undefined;
    const at = Math.min(
      deadlineOf(this.#state) ?? Infinity,
      watchdogAt ?? Infinity,
      this.#stalledAt() ?? Infinity,
      this.#pending.nextDeadline() ?? Infinity,
    );
    return at === Infinity ? undefined : at;
  }

  /** When a peer that is not read any more has taken nothing for too long. */
  #stalledAt(): number | undefined {
    if (this.#pausedAt === undefined) return undefined;
    const since = Math.max(this.#pausedAt, this.#outbox.writingSince ?? 0);
    return since + this.#site.settings.limits.stallMs;
  }

  readonly #due = (): void => {
    this.#timer = undefined;
    const now = this.#now();
    this.#pending.expire(now);
    if ((this.#stalledAt() ?? Infinity) <= now) this.#giveUp('peer does not read');
    if (this.#state.name === 'open') this.#stepWatchdog('timer');
    if ((deadlineOf(this.#state) ?? Infinity) <= now) {
      this.#step({ kind: 'timeout' }, 'no capabilities exchange');
    }
    this.#arm();
  };

  readonly #gone = (): void => {
    const wasOpen = this.#peer !== undefined;
    this.#step({ kind: 'gone' }, 'transport failed');
    this.#outbox.discard();
    this.#timer?.cancel();
    this.#timer = undefined;
    const reason = this.#reason ?? 'transport failed';
    this.#log('info', 'connection closed', { reason });
    if (wasOpen) this.#guard(() => this.#site.hooks.onPeerClose?.(this, reason));
  };

  #now(): number {
    return this.#site.settings.clock.now();
  }

  /** The application's hooks are not part of the connection: what they throw is logged. */
  #guard(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.#log('error', 'hook failed', { error: String(error) });
    }
  }

  #log(level: LogLevel, event: string, fields: Record<string, unknown>): void {
    const peer = this.#peer?.originHost;
    const { remoteAddress } = this;
    this.#site.hooks.log?.(level, event, { connection: this.id, remoteAddress, peer, ...fields });
  }
}
