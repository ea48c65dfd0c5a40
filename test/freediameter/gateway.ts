/**
 * A gateway as the agent sees one: a Diameter client made of bytes (`test/peer/raw.ts`) that shares
 * nothing with the product's codec, and resends what got no answer as RFC 6733 5.5.4 has it.
 */
import assert from 'node:assert/strict';
import {
  ASR,
  avp,
  CCR,
  CER,
  DPR,
  DWR,
  E,
  message,
  only,
  P,
  type Parsed,
  R,
  RAR,
  RawPeer,
  resultCode,
  T,
} from '../peer/raw.ts';
import { type Agent, RELAY } from './agent.ts';

const REALM = 'gw.example';
/** Tx of RFC 8506 13: how long the client waits for an answer before it sends again. */
const TX_MS = 10_000;
const MOST_COPIES = 8;

export interface Sending {
  command?: number;
  application?: number;
  flags?: number;
  endToEnd?: number;
}

export class Gateway {
  readonly identity: string;
  /** Copies that were sent with the T flag. */
  copies = 0;
  /** Requests of the service, and what each is answered with; undefined: nothing. */
  readonly asked: Parsed[] = [];
  behaviour: (request: Parsed) => number | undefined = () => 2001;
  readonly #peer: RawPeer;
  readonly #waiting = new Map<number, (answer: Parsed | undefined) => void>();
  #hopByHop = 1;
  #endToEnd = 1;

  private constructor(peer: RawPeer, identity: string) {
    this.#peer = peer;
    this.identity = identity;
  }

  static async connect({ port }: Agent, name = 'client'): Promise<Gateway> {
    const gateway = new Gateway(await RawPeer.connect(port), `${name}.${REALM}`);
    await gateway.#exchangeCapabilities();
    void gateway.#receive();
    return gateway;
  }

  /** Our part of every request; what follows is told from the Session-Id on. */
  get origin(): Buffer[] {
    return [avp(264, this.identity), avp(296, REALM)];
  }

  nextEndToEnd(): number {
    return this.#endToEnd++;
  }

  /** Sends one request and resolves with its answer, or with undefined when the connection ends. */
  send(avps: readonly Buffer[], sending: Sending = {}): Promise<Parsed | undefined> {
    const { command = CCR, application = 4, flags = R | P } = sending;
    const endToEnd = sending.endToEnd ?? this.nextEndToEnd();
    const hopByHop = this.#hopByHop++;
    if (flags & T) this.copies++;
    return new Promise<Parsed | undefined>((resolve) => {
      this.#waiting.set(hopByHop, resolve);
      const head = { command, application, flags, hopByHop, endToEnd };
      this.#peer.send(message(head, avps));
    }).then((answer) => {
      this.#waiting.delete(hopByHop);
      if (answer !== undefined) this.#judgeHeader(answer, { command, flags, endToEnd });
      return answer;
    });
  }

  /** The answer to a request that must come at the first attempt. */
  async ask(avps: readonly Buffer[], sending: Sending = {}): Promise<Parsed> {
    const answer = await this.#withinTx(this.send(avps, sending));
    assert.ok(answer, 'no answer came');
    return answer;
  }

  /**
   * Sends until an answer comes that is none of the transport's (E flag): again, with the T flag and
   * the same End-to-End Identifier, when the agent could not deliver it and has a way again, or
   * when nothing came within Tx. `again`: already the first that is sent is a copy.
   */
  async insist(
    avps: readonly Buffer[],
    agent: Agent,
    { endToEnd, again = false }: { endToEnd: number; again?: boolean },
  ): Promise<Parsed> {
    let answer: Parsed | undefined;
    for (let copy = 0; copy < MOST_COPIES; copy++) {
      const opens = agent.opens();
      const flags = copy === 0 && !again ? R | P : R | P | T;
      answer = await this.#withinTx(this.send(avps, { flags, endToEnd }));
      if (answer === undefined) continue;
      if ((answer.flags & E) === 0) return answer;
      assert.equal(resultCode(answer), 3002, `answered by ${only(answer, 264)}`);
      await agent.opened(opens);
    }
    throw new Error(`no answer after ${MOST_COPIES} copies: ${answer && resultCode(answer)}`);
  }

  end(): void {
    this.#peer.end();
  }

  async #exchangeCapabilities(): Promise<void> {
    const answer = await this.#peer.exchange(
      message({ command: CER, flags: R }, [
        ...this.origin,
        avp(257, Buffer.from([0, 1, 127, 0, 0, 1])),
        avp(266, 0),
        avp(269, 'a gateway', { flags: 0 }),
        avp(258, 4),
      ]),
    );
    assert.equal(resultCode(answer), 2001);
    assert.equal(String(only(answer, 264)), RELAY);
  }

  async #receive(): Promise<void> {
    for (;;) {
      const received = await this.#peer.next();
      if (received === undefined) break;
      if (received.flags & R) this.#answer(received);
      else this.#waiting.get(received.hopByHop)?.(received);
    }
    for (const give of this.#waiting.values()) give(undefined);
  }

  #answer(request: Parsed): void {
    const { command, hopByHop, endToEnd } = request;
    if (command === RAR || command === ASR) {
      this.#answerService(request);
      return;
    }
    assert.ok(command === DWR || command === DPR, `the agent asks for ${command}`);
    const head = { command, flags: 0, hopByHop, endToEnd };
    this.#peer.send(message(head, [avp(268, 2001), ...this.origin]));
  }

  #answerService(request: Parsed): void {
    this.asked.push(request);
    const code = this.behaviour(request);
    if (code === undefined) return;
    const { command, application, hopByHop, endToEnd } = request;
    const head = { command, application, flags: P, hopByHop, endToEnd };
    const sessionId = avp(263, only(request, 263));
    this.#peer.send(message(head, [sessionId, avp(268, code), ...this.origin]));
  }

  #judgeHeader(answer: Parsed, asked: { command: number; flags: number; endToEnd: number }): void {
    assert.equal(answer.command, asked.command);
    assert.equal(answer.endToEnd, asked.endToEnd);
    // freeDiameter leaves the P flag out of the errors that it answers with itself.
    const own = String(only(answer, 264)) === RELAY;
    assert.equal(answer.flags & ~E, own ? 0 : asked.flags & P, 'flags of an answer');
  }

  async #withinTx(sent: Promise<Parsed | undefined>): Promise<Parsed | undefined> {
    let late: NodeJS.Timeout | undefined;
    const tooLong = new Promise<undefined>((resolve) => {
      late = setTimeout(() => resolve(undefined), TX_MS);
    });
    return Promise.race([sent, tooLong]).finally(() => clearTimeout(late));
  }
}
