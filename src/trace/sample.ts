// The trace that a first start replays: two MVNOs, each with a gateway of its own, and what charging
// is about: sessions with one and two services, requests that are sent twice, and a subscriber whose
// credit does not last.
import { readHeader } from '../diameter/header.ts';
import { dataSessions, defaultProfile, type Profile } from './generate.ts';
import { markRetransmitted } from './renewal.ts';
import type { TraceEntry } from './trace-file.ts';

/** Whom the trace is about; samples/mvne.yaml provisions them. */
export const sampleSubscribers = {
  'mvno-blue': { first: '491700000001', firstImsi: '262010000000001', count: 10 },
  'mvno-red': { first: '491710000001', firstImsi: '240990000000001', count: 10 },
} as const;

/** Its account has credit for less than the trace uses; the last number of mvno-blue. */
export const sampleOutOfCredit = '491700000010';

const { 'mvno-blue': blueSubscribers, 'mvno-red': redSubscribers } = sampleSubscribers;

const blue: Profile = {
  ...defaultProfile,
  seed: 11,
  sessions: blueSubscribers.count - 1,
  updates: 8,
  ratingGroups: [1, 2],
  firstSubscriber: blueSubscribers.first,
  firstImsi: blueSubscribers.firstImsi,
  subscribers: blueSubscribers.count - 1,
  startIntervalUs: 90_000,
  requestIntervalUs: 420_000,
  originHost: 'pgw.mvno-blue.example',
  originRealm: 'mvno-blue.example',
  apn: 'internet.mvno-blue',
};

const red: Profile = {
  ...blue,
  seed: 12,
  sessions: redSubscribers.count,
  ratingGroups: [1],
  firstSubscriber: redSubscribers.first,
  firstImsi: redSubscribers.firstImsi,
  subscribers: redSubscribers.count,
  startIntervalUs: 100_000,
  originHost: 'pgw.mvno-red.example',
  originRealm: 'mvno-red.example',
  apn: 'internet.mvno-red',
  connection: 1,
};

const outOfCredit: Profile = {
  ...blue,
  seed: 13,
  sessions: 1,
  updates: 2,
  ratingGroups: [1],
  firstSubscriber: sampleOutOfCredit,
  firstImsi: '262010000000010',
  subscribers: 1,
  startedAtUs: defaultProfile.startedAtUs + 600_000,
  usedOctets: 400_000,
};

/** Every so many requests, a copy of one follows it, as after an answer that went lost. */
const copyEvery = 45;
const copyAfterUs = 60_000;

/** 198 requests of 20 subscribers within 5 seconds; always the same. */
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
