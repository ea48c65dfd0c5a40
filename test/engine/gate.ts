/** The whole path of a request but its socket: octets in, decode, charge, octets out. */
import { decode } from '../../src/diameter/decode.ts';
import { Gateway } from '../../src/engine/gateway.ts';
import type { PeerOptions, RequestConfiguration } from '../../src/engine/received.ts';
import { CCR, message, P, type Parsed, parse, R } from '../peer/raw.ts';
import type { Rig, Worker } from './rig.ts';

/** Everything is for one tenant, which counts in cents. */
export const configurationOf = (rig: Rig): RequestConfiguration => ({
  ...rig.configuration,
  tenantOf: () => 'blue',
  currencyOf: () => ({ code: 978, digits: 2 }),
});

export class Gate {
  readonly #rig: Rig;
  readonly #gateway: Gateway;
  readonly defects: unknown[] = [];

  constructor(
    rig: Rig,
    worker: Worker = rig.worker(),
    configuration: () => RequestConfiguration = () => configurationOf(rig),
  ) {
    this.#rig = rig;
    this.#gateway = new Gateway({
      charging: worker.charging,
      origin: { host: 'ocs.example', realm: 'example' },
      configuration,
      abort: async () => 'unknown',
      maxInFlight: 100,
      deadlineMs: 5000,
      clock: () => rig.now,
      events: { answered: () => undefined, defect: (error) => this.defects.push(error) },
    });
  }

  /** The answer to a frame, read by a parser that is not the product's. */
  async frame(bytes: Buffer, options: PeerOptions = { numbering: 'strict' }): Promise<Parsed> {
    let answer: Buffer | undefined;
    const decoded = decode(bytes);
    await this.#gateway.handle({
      decoded,
      failure: decoded.failure,
      peer: { originHost: 'gw.example', options },
      receivedAt: this.#rig.now,
      answer: (octets) => {
        answer = Buffer.from(octets);
      },
    });
    if (answer === undefined) throw new Error('no answer');
    if (this.defects.length > 0) throw this.defects[0];
    return parse(answer);
  }

  /** The answer to a CCR of these AVPs. */
  ccr(avps: readonly Buffer[]): Promise<Parsed> {
    return this.frame(message({ command: CCR, application: 4, flags: R | P }, avps));
  }
}
