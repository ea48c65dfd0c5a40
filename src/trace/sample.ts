// The trace that a first start replays: two MVNOs, each with a gateway of its own, and what charging
// is about: sessions with one and two services, requests that are sent twice, and a subscriber whose
// credit does not last.
import { readHeader } from '../diameter/header.ts';
import { dataSessions, defaultProfile, type Profile } from './generate.ts';
import { markRetransmitted } from './renewal.ts';
import type { TraceEntry } from './trace-file.ts';

export const sampleServiceContext = '32251@3gpp.org';

/** E.164 numbers; the IMSI of each is `imsiOf` its number. */
export const sampleSubscribers = {
  'mvno-blue': { first: '491700000001', count: 12 },
  'mvno-red': { first: '491710000001', count: 8 },
} as const;

/** Uses about 300 MB, far more than the few MB that its account should be given. */
export const sampleOutOfCredit = '491710000008';

const blue: Profile = {
  ...defaultProfile,
  seed: 11,
  sessions: sampleSubscribers['mvno-blue'].count,
  updates: 8,
  ratingGroups: [1, 2],
  firstSubscriber: sampleSubscribers['mvno-blue'].first,
  subscribers: sampleSubscribers['mvno-blue'].count,
  startIntervalUs: 90_000,
  requestIntervalUs: 420_000,
  originHost: 'pgw.mvno-blue.example',
  originRealm: 'mvno-blue.example',
  apn: 'internet.mvno-blue',
};

const red: Profile = {
  ...blue,
  seed: 12,
  sessions: sampleSubscribers['mvno-red'].count - 1,
  ratingGroups: [1],
  firstSubscriber: sampleSubscribers['mvno-red'].first,
  subscribers: sampleSubscribers['mvno-red'].count - 1,
  startIntervalUs: 130_000,
  originHost: 'pgw.mvno-red.example',
  originRealm: 'mvno-red.example',
  apn: 'internet.mvno-red',
  connection: 1,
};

const outOfCredit: Profile = {
  ...red,
  seed: 13,
  sessions: 1,
  updates: 4,
  firstSubscriber: sampleOutOfCredit,
  subscribers: 1,
  startedAtUs: defaultProfile.startedAtUs + 600_000,
  usedOctets: 75_000_000,
};

/** Every so many requests, a copy of one follows it, as after an answer that went lost. */
const copyEvery = 45;
const copyAfterUs = 60_000;

/** About 200 requests of 20 subscribers within 5 seconds; always the same. */
export function sampleTrace(): TraceEntry[] {
  const entries = [blue, red, outOfCredit].flatMap((profile) => [...dataSessions(profile)]);
  const copies = entries.filter((_, index) => index % copyEvery === copyEvery - 1).map(copy);
  return [...entries, ...copies].sort((a, b) => a.atUs - b.atUs);
}

/** RFC 8506 6.5: the same request, the T flag apart. It waits for nothing. */
function copy(entry: TraceEntry): TraceEntry {
  const request = Buffer.from(entry.request);
  request.writeUInt32BE(readHeader(request).hopByHop + 0x100000, 12);
  markRetransmitted(request);
  return { ...entry, request, atUs: entry.atUs + copyAfterUs, afterAnswer: false };
}
