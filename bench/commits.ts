/**
 * Commits a second of the store against what redis-benchmark, which does nothing else, gets out of
 * the same server with the very same script and arguments: the update of a session with two
 * services, four movements, a record. Each commit is of a session of its own that must not exist
 * yet, because a commit goes through once only.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { AccountDefinition } from '../src/charging/account.ts';
import type { Answer } from '../src/charging/answer.ts';
import type { BucketChange } from '../src/charging/record.ts';
import type { Answered, Service } from '../src/charging/session.ts';
import { createLog } from '../src/log.ts';
import { commitCall } from '../src/store/redis/commit-call.ts';
import { scripts } from '../src/store/redis/scripts.ts';
import { openRedisStore, type RedisStore } from '../src/store/redis/store.ts';
import type { Commit } from '../src/store/store.ts';
import { answerParent, Child, cpuUs } from './child.ts';
import { type Figure, median } from './figure.ts';
import { startPrivateRedis } from './rig.ts';
import { GATEWAY } from './traffic.ts';

/** Commits at once, and the same for redis-benchmark in connections and pipelined calls. */
const OUTSTANDING = 200;
const CLIENTS = 8;
const PIPELINE = 25;
const PARTITIONS = 256;

interface Question {
  url: string;
  ms: number;
}

interface Reply {
  commits: number;
  perSecond: number;
  /** CPU time of the process per commit. */
  cpuUs: number;
}

export async function* commits({
  ms,
  times,
  calls,
}: {
  ms: number;
  times: number;
  /** Of redis-benchmark, each time. */
  calls: number;
}): AsyncGenerator<Figure> {
  const redis = await startPrivateRedis('memory');
  const child = new Child<Question, Reply>('commits.ts');
  try {
    const { url, socketPath } = redis.server;
    await child.ask({ url, ms });
    const store: number[] = [];
    const client: number[] = [];
    const server: number[] = [];
    const ceiling: number[] = [];
    const ceilingServer: number[] = [];
    const argv = await commandLine(url);
    for (let i = 0; i < times; i += 1) {
      let before = await redis.cpuUs();
      const reply = await child.ask({ url, ms });
      store.push(reply.perSecond);
      client.push(reply.cpuUs);
      server.push(((await redis.cpuUs()) - before) / reply.commits);
      before = await redis.cpuUs();
      ceiling.push(await benchmark(socketPath, argv, calls));
      ceilingServer.push(((await redis.cpuUs()) - before) / calls);
    }
    const of = { bench: 'commits', with: { outstanding: OUTSTANDING } };
    const same = { clients: CLIENTS, pipeline: PIPELINE };
    yield { ...of, name: 'commits of the store', unit: '1/s', ...median(store) };
    yield { ...of, name: 'CPU of its process per commit', unit: 'us', ...median(client) };
    yield { ...of, name: 'CPU of Redis per commit', unit: 'us', ...median(server) };
    yield {
      ...of,
      with: same,
      name: 'the same by redis-benchmark',
      unit: '1/s',
      ...median(ceiling),
    };
    yield { ...of, name: 'CPU of Redis per call of that', unit: 'us', ...median(ceilingServer) };
  } finally {
    await child.stop();
    await redis.stop();
  }
}

const at = 1_767_225_600_000;

const definition: AccountDefinition = {
  ...{ tenant: 'blue', account: 'a-1', plan: 'data', status: 'active', maxSessions: 1_000_000 },
  buckets: [
    { id: 'bundle', unit: 'octets', priority: 1, floor: 0 },
    { id: 'main', unit: 'money', priority: 9, floor: 0 },
  ],
  subscribers: ['e164:491700000001'],
};
const account = { tenant: definition.tenant, account: definition.account };
const subscriber = { kind: 'e164', id: '491700000001' } as const;
const client = { host: GATEWAY.host, realm: GATEWAY.realm };
const context = '32251@3gpp.org';

/** An update of a session with two services that has answered five requests. */
function update(sessionId: string): Commit {
  const services = [1, 2].map((ratingGroup): Service => {
    const bucket = ratingGroup === 1 ? 'bundle' : 'main';
    return {
      ...{ ratingGroup, serviceIds: [], rule: 'internet', planVersion: 1, unit: 'octets' },
      price: { amount: 10_000, per: 1_000_000, increment: 1_000 },
      grant: {
        parts: [{ bucket, units: 1_000_000, amount: 10_000 }],
        ...{ units: 1_000_000, validUntil: at + 3_600_000, final: false },
      },
      ...{ used: 2_123_456, rated: 2_123_456, cost: 21_240 },
    };
  });
  return {
    ...{ account, epoch, accountVersion: 1 },
    session: {
      ...{ key: sessionId, expected: 0, index: 'keep', timer: 'keep' },
      value: {
        ...{ sessionId, account, subscriber, client, context, state: 'open', openedAt: at },
        ...{ changedAt: at, superviseAt: at + 7_200_000, armedAt: at + 540_000, services },
        ...{ answers: [...earlier, answered(4)], seen: [[0, 4]] },
      },
    },
    movements: [
      { field: 'a:bundle', delta: -1, min: 0 },
      { field: 'r:bundle', delta: 1 },
      { field: 'a:main', delta: -1, min: 0 },
      { field: 'r:main', delta: 1 },
    ],
    record: {
      ...{ kind: 'update', at, account, sessionId, requestNumber: 4, subscriber, context },
      ...{ client: client.host, outcome: 'success' },
      services: services.map(({ ratingGroup, rule, planVersion, unit }) => ({
        ...{ ratingGroup: ratingGroup!, serviceIds: [], rule, planVersion, unit, used: 500_000 },
        ...{ cost: 5_000, granted: 1_000_000, outcome: 'success', reasons: [3] },
      })),
      changes: ['bundle', 'main'].flatMap((bucket): BucketChange[] => [
        { bucket, cause: 'debit', available: 0, reserved: -500_000 },
        { bucket, cause: 'release', available: 500_000, reserved: -500_000 },
        { bucket, cause: 'reserve', available: -1_000_000, reserved: 1_000_000 },
      ]),
    },
  };
}

function answered(number: number): Answered {
  const services = [1, 2].map((ratingGroup): Answer['services'][number] => ({
    ...{ ratingGroup, serviceIds: [], outcome: 'success', validitySeconds: 3_600 },
    granted: { unit: 'octets', units: 1_000_000 },
  }));
  const answer: Answer = { outcome: 'success', level: 'services', services };
  return { number, digest: 2 ** 52 + number, at, answer };
}

const earlier = [0, 1, 2, 3].map(answered);
let epoch = 0;

async function open(url: string): Promise<RedisStore> {
  const log = createLog({ level: 'warn' });
  const options = { url, partitions: PARTITIONS, durability: 'memory', lab: false, log } as const;
  const store = await openRedisStore(options);
  const plenty = { bundle: 2 ** 50, main: 2 ** 50 };
  await store.createAccount(definition, plenty);
  epoch = (await store.load(account)).epoch;
  return store;
}

async function commitAll({ url, ms }: Question): Promise<Reply> {
  const store = await open(url);
  const run = Date.now();
  const cpu = cpuUs();
  const startedAt = performance.now();
  let done = 0;
  await Promise.all(
    Array.from({ length: OUTSTANDING }, async (_, lane) => {
      for (let i = 0; performance.now() < startedAt + ms; i += 1) {
        const reply = await store.commit(update(`${GATEWAY.host};${run};${lane};${i}`));
        if (reply.kind !== 'committed') throw new Error(`a commit was replied ${reply.kind}`);
        done += 1;
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  const used = cpuUs() - cpu;
  await store.close();
  return { commits: done, perSecond: done / seconds, cpuUs: used / done };
}

/**
 * The command line of redis-benchmark for one such commit. Its random part becomes that of the
 * session's key; a command line carries no NUL, so that the encoded session and the record, which
 * the script does not look into, are text of the same length.
 */
async function commandLine(url: string): Promise<string[]> {
  const store = await open(url);
  const keys = store.keysOf(store.partitionOf(account));
  const commit = update(`${GATEWAY.host};${Date.now()};0;0`);
  const call = commitCall(keys, commit);
  await store.close();
  const session = keys.session(RANDOM.padEnd(22, 'x'));
  const names = call.keys.map((key) => (key.startsWith(keys.session('')) ? session : key));
  const args = call.args.map((arg) =>
    typeof arg === 'object' ? 'x'.repeat(arg.length) : String(arg),
  );
  return ['evalsha', scripts.commit.sha, String(names.length), ...names, ...args];
}

const RANDOM = '__rand_int__';
const RANDOM_RANGE = 999_999_999_999;

/** Calls a second. Of sessions that come up twice by chance the second commit is a conflict. */
async function benchmark(socket: string, argv: readonly string[], calls: number): Promise<number> {
  const options = ['-s', socket, '-n', calls, '-c', CLIENTS, '-P', PIPELINE, '-r', RANDOM_RANGE];
  const { stdout } = await promisify(execFile)('redis-benchmark', [
    ...options.map(String),
    ...['--csv', ...argv],
  ]);
  const perSecond = Number(stdout.match(/","([0-9.]+)"/)?.[1]);
  if (!(perSecond > 0)) throw new Error(`redis-benchmark said: ${stdout}`);
  return perSecond;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) answerParent(commitAll);
