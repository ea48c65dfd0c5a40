/**
 * Requests that the service starts, on whole workers and a real Redis: to a gateway that is connected
 * to another worker than the one that they come due on, that answers too late or never, whose worker
 * is killed while it is being asked, or that stands behind an agent.
 */
import { afterEach, describe, expect, test } from 'vitest';
import type { Wanted } from '../../src/charging/pending.ts';
import { chargeSettingsOf } from '../../src/cli/serve.ts';
import { askClient } from '../../src/engine/reauthorise.ts';
import { DiameterClient } from '../../src/trace/client.ts';
import { ASR, avp, message, only, P, type Parsed, parse, RAR, T } from '../peer/raw.ts';
import { Books, type ClientSession, provisioningOf, rangeOf } from './books.ts';
import { ccrBytes, readAnswer } from './gateway.ts';
import { E164, IMSI, Site, type SiteOptions, until } from './site.ts';

const GATEWAY = 'gw.example';
const SUBSCRIBER = `${E164}00000`;
const DESTINATION_HOST = 293;
/** A client is asked again after 0.4 s, 0.8 s, 1.6 s ... */
const QUICK = ['--client-answer-ms=200', '--deadline-ms=500', '--lease-ms=1000'];

let site: Site;
let books: Books;
let gateways: Gateway[] = [];

afterEach(async () => {
  for (const gateway of gateways) gateway.client.destroy();
  gateways = [];
  await site.stop();
  expect(site.defects).toEqual([]);
});

async function start(part: Partial<SiteOptions> = {}): Promise<void> {
  books = new Books();
  site = await Site.start({
    provisioning: provisioningOf({ accounts: rangeOf(8, SUBSCRIBER) }),
    ...{ settings: QUICK, ...part },
  });
}

/** A Result-Code to answer with, or nothing: the answer gets lost. */
type Behaviour = (request: Parsed) => number | undefined;

/** A network element on one worker: it keeps what it was asked, and answers as it is told. */
class Gateway {
  readonly asked: Parsed[] = [];
  readonly client: DiameterClient;

  static async connect(
    worker: number,
    { host = GATEWAY, behaviour = () => 2002 }: { host?: string; behaviour?: Behaviour } = {},
  ): Promise<Gateway> {
    const asked: Parsed[] = [];
    const client = await DiameterClient.connect({
      ...{ host: '127.0.0.1', port: site.workers[worker]!.port },
      ...{ originHost: host, originRealm: 'example' },
      onRequest(frame) {
        const request = parse(frame);
        if (request.command !== RAR && request.command !== ASR) return undefined;
        asked.push(request);
        const code = behaviour(request);
        return code === undefined ? Buffer.alloc(0) : answerTo(request, code);
      },
    });
    const gateway = new Gateway(client, asked);
    gateways.push(gateway);
    return gateway;
  }

  private constructor(client: DiameterClient, asked: Parsed[]) {
    this.client = client;
    this.asked = asked;
  }

  /** Asks in a session, and takes what was granted. */
  async ask(
    session: ClientSession,
    kind: Parameters<ClientSession['request']>[0],
    reports: Parameters<ClientSession['request']>[1],
  ): Promise<void> {
    const asked = session.request(kind, reports);
    const answer = readAnswer(await this.client.send(ccrBytes(asked)));
    expect(answer.code).toBe(2001);
    session.take(asked, answer);
  }
}

/** By hand: what the gateway says is not the product's codec's word. */
function answerTo(
  { command, application, hopByHop, endToEnd, avps }: Parsed,
  code: number,
): Buffer {
  return message({ command, application, hopByHop, endToEnd, flags: P }, [
    avp(263, only(avps, 263)),
    avp(268, code),
    avp(264, GATEWAY),
    avp(296, 'example'),
  ]);
}

const accountOf = (i: number) => ({
  tenant: 'blue',
  account: `a-${E164}${String(i).padStart(5, '0')}`,
});

function newSession(i = 0): ClientSession {
  return books.session(`${IMSI}0000000;${books.sessions.length}`, {
    account: accountOf(i).account,
    subscriber: `${E164}${String(i).padStart(5, '0')}`,
  });
}

const idOf = ({ name }: ClientSession) => `${GATEWAY};${name}`;
const textOf = (request: Parsed) => only(request, 263).toString();

/** The operator's word, from a process that serves nobody. */
async function want(session: ClientSession, kind: Wanted['kind'] = 'reauthorise'): Promise<string> {
  return askClient(
    {
      ...{ store: site.store, settings: chargeSettingsOf(site.settings) },
      clock: () => performance.now(),
    },
    idOf(session),
    {
      wanted: { kind, scope: {}, reason: 'operator' },
      ...{ mayServe: () => true, deadline: performance.now() + 5_000 },
    },
  );
}

async function pendingOf(session: ClientSession, i = 0) {
  const { session: stored } = await site.store.load(accountOf(i), idOf(session));
  return stored?.session.pending;
}

/** Workers that were woken for a session that is to be asked for something. */
const wokenWorkers = () =>
  new Set(
    site.lines
      .map((line) => JSON.parse(line) as { worker?: number; kind?: string; msg?: string })
      .filter(({ kind, msg }) => msg === 'timer' && kind === 'initiated')
      .map(({ worker }) => worker),
  );

describe('the gateway is on one worker', () => {
  test('C-205 B-130 and is asked once per session, whichever worker it comes due on', async () => {
    await start();
    const gateway = await Gateway.connect(0);
    const sessions = Array.from({ length: 8 }, (_, i) => newSession(i));
    for (const session of sessions) await gateway.ask(session, 'initial', [{ rg: 1, ask: 100 }]);
    await Promise.all(sessions.map((session) => want(session)));
    await until(async () => {
      const pending = await Promise.all(sessions.map(pendingOf));
      return pending.every((one) => one?.acknowledged);
    });
    expect(wokenWorkers()).toEqual(new Set([0, 1]));
    expect(gateway.asked.map(textOf).sort()).toEqual(sessions.map(idOf).sort());
    expect(gateway.asked.every(({ flags }) => (flags & T) === 0)).toBe(true);
    for (const session of sessions)
      await gateway.ask(session, 'update', [{ rg: 1, used: 10, ask: 100 }]);
    expect(await Promise.all(sessions.map(pendingOf))).toEqual(sessions.map(() => undefined));
    await books.check(site);
  });

  test('C-204 an answer that gets lost: the same request again, with T', async () => {
    await start();
    let lost = 2;
    const gateway = await Gateway.connect(0, { behaviour: () => (lost-- > 0 ? undefined : 2002) });
    const session = newSession();
    await gateway.ask(session, 'initial', [{ rg: 1, ask: 100 }]);
    await want(session);
    await until(async () => (await pendingOf(session))?.acknowledged === true);
    expect(gateway.asked.map(({ flags }) => (flags & T) !== 0)).toEqual([false, true, true]);
    expect(new Set(gateway.asked.map(({ endToEnd }) => endToEnd)).size).toBe(1);
    expect(new Set(gateway.asked.map(({ hopByHop }) => hopByHop)).size).toBe(3);
    await books.check(site);
  });

  test('C-202 its CCR crosses, on the other worker: it is the answer', async () => {
    await start();
    const session = newSession();
    const elsewhere = await Gateway.connect(1, { host: 'gw-b.example' });
    let crossing: Promise<void> | undefined;
    const gateway = await Gateway.connect(0, {
      behaviour() {
        crossing ??= elsewhere.ask(session, 'update', [{ rg: 1, used: 40, ask: 100 }]);
        return undefined;
      },
    });
    await gateway.ask(session, 'initial', [{ rg: 1, ask: 100 }]);
    await want(session);
    await until(() => crossing !== undefined);
    await crossing;
    expect(await pendingOf(session)).toBeUndefined();
    // What comes next takes the way that the last CCR came, and nothing comes before it.
    await want(session, 'abort');
    await until(() => elsewhere.asked.length > 0);
    expect(elsewhere.asked.map(({ command }) => command)).toEqual([ASR]);
    expect(gateway.asked.map(({ command }) => command)).toEqual([RAR]);
    await books.check(site);
  });

  test('C-204 5002: the session is over, and what it held is free', async () => {
    await start();
    const gateway = await Gateway.connect(0, { behaviour: () => 5002 });
    const session = newSession();
    await gateway.ask(session, 'initial', [{ rg: 1, ask: 100 }]);
    await want(session);
    await until(async () => {
      const { session: stored } = await site.store.load(accountOf(0), idOf(session));
      return stored?.session.state === 'abandoned';
    });
    session.end();
    await books.check(site);
  });

  test('ASR: it ends its session by a CCR-T on the other worker', async () => {
    await start();
    const gateway = await Gateway.connect(0, { behaviour: () => 2001 });
    const elsewhere = await Gateway.connect(1);
    const session = newSession();
    await gateway.ask(session, 'initial', [{ rg: 1, ask: 100 }]);
    await want(session, 'abort');
    await until(() => gateway.asked.length + elsewhere.asked.length > 0);
    expect([...gateway.asked, ...elsewhere.asked].map(({ command }) => command)).toEqual([ASR]);
    await elsewhere.ask(session, 'terminate', [{ rg: 1, used: 70 }]);
    await books.check(site);
  });

  test('B-130 behind an agent: the agent is given it, addressed to the gateway', async () => {
    await start();
    const relay = await Gateway.connect(0, { host: 'relay.example' });
    const sessions = Array.from({ length: 4 }, (_, i) => newSession(i));
    for (const session of sessions) await relay.ask(session, 'initial', [{ rg: 1, ask: 100 }]);
    await Promise.all(sessions.map((session) => want(session)));
    await until(() => relay.asked.length === sessions.length);
    expect(relay.asked.map((one) => only(one, DESTINATION_HOST).toString())).toEqual(
      sessions.map(() => GATEWAY),
    );
    await books.check(site);
  });
});

describe('the worker that holds the gateway', () => {
  test('C-205 is killed while the gateway is being asked: asked again through the other', async () => {
    await start({ processes: true });
    let killed: Promise<void> | undefined;
    const first = await Gateway.connect(0, {
      behaviour() {
        killed ??= site.workers[0]!.kill();
        return undefined;
      },
    });
    const session = newSession();
    await first.ask(session, 'initial', [{ rg: 1, ask: 100 }]);
    await want(session);
    await until(() => killed !== undefined);
    await killed;
    const second = await Gateway.connect(1);
    await until(async () => (await pendingOf(session))?.acknowledged === true);
    const [asked] = first.asked;
    expect(second.asked).toMatchObject([{ command: RAR, endToEnd: asked!.endToEnd }]);
    expect(second.asked[0]!.flags & T).toBe(T);
    await second.ask(session, 'update', [{ rg: 1, used: 30, ask: 100 }]);
    expect(await pendingOf(session)).toBeUndefined();
    await books.check(site);
  });

  test('is killed and started again: the gateway comes back to it and is asked there', async () => {
    const settings = ['--client-answer-ms=300', '--deadline-ms=500', '--lease-ms=1000'];
    await start({ processes: true, settings });
    const before = await Gateway.connect(0);
    const sessions = Array.from({ length: 4 }, (_, i) => newSession(i));
    for (const session of sessions) await before.ask(session, 'initial', [{ rg: 1, ask: 100 }]);
    await site.workers[0]!.kill();
    await Promise.all(sessions.map((session) => want(session)));
    await site.startWorker(0);
    const after = await Gateway.connect(0);
    await until(() => after.asked.length >= sessions.length);
    expect(new Set(after.asked.map(textOf))).toEqual(new Set(sessions.map(idOf)));
    await books.check(site);
  });

  test('takes leave: nothing says any more that it holds the gateway', async () => {
    await start({ processes: true });
    const gateway = await Gateway.connect(0);
    await until(async () => (await site.store.holdersOf(GATEWAY)).length === 1);
    expect(await site.store.holdersOf(GATEWAY)).toEqual(['worker-0']);
    const stopped = site.workers[0]!.stop();
    await gateway.client.closed;
    await stopped;
    expect(await site.store.holdersOf(GATEWAY)).toEqual([]);
    expect(await site.store.connection.redis.exists(`tk:peer:${GATEWAY}`)).toBe(0);
    await books.check(site);
  });
});
