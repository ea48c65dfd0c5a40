/**
 * The requests of the benchmark: data sessions as a packet gateway charges them (TS 32.251), with
 * two services, two subscriber identities and PS-Information. They are encoded once; what differs
 * between two requests has a fixed place and width and is written over.
 */
import type { CCR } from '../src/diameter/commands.ts';
import { encode } from '../src/diameter/encode.ts';

export const GATEWAY = {
  host: 'pgw01.epc.mnc001.mcc001.3gppnetwork.org',
  realm: 'epc.mnc001.mcc001.3gppnetwork.org',
} as const;

/** The subscribers of the first account of `provisioning.yaml`. */
const FIRST_E164 = 491_700_000_001;
const FIRST_IMSI = 262_011_000_000_001;

/** Marks in the encoded template, each as wide as what replaces it. */
const SESSION_MARK = '#session##';
const E164_MARK = '#e164mark###';
const IMSI_MARK = '#imsimark######';
const USED_MARK = 0x0123_4567_89ab_cdefn;
const NUMBER_MARK = 0x7654_3210;

export type RequestType = 'initial' | 'update' | 'termination';

const types = { initial: 1, update: 2, termination: 3 } as const;

/** A session: its requests are number 0 (initial) to `length - 1` (termination). */
export interface SessionRequest {
  /** Unique within a run. */
  session: number;
  number: number;
  type: RequestType;
}

/** The message with the places that are to be written. */
interface Template {
  bytes: Buffer;
  session: number;
  e164: number;
  imsi: number;
  number: number;
  used: readonly number[];
}

/**
 * Makes the requests of one run, whose sessions go round the accounts; `run` keeps its Session-Ids
 * apart from those of others.
 */
export class Traffic {
  readonly #templates: Readonly<Record<RequestType, Template>>;
  readonly #accounts: number;

  constructor({ run, accounts }: { run: number; accounts: number }) {
    this.#accounts = accounts;
    this.#templates = {
      initial: template('initial', run),
      update: template('update', run),
      termination: template('termination', run),
    };
  }

  /** Octets of a request. */
  bytesOf(type: RequestType): number {
    return this.#templates[type].bytes.length;
  }

  /** Writes a request to `target` at `at`; returns where it ends. */
  write(
    target: Buffer,
    at: number,
    { session, number, type }: SessionRequest,
    ids: { hopByHop: number; endToEnd: number },
  ): number {
    const made = this.#templates[type];
    made.bytes.copy(target, at);
    target.writeUInt32BE(ids.hopByHop, at + 12);
    target.writeUInt32BE(ids.endToEnd, at + 16);
    target.writeUInt32BE(number, at + made.number);
    digits(target, at + made.session, SESSION_MARK.length, session);
    const account = session % this.#accounts;
    digits(target, at + made.e164, E164_MARK.length, FIRST_E164 + account);
    digits(target, at + made.imsi, IMSI_MARK.length, FIRST_IMSI + account);
    for (const place of made.used) {
      target.writeUInt32BE(0, at + place);
      target.writeUInt32BE(400_000 + ((session + number) % 1_000) * 100, at + place + 4);
    }
    return at + made.bytes.length;
  }
}

function template(type: RequestType, run: number): Template {
  const ids = { applicationId: 4, hopByHop: 0, endToEnd: 0, proxiable: true };
  const bytes = encode('CCR', ids, request(type, run));
  const number = Buffer.alloc(4);
  number.writeUInt32BE(NUMBER_MARK);
  const used = Buffer.alloc(8);
  used.writeBigUInt64BE(USED_MARK);
  const places: number[] = [];
  for (let at = bytes.indexOf(used); at >= 0; at = bytes.indexOf(used, at + 8)) places.push(at);
  return {
    bytes,
    session: bytes.indexOf(SESSION_MARK),
    e164: bytes.indexOf(E164_MARK),
    imsi: bytes.indexOf(IMSI_MARK),
    number: bytes.indexOf(number),
    used: places,
  };
}

function request(type: RequestType, run: number): CCR {
  return {
    'Session-Id': `${GATEWAY.host};${run};${SESSION_MARK};gy`,
    'Origin-Host': GATEWAY.host,
    'Origin-Realm': GATEWAY.realm,
    'Destination-Realm': 'tollkeeper.example',
    'Auth-Application-Id': 4,
    'Service-Context-Id': '32251@3gpp.org',
    'CC-Request-Type': types[type],
    'CC-Request-Number': NUMBER_MARK,
    'Event-Timestamp': 1_767_225_600,
    'Subscription-Id': [
      { 'Subscription-Id-Type': 0, 'Subscription-Id-Data': E164_MARK },
      { 'Subscription-Id-Type': 1, 'Subscription-Id-Data': IMSI_MARK },
    ],
    ...(type === 'initial' ? { 'Multiple-Services-Indicator': 1 } : {}),
    ...(type === 'termination' ? { 'Termination-Cause': 1 } : {}),
    'Multiple-Services-Credit-Control': [1, 2].map((ratingGroup) => ({
      ...(type === 'termination' ? {} : { 'Requested-Service-Unit': {} }),
      ...(type === 'initial' ? {} : { 'Used-Service-Unit': [{ 'CC-Total-Octets': USED_MARK }] }),
      'Rating-Group': ratingGroup,
      ...(type === 'initial' ? {} : { 'Reporting-Reason': [type === 'update' ? 3 : 2] }),
    })),
    'Service-Information': {
      'PS-Information': {
        '3GPP-Charging-Id': Buffer.from('0000002a', 'hex'),
        '3GPP-PDP-Type': 0,
        'PDP-Address': [{ family: 1, address: '10.45.0.42' }],
        'SGSN-Address': [{ family: 1, address: '192.0.2.10' }],
        'GGSN-Address': [{ family: 1, address: '192.0.2.20' }],
        'Called-Station-Id': 'internet',
        '3GPP-SGSN-MCC-MNC': '00101',
        '3GPP-NSAPI': Buffer.from('5'),
        '3GPP-User-Location-Info': Buffer.from('8200f110000100f11000000101', 'hex'),
        '3GPP-RAT-Type': Buffer.of(6),
        '3GPP-MS-TimeZone': Buffer.from('4000', 'hex'),
      },
    },
  };
}

function digits(target: Buffer, at: number, width: number, value: number): void {
  let rest = value;
  for (let place = at + width - 1; place >= at; place -= 1) {
    target[place] = 48 + (rest % 10);
    rest = Math.floor(rest / 10);
  }
}
