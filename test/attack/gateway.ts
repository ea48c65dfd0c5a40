/** A network element: what it asks, and what it was answered. */
import { decode } from '../../src/diameter/decode.ts';
import { encode } from '../../src/diameter/encode.ts';
import { DiameterClient } from '../../src/trace/client.ts';
import { requestOf } from '../scenarios/wire.ts';
import { LOCATION } from './site.ts';

export interface Report {
  rg: number;
  /** Octets used since the last report. */
  used?: number;
  /** Octets asked for; 0: as many as the plan gives. */
  ask?: number;
}

export interface Asked {
  kind: 'initial' | 'update' | 'terminate';
  session: string;
  number: number;
  subscriber?: string;
  reports: readonly Report[];
}

export interface ServiceAnswered {
  code: number | undefined;
  granted: number;
  final: boolean;
  validitySeconds: number | undefined;
}

export interface Answered {
  code: number;
  /** By rating group. */
  services: ReadonlyMap<number, ServiceAnswered>;
  /** The whole answer, its Hop-by-Hop and End-to-End Identifiers set to 0. */
  bytes: Buffer;
}

export interface Marks {
  /** The T flag. */
  retransmitted?: boolean;
  endToEnd?: number;
}

let endToEnd = 0;
export const nextEndToEnd = (): number => ++endToEnd;

/** A Credit-Control-Request as octets; it says where the subscriber is, too. */
export function ccrBytes(asked: Asked, marks: Marks = {}): Buffer {
  const { kind, session, number, subscriber, reports } = asked;
  const details = reports.map(({ rg, used, ask }) => {
    const words = [`rg=${rg}`];
    if (used !== undefined) words.push(`used=octets:${used}`);
    if (ask !== undefined) words.push(ask === 0 ? 'ask' : `ask=octets:${ask}`);
    return words.join(' ');
  });
  const who = subscriber === undefined ? [] : [`e164:${subscriber}`];
  return encode(
    'CCR',
    {
      applicationId: 4,
      hopByHop: 0,
      endToEnd: marks.endToEnd ?? nextEndToEnd(),
      proxiable: true,
      retransmitted: marks.retransmitted ?? false,
    },
    {
      ...requestOf([kind, session, String(number), ...who], details),
      'Service-Information': { 'PS-Information': { '3GPP-User-Location-Info': LOCATION } },
    },
  );
}

/** Reads an answer: the codec is not what is under attack here. */
export function readAnswer(frame: Buffer): Answered {
  const bytes = Buffer.from(frame);
  bytes.fill(0, 12, 20);
  const decoded = decode(bytes);
  if (decoded.name === 'answer-message')
    return { code: decoded.message['Result-Code'] ?? 0, services: new Map(), bytes };
  if (decoded.name !== 'CCA' || decoded.failure !== undefined)
    throw new Error(`not a CCA: ${decoded.failure?.errorMessage}`);
  const services = new Map<number, ServiceAnswered>();
  for (const one of decoded.message['Multiple-Services-Credit-Control'] ?? [])
    services.set(one['Rating-Group'] ?? 0, {
      code: one['Result-Code'],
      granted: Number(one['Granted-Service-Unit']?.['CC-Total-Octets'] ?? 0),
      final: one['Final-Unit-Indication'] !== undefined,
      validitySeconds: one['Validity-Time'],
    });
  return { code: decoded.message['Result-Code'] ?? 0, services, bytes };
}

/** A connection of the gateway to one worker. */
export class Link {
  readonly client: DiameterClient;

  static async open(port: number, originHost = 'gw.example'): Promise<Link> {
    const host = '127.0.0.1';
    return new Link(
      await DiameterClient.connect({ host, port, originHost, originRealm: 'example' }),
    );
  }

  private constructor(client: DiameterClient) {
    this.client = client;
  }

  /** The same octets may be sent more than once: each time they get another Hop-by-Hop Identifier. */
  async send(bytes: Buffer): Promise<Answered> {
    return readAnswer(await this.client.send(Buffer.from(bytes)));
  }

  async ask(asked: Asked, marks: Marks = {}): Promise<Answered> {
    return this.send(ccrBytes(asked, marks));
  }

  /** The Result-Code of a Device-Watchdog-Answer. */
  async watchdog(): Promise<number | undefined> {
    const header = { applicationId: 0, hopByHop: 0, endToEnd: nextEndToEnd() };
    const origin = { 'Origin-Host': 'gw.example', 'Origin-Realm': 'example' };
    const decoded = decode(await this.client.send(encode('DWR', header, origin)));
    return decoded.name === 'DWA' ? decoded.message['Result-Code'] : undefined;
  }

  /** Ends a session by STR, as some clients do; returns the Result-Code. */
  async sessionTermination(session: string): Promise<number | undefined> {
    const header = { applicationId: 4, hopByHop: 0, endToEnd: nextEndToEnd(), proxiable: true };
    const request = encode('STR', header, {
      'Session-Id': `gw.example;${session}`,
      'Origin-Host': 'gw.example',
      'Origin-Realm': 'example',
      'Destination-Realm': 'tollkeeper.example',
      'Auth-Application-Id': 4,
      'Termination-Cause': 1,
    });
    const decoded = decode(await this.client.send(request));
    return decoded.name === 'STA' ? decoded.message['Result-Code'] : undefined;
  }

  /** What the capabilities exchange said of lost state. */
  get originStateId(): number | undefined {
    const decoded = decode(this.client.server.answer);
    return decoded.name === 'CEA' ? decoded.message['Origin-State-Id'] : undefined;
  }

  close(): void {
    this.client.destroy();
  }
}
