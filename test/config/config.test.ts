/** The settings table: what is read, what is refused, and that nobody learns of problems one by one. */
import { describe, expect, test } from 'vitest';
import {
  envName,
  flagName,
  originHostOf,
  originHosts,
  parseSettings,
  type Settings,
  settingNames,
  settingsTable,
  table,
  urlWithoutSecrets,
} from '../../src/config.ts';

function settings(...flags: string[]): Settings {
  const parsed = parseSettings({ env: {}, flags, folder: '/srv' });
  expect(parsed.problems).toBeUndefined();
  return parsed.settings!;
}

/** What is wrong with these flags or this environment, as `where problem` lines. */
function problems(flags: string[], env: Record<string, string> = {}): string[] {
  const parsed = parseSettings({ env, flags, folder: '/srv' });
  expect(parsed.settings).toBeUndefined();
  return parsed.problems!.map(({ where, problem }) => `${where} ${problem}`);
}

describe('reading', () => {
  test('with nothing given, every setting has its default and they fit each other', () => {
    const all = settings();
    expect(all.workers).toBe(2);
    expect(all.durability).toBe('fsync');
    expect(all.redisUrl).toBeUndefined();
    expect(Object.keys(all).sort()).toEqual([...settingNames].sort());
  });

  test('every default is a value that its own kind accepts', () => {
    for (const name of settingNames) {
      const setting: { default?: unknown; kind: { parse(text: string): unknown } } = table[name];
      if (setting.default === undefined) continue;
      expect(setting.kind.parse(String(setting.default)), name).toEqual(setting.default);
    }
  });

  test('a flag wins over the environment, and an empty variable is one that is not set', () => {
    const env = { TOLLKEEPER_WORKERS: '3', TOLLKEEPER_HTTP_PORT: '', PATH: '/bin' };
    const flags = ['--workers=5'];
    expect(parseSettings({ env }).settings).toMatchObject({ workers: 3, httpPort: 8080 });
    expect(parseSettings({ env, flags }).settings).toMatchObject({ workers: 5 });
  });

  test('a switch stands alone or has a value', () => {
    expect(settings('--lab').lab).toBe(true);
    expect(settings('--lab=false').lab).toBe(false);
    expect(problems(['--lab=perhaps'])).toEqual(['--lab must be true or false, not "perhaps"']);
  });

  test('paths are absolute; the records are in the data folder unless said otherwise', () => {
    expect(settings()).toMatchObject({ dataDir: '/srv/data', recordDir: '/srv/data/records' });
    expect(settings('--data-dir=/var/tk').recordDir).toBe('/var/tk/records');
    expect(settings('--record-dir=/cdr').recordDir).toBe('/cdr');
    expect(settings('--provisioning-file=mvne.yaml').provisioningFile).toBe('/srv/mvne.yaml');
  });

  test.each([
    ['redis://127.0.0.1:6379', 'redis://127.0.0.1:6379'],
    ['rediss://user:secret@redis.example:6380/2', 'rediss://user:secret@redis.example:6380/2'],
    ['unix:///run/redis.sock', '/run/redis.sock'],
    ['/run/redis.sock', '/run/redis.sock'],
  ])('Redis may be named as %s', (url, read) => {
    expect(settings(`--redis-url=${url}`).redisUrl).toBe(read);
  });

  test('workers have one Origin-Host or one each', () => {
    const one = settings('--workers=3');
    expect(originHosts(one)).toEqual(['ocs.tollkeeper.example']);
    const each = settings('--workers=3', '--origin-host=ocs{worker}.x.y', '--diameter-ports=each');
    expect(originHosts(each)).toEqual(['ocs0.x.y', 'ocs1.x.y', 'ocs2.x.y']);
    expect(originHostOf(each, 2)).toBe('ocs2.x.y');
  });
});

describe('refusing', () => {
  test('everything that is wrong is said at once', () => {
    const env = { TOLLKEEPER_WORKRS: '4', TOLLKEEPER_HTTP_PORT: '80a' };
    expect(problems(['--partitions=0', '--patitions=8'], env)).toEqual([
      'TOLLKEEPER_WORKRS is not a setting; did you mean TOLLKEEPER_WORKERS?',
      '--patitions is not a setting; did you mean --partitions?',
      '--partitions must be a whole number from 1 to 4096, not "0"',
      'TOLLKEEPER_HTTP_PORT must be a whole number from 0 to 65535, not "80a"',
    ]);
  });

  test.each([['1e3'], [' 7'], ['0x10'], ['-1'], ['2.5'], ['65'], [''], ['99999999999999999999']])(
    '"%s" is not a number of workers',
    (text) => {
      expect(problems([`--workers=${text}`])).toEqual([
        `--workers must be a whole number from 1 to 64, not "${text}"`,
      ]);
    },
  );

  test.each([
    ['http://127.0.0.1'],
    ['127.0.0.1:6379'],
    ['redis://'],
    ['redis://u:secret@h:99999'],
    ['redis://h:1?autoResendUnfulfilledCommands=true'],
    ['/run/redis.sock?password=secret'],
    ['//h:1'],
  ])('%s is no Redis, and is not repeated in the message', (url) => {
    expect(problems([`--redis-url=${url}`])).toEqual([
      '--redis-url must be redis://HOST:PORT, rediss://HOST:PORT or the path of a Unix socket',
    ]);
  });

  test('a flag that is given twice', () => {
    expect(problems(['--workers=2', '--workers=3'])).toEqual(['--workers is given more than once']);
  });

  test.each([
    [['--lease-ms=2000'], '--lease-ms, --deadline-ms'],
    [['--tombstone-seconds=7200'], '--duplicate-horizon-seconds, --tombstone-seconds'],
    [['--abandoned-tombstone-seconds=599'], '--abandoned-tombstone-seconds, --tombstone-seconds'],
    [
      ['--max-in-flight-per-connection=4001'],
      '--max-in-flight-per-connection, --max-in-flight-per-worker',
    ],
    [['--redis-url=/s', '--redis-server=/usr/bin/redis-server'], '--redis-url, --redis-server'],
    [['--redis-url=/s', '--redis-memory-megabytes=64'], '--redis-url, --redis-memory-megabytes'],
    [['--origin-host=o{worker}.x.y'], '--origin-host, --diameter-ports'],
    [['--http-host=0.0.0.0'], '--http-host, --http-tokens-file'],
    [['--http-host=::'], '--http-host, --http-tokens-file'],
    [['--diameter-port=65535', '--diameter-ports=each'], '--diameter-port, --workers'],
    [['--diameter-port=8079', '--diameter-ports=each'], '--http-port, --diameter-port'],
  ])('%j contradict each other', (flags, where) => {
    const [line, ...more] = problems(flags);
    expect(more).toEqual([]);
    expect(line!.startsWith(`${where} `)).toBe(true);
  });

  test('several contradictions are all named', () => {
    expect(problems(['--lease-ms=100', '--http-host=0.0.0.0', '--http-port=3868'])).toHaveLength(3);
  });
});

describe('showing', () => {
  test('a password never leaves by way of a log or a screen', () => {
    expect(urlWithoutSecrets('redis://user:p%40ss@h:1/2')).toBe('redis://***@h:1/2');
    expect(urlWithoutSecrets('redis://:a@b@h:1')).toBe('redis://***@h:1');
    expect(urlWithoutSecrets('/run/a@b.sock')).toBe('/run/a@b.sock');
  });

  test('the table has one row a setting', () => {
    const rows = settingsTable().split('\n').slice(2);
    expect(rows).toHaveLength(settingNames.length);
    for (const [at, name] of settingNames.entries()) {
      expect(rows[at]).toContain(`\`${envName(name)}\` | \`${flagName(name)}\``);
    }
  });
});
