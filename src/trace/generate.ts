// Synthetic traffic: data sessions as a packet gateway charges them (TS 32.251), from a seed. The
// same profile gives the same requests, byte by byte, however often it is asked.
import { encode } from '../diameter/encode.ts';
import type { Value } from '../diameter/message.ts';
import type { TraceEntry } from './trace-file.ts';

export interface Profile {
  /** Chooses the usage and the identifiers. */
  readonly seed: number;
  readonly sessions: number;
  /** Updates between a session's initial and its termination. */
  readonly updates: number;
  /** One service for each, in every request. */
  readonly ratingGroups: readonly number[];
  /** E.164 number of the first subscriber; the sessions go round the numbers that follow. */
  readonly firstSubscriber: string;
  readonly subscribers: number;
  /** IMSI of the first subscriber, counted up with the numbers. */
  readonly firstImsi: string;
  /** Microseconds from the start of a session to that of the next one. */
  readonly startIntervalUs: number;
  /** Microseconds from a session's request to its next one. */
  readonly requestIntervalUs: number;
  /** Microseconds since 1970 of the first request. */
  readonly startedAtUs: number;
  /** Most octets that a service uses between two requests; at least half of it is used. */
  readonly usedOctets: number;
  /** Octets that are asked for by name; undefined: the server chooses. */
  readonly askedOctets?: number;
  readonly serviceContextId: string;
  readonly originHost: string;
  readonly originRealm: string;
  readonly destinationRealm: string;
  readonly apn: string;
  /** Which of the gateway's connections the requests are on; 0 by default. */
  readonly connection?: number;
}

export const defaultProfile: Profile = {
  seed: 1,
  sessions: 100,
  updates: 8,
  ratingGroups: [1, 2],
  firstSubscriber: '491700000001',
  subscribers: 100,
  firstImsi: '262010000000001',
  startIntervalUs: 10_000,
  requestIntervalUs: 100_000,
  // 2026-01-01 00:00 UTC
  startedAtUs: 1_767_225_600_000_000,
  usedOctets: 2_000_000,
  serviceContextId: '32251@3gpp.org',
  originHost: 'pgw.example',
  originRealm: 'example',
  destinationRealm: 'tollkeeper.example',
  apn: 'internet',
};

const creditControl = 4;
/** Values of the enumerations that are used here: RFC 8506 8.3 and 8.47, RFC 6733 8.15. */
const requestTypes = { initial: 1, update: 2, termination: 3 } as const;
const endUserE164 = 0;
const endUserImsi = 1;
const logout = 1;
const multipleServicesSupported = 1;
/** Reporting-Reason of TS 32.299 7.2.175. */
const quotaExhausted = 3;
const final = 2;

/** The requests of a profile in the order of their times; one at a time, whatever their number. */
export function* dataSessions(profile: Profile): Generator<TraceEntry> {
  const perSession = profile.updates + 2;
  // The n-th requests of all sessions are in order among themselves: those orders are merged.
  const nextSession = new Array<number>(perSession).fill(0);
  const timeOf = (session: number, step: number) =>
    profile.startedAtUs + session * profile.startIntervalUs + step * profile.requestIntervalUs;
  for (let made = 0; made < profile.sessions * perSession; made += 1) {
    let step = -1;
    for (let each = 0; each < perSession; each += 1) {
      if (nextSession[each]! >= profile.sessions) continue;
      const earlier =
        step < 0 || timeOf(nextSession[each]!, each) < timeOf(nextSession[step]!, step);
      if (earlier) step = each;
    }
    const session = nextSession[step]!;
    nextSession[step] = session + 1;
    yield sessionRequest(profile, { session, step, atUs: timeOf(session, step) });
  }
}

/** One request of a session: step 0 is the initial, the last one the termination. */
export function sessionRequest(
  profile: Profile,
  which: { session: number; step: number; atUs: number },
): TraceEntry {
  const { session, step, atUs } = which;
  const random = randomFrom(profile.seed, session);
  const low = Math.floor(random() * 2 ** 32);
  const sessionId = `${profile.originHost};${profile.seed};${low};${session}`;
  const type =
    step === 0 ? 'initial' : step === profile.updates + 1 ? 'termination' : ('update' as const);
  const seconds = Math.floor(atUs / 1_000_000);
  const subscriber = session % profile.subscribers;
  const msisdn = countedUp(profile.firstSubscriber, subscriber);
  const imsi = countedUp(profile.firstImsi, subscriber);
  const request = encode(
    'CCR',
    {
      applicationId: creditControl,
      proxiable: true,
      hopByHop: session * (profile.updates + 2) + step,
      endToEnd: (low + step) % 2 ** 32,
    },
    {
      'Session-Id': sessionId,
      'Origin-Host': profile.originHost,
      'Origin-Realm': profile.originRealm,
      'Destination-Realm': profile.destinationRealm,
      'Auth-Application-Id': creditControl,
      'Service-Context-Id': profile.serviceContextId,
      'CC-Request-Type': requestTypes[type],
      'CC-Request-Number': step,
      'Event-Timestamp': seconds,
      'Subscription-Id': [
        { 'Subscription-Id-Type': endUserE164, 'Subscription-Id-Data': msisdn },
        { 'Subscription-Id-Type': endUserImsi, 'Subscription-Id-Data': imsi },
      ],
      ...(type === 'initial' ? { 'Multiple-Services-Indicator': multipleServicesSupported } : {}),
      ...(type === 'termination' ? { 'Termination-Cause': logout } : {}),
      'Multiple-Services-Credit-Control': profile.ratingGroups.map((ratingGroup) =>
        service(profile, { type, ratingGroup, random: randomFrom(low, step * 64 + ratingGroup) }),
      ),
      'Service-Information': {
        'PS-Information': {
          'SGSN-Address': [{ family: 1, address: '192.0.2.1' }],
          'GGSN-Address': [{ family: 1, address: '192.0.2.2' }],
          'Called-Station-Id': profile.apn,
        },
      },
    },
  );
  return {
    atUs,
    connection: profile.connection ?? 0,
    session: sessionId,
    afterAnswer: step > 0,
    request,
  };
}

function service(
  profile: Profile,
  of: { type: keyof typeof requestTypes; ratingGroup: number; random: () => number },
): Value<'Multiple-Services-Credit-Control'> {
  const asked = profile.askedOctets;
  const requested = asked === undefined ? {} : { 'CC-Total-Octets': BigInt(asked) };
  const total = Math.floor((profile.usedOctets * (1 + of.random())) / 2);
  const input = Math.floor(total * of.random() * 0.3);
  const used = {
    'CC-Total-Octets': BigInt(total),
    'CC-Input-Octets': BigInt(input),
    'CC-Output-Octets': BigInt(total - input),
  };
  const group = { 'Rating-Group': of.ratingGroup };
  switch (of.type) {
    case 'initial':
      return { ...group, 'Requested-Service-Unit': requested };
    case 'update':
      return {
        ...group,
        'Requested-Service-Unit': requested,
        'Used-Service-Unit': [used],
        'Reporting-Reason': [quotaExhausted],
      };
    case 'termination':
      return { ...group, 'Used-Service-Unit': [used], 'Reporting-Reason': [final] };
  }
}

/** Digits plus a number, leading zeros kept. */
function countedUp(first: string, by: number): string {
  return String(BigInt(first) + BigInt(by)).padStart(first.length, '0');
}

/** Uniform in [0, 1), from two numbers (the mulberry32 generator). */
function randomFrom(seed: number, stream: number): () => number {
  let state = (Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul((stream + 1) | 0, 0x85ebca6b)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
