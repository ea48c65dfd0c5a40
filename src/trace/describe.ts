// A request of a trace in one line for people: when, whose session, what it asks and reports. The
// Subscription-Id is not in it: what is shown may be passed on.
import { avps } from '../diameter/dictionary.ts';
import { headerFlags } from '../diameter/header.ts';
import { avpKey, keyOf, messageAvps, type RawAvp, rawAvps, unsigned32 } from './raw-avp.ts';
import type { TraceEntry } from './trace-file.ts';

export interface RequestLine {
  /** After the first request of the trace. */
  readonly seconds: number;
  readonly connection: number;
  readonly session: string;
  readonly type: 'initial' | 'update' | 'termination' | 'event' | 'unknown';
  readonly number: number | undefined;
  readonly retransmitted: boolean;
  readonly afterAnswer: boolean;
  readonly services: readonly ServiceLine[];
}

export interface ServiceLine {
  readonly ratingGroup: number | undefined;
  /** By unit; undefined if nothing is asked for, empty if the size is left to the server. */
  readonly asked: Units | undefined;
  readonly used: Units | undefined;
}

/** Amounts by unit. Octets are the total, or input plus output without one. Texts past 2^53. */
export type Units = Readonly<Record<string, number | string>>;

const types = ['unknown', 'initial', 'update', 'termination', 'event'] as const;
const key = {
  ratingGroup: avpKey(avps['Rating-Group']),
  asked: avpKey(avps['Requested-Service-Unit']),
  used: avpKey(avps['Used-Service-Unit']),
  total: avpKey(avps['CC-Total-Octets']),
  input: avpKey(avps['CC-Input-Octets']),
  output: avpKey(avps['CC-Output-Octets']),
  time: avpKey(avps['CC-Time']),
  specific: avpKey(avps['CC-Service-Specific-Units']),
} as const;

/** `startedAtUs` is the time of the trace's first request. */
export function describeRequest(entry: TraceEntry, startedAtUs: number): RequestLine {
  const { request } = entry;
  const members = messageAvps(request) ?? [];
  const services = members.filter((avp) => avpKey(avp) === keyOf.services);
  const parts = services.map((avp) => rawAvps(request, avp.dataStart, avp.dataEnd) ?? []);
  const plain = describeService(request, members);
  const whole = plain.asked === undefined && plain.used === undefined ? [] : [plain];
  return {
    seconds: (entry.atUs - startedAtUs) / 1_000_000,
    connection: entry.connection,
    session: entry.session,
    type: types[numberIn(request, members, keyOf.requestType) ?? 0] ?? 'unknown',
    number: numberIn(request, members, keyOf.requestNumber),
    retransmitted: (request[4]! & headerFlags.retransmitted) !== 0,
    afterAnswer: entry.afterAnswer,
    services: [...whole, ...parts.map((part) => describeService(request, part))],
  };
}

function describeService(request: Buffer, members: RawAvp[]): ServiceLine {
  return {
    ratingGroup: numberIn(request, members, key.ratingGroup),
    asked: unitsIn(request, members, key.asked),
    used: unitsIn(request, members, key.used),
  };
}

function unitsIn(request: Buffer, members: RawAvp[], which: number): Units | undefined {
  const found = members.filter((avp) => avpKey(avp) === which);
  if (found.length === 0) return undefined;
  const sums = new Map<string, bigint>();
  const add = (unit: string, amount: bigint) => sums.set(unit, (sums.get(unit) ?? 0n) + amount);
  for (const group of found) {
    const amounts = new Map<number, bigint>();
    for (const avp of rawAvps(request, group.dataStart, group.dataEnd) ?? []) {
      const amount = amountOf(request, avp);
      if (amount !== undefined) amounts.set(avpKey(avp), amount);
    }
    const parts = [amounts.get(key.input), amounts.get(key.output)].filter(
      (each) => each !== undefined,
    );
    const summed = parts.length === 0 ? undefined : parts.reduce((sum, each) => sum + each, 0n);
    const octets = amounts.get(key.total) ?? summed;
    if (octets !== undefined) add('octets', octets);
    const [time, specific] = [amounts.get(key.time), amounts.get(key.specific)];
    if (time !== undefined) add('seconds', time);
    if (specific !== undefined) add('units', specific);
  }
  return Object.fromEntries([...sums].map(([unit, amount]) => [unit, plainNumber(amount)]));
}

function amountOf(request: Buffer, avp: RawAvp): bigint | undefined {
  const length = avp.dataEnd - avp.dataStart;
  if (length === 8) return request.readBigUInt64BE(avp.dataStart);
  return length === 4 ? BigInt(request.readUInt32BE(avp.dataStart)) : undefined;
}

function plainNumber(amount: bigint): number | string {
  return amount <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(amount) : String(amount);
}

function numberIn(request: Buffer, members: RawAvp[], which: number): number | undefined {
  const avp = members.find((each) => avpKey(each) === which);
  return avp === undefined ? undefined : unsigned32(request, avp);
}

export function requestLineText(line: RequestLine): string {
  const flags = line.retransmitted ? ' T' : '';
  const head = `${line.seconds.toFixed(6).padStart(12)}  ${line.session}`;
  const what = `${line.type} ${line.number ?? '?'}${flags}`;
  return [head, what, ...line.services.map(serviceText)].join('  ');
}

function serviceText({ ratingGroup, asked, used }: ServiceLine): string {
  const parts = [ratingGroup === undefined ? 'service' : `rg ${ratingGroup}`];
  if (used !== undefined) parts.push(`used ${unitsText(used)}`);
  if (asked !== undefined) parts.push(`asks ${unitsText(asked)}`);
  return `[${parts.join(', ')}]`;
}

function unitsText(units: Units): string {
  const parts = Object.entries(units).map(([unit, amount]) => `${amount} ${unit}`);
  return parts.length === 0 ? 'any' : parts.join(' + ');
}
