/** A gateway under the tests by clause: it speaks octets to two workers on one store. */
import type { ChargingRecord } from '../../src/charging/record.ts';
import type { PeerOptions } from '../../src/engine/received.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { decodeRecord } from '../../src/store/record-codec.ts';
import { message } from '../diameter/bytes.ts';
import { strictParse } from '../diameter/strict-parser.ts';
import { World } from '../scenarios/world.ts';
import { octetsOf, type Read, readAvps, type Tree } from './octets.ts';

/** CC-Request-Type, RFC 8506 8.3. */
export const types = { initial: 1, update: 2, termination: 3, event: 4 } as const;

const START_AT = Date.UTC(2026, 0, 1);

export interface Answer {
  /** The command's. */
  code: number;
  error: boolean;
  /** Everything, by name. */
  says: Read;
  /** Each Multiple-Services-Credit-Control. */
  services: readonly Read[];
  bytes: Buffer;
}

export interface Asking {
  session?: string;
  worker?: 0 | 1;
  flags?: number;
  endToEnd?: number;
}

export class Gateway {
  readonly world: World;
  now = START_AT;
  readonly #store: MemoryStore;
  #endToEnd = 0;

  /** `yaml` is a provisioning file with a tenant `t` that has the account `a`. */
  static async open(yaml: string): Promise<Gateway> {
    const gateway = new Gateway();
    const came = await gateway.world.run({
      ...{ before: [], line: 0, command: '', expected: [] },
      ...{ words: ['provision'], details: yaml.split('\n') },
    });
    if (came.join() !== 'ok') throw new Error(came.join('\n'));
    return gateway;
  }

  private constructor() {
    this.#store = new MemoryStore({ partitions: 4, clock: () => this.now });
    this.world = new World(this.#store, {
      now: () => this.now,
      advance: (ms) => {
        this.now += ms;
      },
    });
  }

  /** The octets of a Credit-Control-Request; what `avps` names replaces what every request has. */
  request(kind: keyof typeof types, number: number, avps: Tree = {}, asking: Asking = {}): Buffer {
    const { session = 's', flags = 0xc0, endToEnd = ++this.#endToEnd } = asking;
    const usual: Tree = {
      'Session-Id': `gw.example;1;${session}`,
      'Origin-Host': 'gw.example',
      'Origin-Realm': 'example',
      'Destination-Realm': 'tollkeeper.example',
      'Auth-Application-Id': 4,
      'Service-Context-Id': '32251@3gpp.org',
      'CC-Request-Type': types[kind],
      'CC-Request-Number': number,
      ...(kind === 'initial' || kind === 'event' ? { 'Subscription-Id': ANNA } : {}),
    };
    return message(octetsOf({ ...usual, ...avps }), { flags, endToEnd });
  }

  async ask(
    kind: keyof typeof types,
    number: number,
    avps: Tree = {},
    asking: Asking = {},
  ): Promise<Answer> {
    return this.send(this.request(kind, number, avps, asking), asking.worker);
  }

  /** `strict`: the peer is one that is judged by the letter; `options`: what is known of it. */
  async send(
    bytes: Buffer,
    worker: 0 | 1 = 0,
    { strict = false, options }: { strict?: boolean; options?: PeerOptions } = {},
  ): Promise<Answer> {
    const answer = await this.world.exchange(bytes, {
      ...{ worker, strict },
      ...(options === undefined ? {} : { options }),
    });
    const { error } = strictParse(answer);
    const says = readAvps(answer.subarray(20));
    return {
      ...{ error, says, bytes: answer },
      code: Number(says['Result-Code']?.[0]),
      services: (says['Multiple-Services-Credit-Control'] ?? []) as readonly Read[],
    };
  }

  async wait(seconds: number): Promise<void> {
    await this.#run('wait', String(seconds), 's');
  }

  /** `main: 5.00 available, 0.00 reserved` and so on, as an operator reads it. */
  async account(name = 'a'): Promise<readonly string[]> {
    return this.#run('account', name);
  }

  /** What requests, timers and events left in the books, of one account in order. */
  records(): ChargingRecord[] {
    const found: ChargingRecord[] = [];
    for (let i = 0; i < this.#store.partitions; i++)
      for (const { bytes } of this.#store.partition(i).outbox) found.push(decodeRecord(bytes));
    return found.filter(({ kind }) => kind !== 'epoch' && kind !== 'opening');
  }

  async openSessions(): Promise<number> {
    const lines = await this.#run('sessions');
    return lines[0] === 'none' ? 0 : lines.length;
  }

  #run(...words: string[]): Promise<string[]> {
    return this.world.run({
      ...{ before: [], line: 0, command: words.join(' '), expected: [], details: [], words },
    });
  }
}

/** The subscriber of account `a`. */
export const ANNA: Tree = { 'Subscription-Id-Type': 0, 'Subscription-Id-Data': '491700000001' };

/** One tenant, one plan of the rules given, and one account with 10.00. */
export function yamlOf(rules: string, parts: { plan?: string; buckets?: string } = {}): string {
  const { plan = '', buckets = '- { id: main, unit: money, opening: "10.00" }' } = parts;
  return `
tenants:
  - id: t
    currency: EUR
    digits: 2
    plans:
      - id: p
${indent(plan, 8)}
        rules:
${indent(rules, 10)}
    accounts:
      - id: a
        plan: p
        subscribers: [{ e164: "491700000001", imsi: "262010000000001" }]
        buckets:
${indent(buckets, 10)}
peers:
  anybody: {}
`;
}

/** 0.10 for each megabyte; 10 MB at a time. */
export const DATA_RULE = `- name: data
  match: { context: [32251@3gpp.org], ratingGroup: [1, 2, 3, 4, 5] }
  unit: octets
  price: { amount: "0.10", per: 1 MB }
  quota: { size: 10 MB, minimum: 1 MB, maximum: 20 MB }`;

function indent(text: string, by: number): string {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => ' '.repeat(by) + line)
    .join('\n');
}
