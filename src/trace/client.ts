// A Diameter connection as a gateway has it (RFC 6733 5.6, initiator's side): capabilities exchange,
// watchdog answers, requests matched to their answers by Hop-by-Hop Identifier, disconnection. It
// keeps no state between connections and decides nothing about resending: see replay.
import { connect as connectTcp, isIPv6, type Socket } from 'node:net';
import { decode } from '../diameter/decode.ts';
import { encode, encodeAnswerMessage } from '../diameter/encode.ts';
import { Framer } from '../diameter/framer.ts';
import { answerHeader, readHeader } from '../diameter/header.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import { type Clock, systemClock } from './clock.ts';

export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  readonly originHost: string;
  readonly originRealm: string;
  /** For connecting and the capabilities exchange together; 5,000 by default. */
  readonly connectTimeoutMs?: number;
  /** Requests without an answer at once; 10,000 by default. */
  readonly maxOutstanding?: number;
  /** Answers a request of the server; undefined: this client's own answer. */
  readonly onRequest?: (request: Buffer) => Buffer | undefined;
  readonly clock?: Clock;
}

/** The connection could not be made: refused, no answer in time, or refused by the server's CEA. */
export class ConnectFailed extends Error {
  override readonly name = 'ConnectFailed';
}

/** The connection ended before the answer came; the request may have been carried out. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

export interface ServerIdentity {
  readonly originHost: string;
  readonly originRealm: string;
  /** The capabilities-exchange answer, for tests. */
  readonly answer: Buffer;
}

const creditControl = 4;
/** 3GPP's enterprise number: Gy and Ro are announced as its application, too (TS 32.299 6.1.0). */
const vendor3gpp = 10415;
const disconnectPeer = 282;
/** Disconnect-Cause, RFC 6733 5.4.3. */
const doNotWantToTalkToYou = 2;
const disconnectWaitMs = 1000;

interface Waiting {
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (reason: Error) => void;
}

export class DiameterClient {
  /** Connects and exchanges capabilities. Throws `ConnectFailed`. */
  static async connect(options: ClientOptions): Promise<DiameterClient> {
    const client = new DiameterClient(options);
    await client.#open();
    return client;
  }

  /** Resolves with the reason when the connection is gone, whoever ended it. */
  readonly closed: Promise<string>;
  readonly #options: ClientOptions;
  readonly #clock: Clock;
  readonly #socket: Socket;
  readonly #framer: Framer;
  readonly #waiting = new Map<number, Waiting>();
  #server: ServerIdentity | undefined;
  #nextHopByHop: number;
  #nextEndToEnd: number;
  #queue: Buffer[] = [];
  #flushing = false;
  #closeReason: string | undefined;
  #resolveClosed: (reason: string) => void = () => {};

  private constructor(options: ClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#nextHopByHop = Math.floor(Math.random() * 2 ** 32);
    // RFC 6733 3: the time in the upper 12 bits, 20 random bits below.
    const seconds = Math.floor(this.#clock.wallClock() / 1000);
    this.#nextEndToEnd = (seconds % 0x1000) * 2 ** 20 + Math.floor(Math.random() * 2 ** 20);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#framer = new Framer((frame) => this.#receive(frame), { maxFrameBytes: 1024 * 1024 });
    this.#socket = connectTcp({ host: options.host, port: options.port, noDelay: true });
    this.#socket.on('data', (chunk) => {
      const violation = this.#framer.push(chunk);
      if (violation !== undefined) this.destroy(`the server sent ${violation.message}`);
    });
    this.#socket.on('error', (error) => {
      this.#closeReason ??= error.message;
    });
    this.#socket.on('close', () => this.#ended());
  }

  /** Who answered the capabilities exchange. */
  get server(): ServerIdentity {
    if (this.#server === undefined) throw new Error('the capabilities exchange is not complete');
    return this.#server;
  }

  /** Requests that have no answer yet. */
  get outstanding(): number {
    return this.#waiting.size;
  }

  get open(): boolean {
    return this.#server !== undefined && this.#closeReason === undefined;
  }

  /**
   * Sends a request and resolves with its answer. The Hop-by-Hop Identifier is written into
   * `message`. The answer is a view on what was received: copy what is kept. Rejects with
   * `Disconnected`, and with a RangeError if too many are without an answer. There is no time limit.
   */
  send(message: Buffer): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#closeReason !== undefined) {
        reject(new Disconnected(this.#closeReason));
        return;
      }
      if (this.#waiting.size >= (this.#options.maxOutstanding ?? 10_000)) {
        reject(new RangeError(`${this.#waiting.size} requests are without an answer`));
        return;
      }
      message.writeUInt32BE(this.#hopByHop(), 12);
      this.#waiting.set(this.#nextHopByHop, { resolve, reject });
      this.#write(message);
    });
  }

  /** Stops waiting for the answer to this request: its promise stays pending, its place is free. */
  abandon(message: Buffer): void {
    this.#waiting.delete(message.readUInt32BE(12));
  }

  /** Says good-bye (RFC 6733 5.4) and resolves when the connection is closed. */
  async disconnect(): Promise<void> {
    if (this.open) {
      const { originHost, originRealm } = this.#options;
      const disconnect = encode('DPR', this.#header(), {
        'Origin-Host': originHost,
        'Origin-Realm': originRealm,
        'Disconnect-Cause': doNotWantToTalkToYou,
      });
      const callOff = this.#clock.after(disconnectWaitMs, () => this.destroy('no DPA came'));
      await this.send(disconnect).catch(() => undefined);
      callOff();
    }
    this.destroy('we disconnected');
    await this.closed;
  }

  /** Closes at once, without a good-bye. Requests without an answer are rejected. */
  destroy(reason = 'we closed'): void {
    this.#closeReason ??= reason;
    this.#socket.destroy();
  }

  async #open(): Promise<void> {
    const timeoutMs = this.#options.connectTimeoutMs ?? 5000;
    const callOff = this.#clock.after(timeoutMs, () => {
      this.destroy(`no connection after ${timeoutMs} ms`);
    });
    try {
      await this.#exchangeCapabilities();
    } catch (error) {
      const reason = this.#closeReason ?? (error instanceof Error ? error.message : String(error));
      this.destroy(reason);
      throw new ConnectFailed(reason);
    } finally {
      callOff();
    }
  }

  async #exchangeCapabilities(): Promise<void> {
    await Promise.race([
      new Promise((resolve) => this.#socket.once('connect', resolve)),
      this.closed.then((reason) => Promise.reject(new Disconnected(reason))),
    ]);
    const answer = await this.send(this.#capabilities());
    const decoded = decode(answer);
    if (decoded.name !== 'CEA' && decoded.name !== 'answer-message') {
      throw new ConnectFailed(`the first answer is of command ${decoded.header.code}`);
    }
    const { 'Result-Code': code, 'Error-Message': text } = decoded.message;
    if (code !== resultCodes.DIAMETER_SUCCESS) {
      const why = text === undefined ? '' : `: ${text}`;
      throw new ConnectFailed(`the server refused the capabilities exchange with ${code}${why}`);
    }
    this.#server = {
      originHost: decoded.message['Origin-Host'] ?? '',
      originRealm: decoded.message['Origin-Realm'] ?? '',
      answer: Buffer.from(answer),
    };
  }

  #capabilities(): Buffer {
    const address = this.#socket.localAddress ?? '127.0.0.1';
    return encode('CER', this.#header(), {
      'Origin-Host': this.#options.originHost,
      'Origin-Realm': this.#options.originRealm,
      'Host-IP-Address': [{ family: isIPv6(address) ? 2 : 1, address }],
      'Vendor-Id': 0,
      'Product-Name': 'Tollkeeper replay',
      'Supported-Vendor-Id': [vendor3gpp],
      'Auth-Application-Id': [creditControl],
      'Vendor-Specific-Application-Id': [
        { 'Vendor-Id': vendor3gpp, 'Auth-Application-Id': creditControl },
      ],
    });
  }

  #header() {
    this.#nextEndToEnd = (this.#nextEndToEnd + 1) % 2 ** 32;
    return { applicationId: 0, hopByHop: 0, endToEnd: this.#nextEndToEnd };
  }

  #hopByHop(): number {
    do this.#nextHopByHop = (this.#nextHopByHop + 1) % 2 ** 32;
    while (this.#waiting.has(this.#nextHopByHop));
    return this.#nextHopByHop;
  }

  #receive(frame: Buffer): void {
    const header = readHeader(frame);
    if (header.request) {
      const answer = this.#options.onRequest?.(Buffer.from(frame)) ?? this.#answer(frame);
      this.#write(answer);
      if (header.code === disconnectPeer) this.#leave();
      return;
    }
    const waiting = this.#waiting.get(header.hopByHop);
    // An answer that nobody waits for is ignored (RFC 6733 6.2.1).
    this.#waiting.delete(header.hopByHop);
    waiting?.resolve(frame);
  }

  /** The server says good-bye: what it owes us will not come any more. */
  #leave(): void {
    this.#flush();
    this.#closeReason ??= 'the server disconnected';
    this.#socket.end();
    this.#clock.after(disconnectWaitMs, () => this.#socket.destroy());
  }

  #answer(frame: Buffer): Buffer {
    const decoded = decode(frame);
    const header = answerHeader(decoded.header);
    const origin = {
      'Origin-Host': this.#options.originHost,
      'Origin-Realm': this.#options.originRealm,
    };
    const success = { 'Result-Code': resultCodes.DIAMETER_SUCCESS, ...origin };
    switch (decoded.name) {
      case 'DWR':
        return encode('DWA', header, success);
      case 'DPR':
        return encode('DPA', header, success);
      case 'RAR':
      case 'ASR': {
        const session = { 'Session-Id': decoded.message['Session-Id'] ?? '' };
        return encode(decoded.name === 'RAR' ? 'RAA' : 'ASA', header, { ...session, ...success });
      }
      default:
        return encodeAnswerMessage(decoded.header.code, header, {
          ...origin,
          'Result-Code': resultCodes.DIAMETER_COMMAND_UNSUPPORTED,
        });
    }
  }

  /** One write for all that is sent in one turn of the event loop. */
  #write(bytes: Buffer): void {
    this.#queue.push(bytes);
    if (this.#flushing) return;
    this.#flushing = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    this.#flushing = false;
    const queue = this.#queue;
    this.#queue = [];
    if (queue.length > 0 && !this.#socket.destroyed) this.#socket.write(Buffer.concat(queue));
  }

  #ended(): void {
    this.#closeReason ??= 'the server closed the connection';
    this.#framer.stop();
    const reason = this.#closeReason;
    for (const waiting of this.#waiting.values()) waiting.reject(new Disconnected(reason));
    this.#waiting.clear();
    this.#resolveClosed(reason);
  }
}
