/**
 * What the customers of a small MVNE do in a day, without the pauses. Each account is played by
 * itself, one request after the other; the accounts run side by side. Only the devices of a fleet
 * overlap on one account, and the requests of one device too: there every octet costs the same, so
 * that no order of events changes what is owed.
 */

import type { CCR } from '../../src/diameter/commands.ts';
import { decode } from '../../src/diameter/decode.ts';
import { encode } from '../../src/diameter/encode.ts';
import type { Value } from '../../src/diameter/message.ts';
import type { Gateways } from './gateways.ts';
import { DATA, SMS, VOICE } from './prices.ts';
import type { Chance } from './random.ts';
import type { Entry, Line } from './rater.ts';

export interface Player {
  tenant: string;
  account: string;
  /** E.164 numbers that share the account. */
  numbers: readonly string[];
  chance: Chance;
  /** About how many requests it sends in the day. */
  requests: number;
  /** A fleet's devices all at once, others one after the other. */
  overlaps: boolean;
}

export interface Day {
  gateways: Gateways;
  /** How often a request is sent twice. */
  copies: number;
  log(entry: Entry): void;
  /** After every request that was answered. */
  counted(resultCodes: readonly number[]): void;
}

const REQUEST_TYPES = { initial: 1, update: 2, termination: 3, event: 4 } as const;
const SUCCESS = 2001;

/** Plays one account through its day. */
export async function play(player: Player, day: Day): Promise<void> {
  if (player.overlaps) {
    const share = Math.ceil(player.requests / player.numbers.length);
    await Promise.all(
      player.numbers.map((number, i) => playDevice(player, day, { number, i, requests: share })),
    );
    return;
  }
  const { chance } = player;
  for (let sent = 0; sent < player.requests; ) {
    const number = chance.pick(player.numbers);
    const kind = chance.next();
    if (kind < 0.6) sent += await dataSession(player, day, { number });
    else if (kind < 0.8) sent += await call(player, day, { number });
    else sent += await message(player, day, { number });
  }
}

interface Turn {
  number: string;
}

interface Quota {
  granted: bigint;
  final: boolean;
  /** When the tariff changes within it, in ms. */
  changesAt: number | undefined;
}

interface Report {
  ratingGroup: number | undefined;
  used?: bigint;
  usedAfter?: bigint;
  changedAt?: number;
  ask: boolean;
}

/** One session as its gateway keeps it. */
class GatewaySession {
  readonly id: string;
  readonly quotas = new Map<number | undefined, Quota>();
  lastAt: number;
  #number = 0;
  readonly #player: Player;
  readonly #day: Day;
  readonly #of: { number: string; context: string; called?: string; visited?: string };

  constructor(
    player: Player,
    day: Day,
    of: { number: string; context: string; called?: string; visited?: string; at: number },
  ) {
    this.#player = player;
    this.#day = day;
    this.#of = of;
    this.lastAt = of.at;
    this.id = `gw.example;day;${player.account};${sessions++}`;
  }

  /** False: refused; there is no session then, or no more. */
  async ask(
    kind: 'initial' | 'update' | 'termination',
    at: number,
    reports: readonly Report[],
  ): Promise<boolean> {
    const { number, ...of } = this.#of;
    const answered = await exchange(this.#player, this.#day, {
      // Each request is of its own time, not of the session's first.
      ...{ ...of, kind, session: this.id, requestNumber: this.#number++, number, at, reports },
    });
    this.lastAt = at;
    const { codes, quotas } = answered;
    if (codes[0] !== SUCCESS) return false;
    for (const { ratingGroup } of reports) {
      const quota = quotas.get(ratingGroup);
      if (quota === undefined || quota.granted === 0n) this.quotas.delete(ratingGroup);
      else this.quotas.set(ratingGroup, quota);
    }
    return true;
  }

  /** What was used of a service since it was granted, as its gateway reports it at `at`. */
  report(
    ratingGroup: number | undefined,
    at: number,
    { part, ask }: { part: number; ask: boolean },
  ) {
    const quota = this.quotas.get(ratingGroup);
    const report: Report = { ratingGroup, ask };
    if (quota === undefined) return report;
    const used = BigInt(Math.round(Number(quota.granted) * part));
    const { changesAt } = quota;
    if (changesAt === undefined || at <= changesAt) return { ...report, used };
    // Used evenly since the last report.
    const after = Math.round((Number(used) * (at - changesAt)) / Math.max(1, at - this.lastAt));
    const usedAfter = BigInt(Math.min(Number(used), after));
    return { ...report, used: used - usedAfter, usedAfter, changedAt: changesAt };
  }
}

let sessions = 0;

async function dataSession(player: Player, day: Day, { number }: Turn): Promise<number> {
  const { chance } = player;
  const groups = chance.hits(0.5) ? [1] : chance.pick([[1, 2], [1, 3], [3], [1, 2, 3]]);
  const visited = chance.hits(0.1) ? chance.pick(['20801', '22201', '310410']) : '26201';
  const session = new GatewaySession(player, day, {
    ...{ number, context: DATA, visited, at: Date.now() },
  });
  const ask = groups.map((ratingGroup) => ({ ratingGroup, ask: true }));
  if (!(await session.ask('initial', session.lastAt, ask))) return 1;
  let sent = 2;
  for (let left = chance.between(1, 6); left > 0 && session.quotas.size > 0; left--, sent++) {
    const at = Date.now();
    const some = groups.filter(() => chance.hits(0.8));
    const reports = some.map((ratingGroup) => {
      const final = session.quotas.get(ratingGroup)?.final ?? false;
      const part = chance.hits(0.05) ? 1 + chance.next() / 2 : chance.next();
      return session.report(ratingGroup, at, { part, ask: !final || chance.hits(0.3) });
    });
    if (!(await session.ask('update', at, reports))) return sent;
  }
  const at = Date.now();
  const last = groups.map((group) =>
    session.report(group, at, { part: chance.next(), ask: false }),
  );
  await session.ask('termination', at, last);
  return sent;
}

async function call(player: Player, day: Day, { number }: Turn): Promise<number> {
  const { chance } = player;
  const called = chance.pick(['4917012345678', '4930123456', '33123456789', '4418001234567']);
  const session = new GatewaySession(player, day, {
    ...{ number, context: VOICE, called, at: Date.now() },
  });
  const service = { ratingGroup: undefined };
  if (!(await session.ask('initial', session.lastAt, [{ ...service, ask: true }]))) return 1;
  let sent = 2;
  for (let left = chance.between(0, 3); left > 0 && session.quotas.size > 0; left--, sent++) {
    const at = Date.now();
    if (!(await session.ask('update', at, [session.report(undefined, at, { part: 1, ask: true })])))
      return sent;
  }
  const at = Date.now();
  const part = chance.next();
  await session.ask('termination', at, [session.report(undefined, at, { part, ask: false })]);
  return sent;
}

/** A text message, debited at once; some are given back. */
async function message(player: Player, day: Day, { number }: Turn): Promise<number> {
  const { chance } = player;
  const event = `gw.example;day;${player.account};${sessions++}`;
  const debit = { kind: 'event', session: event, requestNumber: 0, number, context: SMS } as const;
  const { codes, refundInformation } = await exchange(player, day, {
    ...{ ...debit, at: Date.now(), called: '491701111111' },
    reports: [{ ratingGroup: undefined, used: BigInt(chance.between(1, 3)), ask: true }],
  });
  if (codes[0] !== SUCCESS || refundInformation === undefined || !chance.hits(0.1)) return 1;
  await exchange(player, day, {
    ...{ ...debit, session: `${event};back`, at: Date.now(), refunds: event },
    refundInformation,
    reports: [{ ratingGroup: undefined, ask: true }],
  });
  return 2;
}

/** A device of a fleet: two services that report independently of each other, at the same time. */
async function playDevice(
  player: Player,
  day: Day,
  { number, i, requests }: { number: string; i: number; requests: number },
): Promise<void> {
  const { chance } = player;
  const groups = [10, 11];
  for (let sent = 0; sent < requests; ) {
    const session = new GatewaySession(player, day, {
      ...{ number, context: DATA, at: Date.now() },
    });
    const ask = groups.map((ratingGroup) => ({ ratingGroup, ask: true }));
    if (!(await session.ask('initial', session.lastAt, ask))) return;
    sent += 2;
    for (let left = 2 + (i % 4); left > 0; left--) {
      const at = Date.now();
      const reports = groups.map((group) =>
        session.report(group, at, { part: chance.next(), ask: true }),
      );
      const together = await Promise.all(
        reports.map((report) => session.ask('update', at, [report])),
      );
      sent += together.length;
    }
    const at = Date.now();
    const last = groups.map((group) => session.report(group, at, { part: 0.5, ask: false }));
    await session.ask('termination', at, last);
  }
}

interface Exchange {
  kind: keyof typeof REQUEST_TYPES;
  session: string;
  requestNumber: number;
  number: string;
  context: string;
  at: number;
  called?: string;
  visited?: string;
  reports: readonly Report[];
  refunds?: string;
  refundInformation?: Buffer;
}

interface Answered {
  /** Of the command, then of each service. */
  codes: readonly number[];
  quotas: ReadonlyMap<number | undefined, Quota>;
  refundInformation: Buffer | undefined;
}

async function exchange(player: Player, day: Day, what: Exchange): Promise<Answered> {
  const bytes = encode(
    'CCR',
    { applicationId: 4, hopByHop: 0, endToEnd: ++endToEnd, proxiable: true },
    requestOf(what),
  );
  const answer = await day.gateways.send(bytes, player.chance, day.copies);
  const answered = read(answer);
  day.counted(answered.codes);
  const entry = entryOf(player, what, answered);
  if (entry !== undefined) day.log(entry);
  return answered;
}

let endToEnd = 0;

/** Undefined: nothing was carried out. */
function entryOf(player: Player, what: Exchange, answered: Answered): Entry | undefined {
  const { kind, session, context, at, called, visited, refunds } = what;
  if (answered.codes[0] !== SUCCESS) return undefined;
  const isEvent = kind === 'event';
  const lines = what.reports.map((report): Line => {
    const { ratingGroup, used = 0n, usedAfter = 0n, changedAt } = report;
    const quota = answered.quotas.get(ratingGroup);
    const granted = quota?.granted ?? 0n;
    return {
      ...{ key: String(ratingGroup ?? ''), ratingGroup, usedAfter, changedAt },
      changesAt: quota?.changesAt,
      ...(isEvent ? { used: granted, granted: 0n } : { used, granted }),
    };
  });
  return {
    ...{ account: player.account, session: isEvent ? '' : session, context, at, lines },
    ...(called === undefined ? {} : { called }),
    ...(visited === undefined ? {} : { visited }),
    ...(refunds === undefined ? {} : { refunds }),
    ...(isEvent ? { event: session } : {}),
    ends: kind === 'termination',
  };
}

type Service = Value<'Multiple-Services-Credit-Control'>;
type Units = Pick<
  Value<'Used-Service-Unit'>,
  'CC-Time' | 'CC-Total-Octets' | 'CC-Service-Specific-Units'
>;

function requestOf(what: Exchange): CCR {
  const { kind, session, requestNumber, number, context, at, reports } = what;
  return {
    'Session-Id': session,
    'Origin-Host': 'gw.example',
    'Origin-Realm': 'example',
    'Destination-Realm': 'tollkeeper.example',
    'Auth-Application-Id': 4,
    'Service-Context-Id': context,
    'CC-Request-Type': REQUEST_TYPES[kind],
    'CC-Request-Number': requestNumber,
    'Event-Timestamp': Math.floor(at / 1000),
    'Subscription-Id': [{ 'Subscription-Id-Type': 0, 'Subscription-Id-Data': number }],
    ...(kind === 'event' ? { 'Requested-Action': what.refunds === undefined ? 0 : 1 } : {}),
    ...(kind === 'termination' ? { 'Termination-Cause': 1 } : {}),
    'Multiple-Services-Credit-Control': reports.map((report) => serviceOf(what, report)),
    'Service-Information': informationOf(what),
  };
}

function serviceOf(
  { kind, context, refundInformation }: Exchange,
  { ratingGroup, used, usedAfter, ask }: Report,
): Service {
  const units = (amount: bigint): Units =>
    context === DATA
      ? { 'CC-Total-Octets': amount }
      : context === VOICE
        ? { 'CC-Time': Number(amount) }
        : { 'CC-Service-Specific-Units': amount };
  const service: Service = {};
  if (ratingGroup !== undefined) service['Rating-Group'] = ratingGroup;
  if (ask) service['Requested-Service-Unit'] = kind === 'event' && used ? units(used) : {};
  if (refundInformation !== undefined) service['Refund-Information'] = refundInformation;
  if (kind === 'event' || used === undefined) return service;
  service['Used-Service-Unit'] =
    usedAfter === undefined
      ? [units(used)]
      : [
          { ...units(used), 'Tariff-Change-Usage': 0 },
          { ...units(usedAfter), 'Tariff-Change-Usage': 1 },
        ];
  return service;
}

function informationOf({ context, called, visited }: Exchange): Value<'Service-Information'> {
  if (context === VOICE)
    return {
      'IMS-Information': {
        'Node-Functionality': 6,
        'Role-Of-Node': 0,
        'Called-Party-Address': `tel:+${called}`,
      },
    };
  if (context === SMS)
    return {
      'SMS-Information': {
        'Recipient-Info': [
          { 'Recipient-Address': [{ 'Address-Type': 1, 'Address-Data': called ?? '' }] },
        ],
      },
    };
  return {
    'PS-Information': {
      'Called-Station-Id': 'internet',
      ...(visited === undefined ? {} : { '3GPP-SGSN-MCC-MNC': visited }),
    },
  };
}

function read(answer: Buffer): Answered {
  const decoded = decode(answer);
  if (decoded.name !== 'CCA') {
    const code = decoded.name === 'answer-message' ? decoded.message['Result-Code'] : undefined;
    return { codes: [code ?? 0], quotas: new Map(), refundInformation: undefined };
  }
  const { message } = decoded;
  const services = message['Multiple-Services-Credit-Control'] ?? [];
  const quotas = new Map<number | undefined, Quota>();
  let refundInformation: Buffer | undefined;
  for (const service of services) {
    const units = service['Granted-Service-Unit'];
    const changesAt = units?.['Tariff-Time-Change'];
    refundInformation ??=
      service['Refund-Information'] && Buffer.from(service['Refund-Information']);
    quotas.set(service['Rating-Group'], {
      granted:
        units?.['CC-Total-Octets'] ??
        units?.['CC-Service-Specific-Units'] ??
        BigInt(units?.['CC-Time'] ?? 0),
      final: service['Final-Unit-Indication'] !== undefined,
      changesAt: changesAt === undefined ? undefined : changesAt * 1000,
    });
  }
  const codes = [message['Result-Code'] ?? 0, ...services.map((one) => one['Result-Code'] ?? 0)];
  return { codes, quotas, refundInformation };
}
