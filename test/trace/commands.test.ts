// The commands as a user types them.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/run.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { sampleTrace } from '../../src/trace/sample.ts';
import { writeTrace } from '../../src/trace/trace-file.ts';
import { ethernet, ipv4, pcapng, tcp } from './packets.ts';
import { find, startToy, success, type Toy } from './toy-server.ts';

let folder = '';
let toy: Toy;
const path = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollkeeper-commands-'));
  const requests = sampleTrace().slice(0, 6);
  await writeTrace(path('six.tktrace'), 'the sample', requests);
  let sequence = 1;
  const packets = requests.map(({ request }) => {
    const packet = ethernet(ipv4(tcp({ sequence, payload: request })));
    sequence += request.length;
    return packet;
  });
  await writeFile(path('six.pcapng'), pcapng([...packets, ethernet(Buffer.alloc(5))]));
  await writeTrace(path('none.tktrace'), 'nothing', []);
  await writeFile(path('other.txt'), 'neither a capture nor a trace, but long enough');
  await writeFile(path('subscribers.txt'), '491799 imsi:262019999999999\n');
  await writeFile(path('wrong.txt'), 'x y\n');
  toy = await startToy({ answer: (request) => success(request, 2001, [2001]) });
});

afterAll(async () => {
  await toy.close();
  await rm(folder, { recursive: true });
});

async function tollkeeper(...argv: string[]) {
  const [stdout, stderr]: string[][] = [[], []];
  const code = await runCommandLine({
    argv,
    env: {},
    stdout: (text) => stdout!.push(text),
    stderr: (text) => stderr!.push(text),
  });
  return { code, stdout: stdout!.join(''), stderr: stderr!.join('') };
}

describe('trace', () => {
  test('import takes the requests out of a capture and writes provisioning that fits', async () => {
    const args = ['trace', 'import', path('six.pcapng'), path('out.tktrace'), '--json'];
    const { code, stdout } = await tollkeeper(...args, '--provisioning', path('out.yaml'));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      requests: 6,
      accounts: expect.any(Number),
      notes: [],
      problems: { total: 1, first: [{ text: 'an IPv4 header cut short' }] },
    });
    const loaded = loadProvisioning(await readFile(path('out.yaml'), 'utf8'), 'out.yaml');
    expect(loaded.ok).toBe(true);
    const [imported, original] = await Promise.all(
      ['out', 'six'].map((name) => tollkeeper('trace', 'show', path(`${name}.tktrace`), '--json')),
    );
    const what = (shown: string) =>
      shown
        .trim()
        .split('\n')
        .map((line) => {
          const { session, type, number, services } = JSON.parse(line);
          return { session, type, number, services };
        });
    expect(what(imported!.stdout)).toEqual(what(original!.stdout));
  });

  test('show has a line for each request', async () => {
    const { code, stdout } = await tollkeeper('trace', 'show', path('six.tktrace'));
    expect(code).toBe(0);
    expect(stdout.split('\n')[0]).toBe(
      '    0.000000  pgw.mvno-blue.example;11;667724298;0  initial 0  [rg 1, asks any]  [rg 2, asks any]',
    );
    expect(stdout.trim().split('\n')).toHaveLength(6);
  });

  test('what cannot be read or written is said', async () => {
    const missing = await tollkeeper('trace', 'show', path('missing'));
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('FILE_UNREADABLE') });
    const other = await tollkeeper('trace', 'show', path('other.txt'));
    expect(other).toMatchObject({ code: 2, stderr: expect.stringContaining('TRACE_INVALID') });
    const nowhere = await tollkeeper('trace', 'import', path('six.pcapng'), path('no/where'));
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('FILE_UNWRITABLE') });
    expect((await tollkeeper('trace', 'show', path('none.tktrace'))).code).toBe(1);
  });

  test('one of a thing is not written as several', async () => {
    await writeTrace(path('one.tktrace'), 'the sample', sampleTrace().slice(0, 1));
    const target = path('two.tktrace');
    const { stdout } = await tollkeeper('trace', 'import', path('one.tktrace'), target);
    expect(stdout).toBe('1 request of 1 session in 0.0 s\n');
  });
});

describe('replay', () => {
  const to = () => ['--port', String(toy.port)];

  test('sends a capture and reports', async () => {
    const before = toy.requests.length;
    const { code, stdout } = await tollkeeper(
      'replay',
      path('six.pcapng'),
      ...to(),
      '--rate',
      'max',
    );
    expect(code).toBe(0);
    expect(toy.requests.length - before).toBe(6);
    expect(stdout).toMatch(/^answered +6 /m);
    expect(stdout).toMatch(/^result codes +2001: 6$/m);
    expect(stdout).toMatch(/^problems +1 places/m);
  });

  test('--json is one object; subscribers come from a file', async () => {
    const args = ['--json', '--speed', '100', '--subscribers', path('subscribers.txt')];
    const { code, stdout } = await tollkeeper('replay', path('six.tktrace'), ...to(), ...args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ success: true, answered: 6, dropped: 0 });
    expect(find(toy.requests.at(-1)!, 443)!.includes('491799')).toBe(true);
  });

  test.each([
    ['a server that is not there', ['six.tktrace', '--port', '1'], 1, 'PEER_UNREACHABLE'],
    ['a trace without requests', ['none.tktrace'], 2, 'TRACE_INVALID'],
    ['a file of another kind', ['other.txt'], 2, 'TRACE_INVALID'],
    ['a rate that is none', ['six.tktrace', '--rate', 'fast'], 2, 'or max, not "fast"'],
    [
      'subscribers that are not there',
      ['six.tktrace', '--subscribers', '5-1'],
      2,
      'FILE_UNREADABLE',
    ],
  ])('%s', async (_name, [file = '', ...args], code, text) => {
    const ended = await tollkeeper('replay', path(file), ...args);
    expect(ended).toMatchObject({ code, stdout: '', stderr: expect.stringContaining(text) });
  });

  test('a list of subscribers with mistakes names their lines', async () => {
    const { code, stderr } = await tollkeeper(
      ...['replay', path('six.tktrace'), '--subscribers', path('wrong.txt')],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('line 1: x is neither a number nor kind:value');
  });

  test('answers that refuse end with 1', async () => {
    const refusing = await startToy({ answer: (request) => success(request, 5012) });
    const port = String(refusing.port);
    const { code } = await tollkeeper(
      'replay',
      path('six.tktrace'),
      '--port',
      port,
      '--rate',
      'max',
    );
    await refusing.close();
    expect(code).toBe(1);
  });
});
