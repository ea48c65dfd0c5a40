/**
 * One connection to one peer: the socket around the two state machines. Bytes come in, are framed
 * and decoded; the base protocol's own messages are dealt with here, requests of the application
 * are handed on, answers are queued. Nothing that goes wrong here reaches another connection.
 */
import type { Socket } from 'node:net';
import { answerFailure } from '../diameter/answer.ts';
import type { Messages } from '../diameter/commands.ts';
import { type Decoded, type DecodedAs, decode } from '../diameter/decode.ts';
import { encode } from '../diameter/encode.ts';
import { type Failure, failure } from '../diameter/failure.ts';
import { Framer, type Violation } from '../diameter/framer.ts';
import { answerHeader } from '../diameter/header.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import { composeCEA, judgeCER, RELAY } from './capabilities.ts';
import { Alarm } from './clock.ts';
import { dispatch } from './dispatch.ts';
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
import {
  type DisconnectCause,
  type OutgoingCommand,
  OutgoingRequests,
  type OutgoingResult,
  type RequestIds,
} from './outgoing.ts';
import type { NoAnswer } from './pending.ts';
import type { CloseReason, LogLevel, Site } from './site.ts';
import { connectionUp, stepWatchdog, type Watchdog, type WatchdogEvent } from './watchdog.ts';

const DWA = 280;
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
  readonly #outgoing: OutgoingRequests;
  readonly #alarm: Alarm;
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
  #reason: CloseReason | undefined;

  constructor(id: number, socket: Socket, site: Site<Options>) {
    const { settings } = site;
    this.id = id;
    this.remoteAddress = `${socket.remoteAddress}:${socket.remotePort}`;
    this.#socket = socket;
    this.#site = site;
    this.#outbox = new Outbox(socket, settings.clock, this.#written);
    const { frameBytes: maxFrameBytes, pending: limit } = settings.limits;
    this.#framer = new Framer(this.#handle, { maxFrameBytes });
    this.#outgoing = new OutgoingRequests((bytes) => this.#push(bytes), {
      ...site,
      random: settings.random,
      limit,
    });
    this.#alarm = new Alarm(settings.clock, () => this.#contained(this.#due));
    this.#state = accepted(this.#now(), settings.timeouts);
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#contained(() => this.#received(chunk)));
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
   * Sends a request of ours. Resolves with the answer, or with why there is none; it is never sent a
   * second time from here.
   */
  request<Name extends OutgoingCommand>(
    command: Name,
    message: Messages[Name],
    { timeoutMs, ...ids }: { timeoutMs: number } & RequestIds,
  ): Promise<OutgoingResult> {
    const deadlineAt = this.#now() + timeoutMs;
    const noAnswer = this.#whyNot(message);
    const result = this.#outgoing.ask(command, message, {
      ...ids,
      deadlineAt,
      ...(noAnswer && { noAnswer }),
    });
    this.#alarm.by(deadlineAt);
    return result;
  }

  /** Ends the connection in order: DPR, requests in flight answered, DPA awaited, closed. */
  leave(cause: DisconnectCause): void {
    this.#disconnectCause = cause;
    this.#step({ kind: 'stop' }, 'we left');
  }

  /**
   * Holds a known peer against the policy, which has changed: it goes on with what is particular to
   * it now, or, no longer admitted, is taken leave of (RFC 6733 5.4).
   */
  readmit(): void {
    if (this.#peer === undefined) return;
    const admission = this.#site.admit(this.#peer);
    if (admission === undefined) {
      this.#log('warn', 'peer admitted no more', { originHost: this.#peer.originHost });
      this.leave('not wanted');
      return;
    }
    const { strict = false, options } = admission;
    this.#peer = { ...this.#peer, strict, options };
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

  #received(chunk: Buffer): void {
    this.#receivedAt = this.#now();
    const violation = this.#framer.push(chunk);
    if (violation) this.#violated(violation);
    else if (this.#outbox.queuedBytes > this.#site.settings.limits.pauseBytes) this.#pause();
  }

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
    const request = this.#outgoing.pending.take(hopByHop, code);
    if (request) {
      // A DWA reports itself to the watchdog.
      if (code !== DWA) this.#stepWatchdog('receive');
      request.answered(answer);
      return;
    }
    this.#stepWatchdog('receive');
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
        this.#answerBase('DWA', this.#request!);
        break;
      case 'send-dpr':
        this.#outgoing.sendDPR(this.#disconnectCause, () =>
          this.#step({ kind: 'dpa', inFlight: this.#inFlight }),
        );
        break;
      case 'send-dpa':
        this.#answerBase('DPA', this.#dpr!);
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

  /** Answers a DWR or a DPR. */
  #answerBase(name: 'DWA' | 'DPA', request: Decoded): void {
    if (request.failure) {
      this.#refuse(request, request.failure);
      return;
    }
    const { host, realm, stateId } = this.#site.origin;
    const common = {
      'Result-Code': resultCodes.DIAMETER_SUCCESS,
      'Origin-Host': host,
      'Origin-Realm': realm,
    };
    const state = name === 'DPA' || stateId === undefined ? {} : { 'Origin-State-Id': stateId };
    this.#push(encode(name, answerHeader(request.header), { ...common, ...state }));
  }

  #whyNot(message: Messages[OutgoingCommand]): NoAnswer | undefined {
    if (this.#state.name !== 'open') return 'closed';
    if (this.#watchdog?.status !== 'okay') return 'suspect';
    if (this.#outgoing.pending.full) return 'full';
    // RFC 6733 5.3: only what the peer advertised is sent to it.
    const { applications } = this.#peer!;
    const supported =
      applications.includes(message['Auth-Application-Id']) || applications.includes(RELAY);
    return supported ? undefined : 'unsupported';
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
        this.#site.counters.watchdogsSent += 1;
        this.#outgoing.sendDWR(() => this.#stepWatchdog('receive-dwa'));
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
    this.#outgoing.pending.failOver(why);
  }

  #arm(): void {
    if (this.#state.name === 'closed') return;
    if (this.#state.name === 'open') this.#alarm.by(this.#watchdog?.expiresAt ?? Infinity);
    this.#alarm.by(deadlineOf(this.#state) ?? Infinity);
    this.#alarm.by(this.#stalledAt());
    this.#alarm.by(this.#outgoing.pending.nextDeadline());
  }

  /** When a peer that is not read any more has taken nothing for too long. */
  #stalledAt(): number {
    if (this.#pausedAt === undefined) return Infinity;
    const since = Math.max(this.#pausedAt, this.#outbox.writingSince ?? 0);
    return since + this.#site.settings.limits.stallMs;
  }

  readonly #due = (): void => {
    const now = this.#now();
    this.#outgoing.pending.expire(now);
    if (this.#stalledAt() <= now) this.#giveUp('peer does not read');
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
    this.#alarm.clear();
    const reason = this.#reason ?? 'transport failed';
    this.#log('info', 'connection closed', { reason });
    if (wasOpen) this.#guard(() => this.#site.hooks.onPeerClose?.(this, reason));
  };

  #now(): number {
    return this.#site.settings.clock.now();
  }

  /** A defect in here costs this connection, and no other. */
  #contained(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#log('error', 'connection failed', { error: String(error) });
      this.#giveUp('defect');
    }
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
