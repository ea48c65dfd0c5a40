/** The command line: words to a call, help, exit codes, and what goes to which stream. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/run.ts';

const folder = new URL('./commands/', import.meta.url);
const main = new URL('../../src/main.ts', import.meta.url).pathname;

async function run(line: string, env: Record<string, string> = {}) {
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine({
    argv: line.split(' ').filter((word) => word !== ''),
    env,
    folder,
    stdout: (text) => {
      stdout += text;
    },
    stderr: (text) => {
      stderr += text;
    },
  });
  return { code, stdout, stderr };
}

describe('calling', () => {
  test('operands, flags and settings arrive; results and notes go to their streams', async () => {
    expect(await run('greet Ada Countess --times 2 --loudly --workers=4')).toEqual({
      code: 0,
      stdout: 'HELLO ADA COUNTESS\nHELLO ADA COUNTESS\n',
      stderr: 'greeting with 4 workers\n',
    });
  });

  test('--json writes one object a line', async () => {
    const { stdout } = await run('greet Ada --times=2 --json');
    expect(stdout).toBe('{"greeting":"hello Ada","n":0}\n{"greeting":"hello Ada","n":1}\n');
  });

  test('a flag of a command may have the name of a setting that it does not take', async () => {
    const { stderr } = await run('greet Ada --origin-host=greeter.example');
    expect(stderr).toContain('from greeter.example');
    const twice = await run('greet Ada --origin-host=a.example --origin-host=b.example');
    expect(twice.stderr).toContain('--origin-host is given more than once');
  });

  test('settings come from the environment too, and a flag wins', async () => {
    const env = { TOLLKEEPER_WORKERS: '7' };
    expect((await run('greet Ada', env)).stderr).toBe('greeting with 7 workers\n');
    expect((await run('greet Ada --workers=8', env)).stderr).toBe('greeting with 8 workers\n');
  });

  test('two words are one command, with any number of operands and an exit code', async () => {
    expect(await run('tree plant north south')).toMatchObject({
      code: 0,
      stdout: 'planted in north and south\n',
    });
    expect((await run('tree plant north --exit=1')).code).toBe(1);
  });

  test('after -- everything is an operand; a negative number is one anyway', async () => {
    expect((await run('tree plant -5 - -- --exit=1')).stdout).toBe(
      'planted in -5 and - and --exit=1\n',
    );
  });

  test('an internal command runs', async () => {
    expect((await run('probe')).stdout).toBe('probed\n');
  });
});

describe('refusing', () => {
  test.each([
    ['gret Ada', 'gret is not a command; did you mean greet?'],
    ['tree plan north', 'tree is followed by one of: plant, roots'],
    ['tree roots', 'tree is followed by one of: plant, roots'],
    ['tree', 'tree is followed by one of: plant, roots'],
    ['--loudly', '--loudly is not a command'],
    ['greet', 'tollkeeper greet: NAME is missing'],
    ['greet a b c', 'tollkeeper greet: "c" is too much'],
    ['tree plant', 'tollkeeper tree plant: FOREST... is missing'],
    ['greet Ada --time=2', 'tollkeeper greet: --time is not a flag of it; did you mean --times?'],
    ['greet Ada --times', 'tollkeeper greet: --times needs a value: a whole number from 1 to 9'],
    ['greet Ada --times=10', '--times must be a whole number from 1 to 9, not "10"'],
    ['greet Ada --times=1 --times=2', '--times is given more than once'],
    ['greet Ada --http-port=1', '--http-port is not a flag of it'],
    ['greet Ada -x', '-x is not a flag of it'],
    ['greet Ada --workers=0', '--workers: must be a whole number from 1 to 64, not "0"'],
  ])('%s', async (line, problem) => {
    const { code, stdout, stderr } = await run(line);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(problem);
  });

  test('all that is wrong with the words is said at once', async () => {
    const { stderr } = await run('greet --time=2 --ludly');
    expect(stderr).toContain('--time is not');
    expect(stderr).toContain('did you mean --loudly?');
    expect(stderr).toContain('NAME is missing');
  });

  test('a wrong environment stops a command that needs settings, and no other', async () => {
    const env = { TOLLKEEPER_WORKRS: '1', TOLLKEEPER_HTTP_PORT: 'x' };
    const { code, stderr } = await run('greet Ada', env);
    expect(code).toBe(2);
    expect(stderr).toContain('TOLLKEEPER_WORKRS: is not a setting');
    expect(stderr).toContain('TOLLKEEPER_HTTP_PORT: must be');
    expect((await run('tree plant north', env)).code).toBe(0);
  });

  test('a known error is a text with advice, or with --json an object; a defect shows its stack', async () => {
    const known = await run('greet Ada --fail=known');
    expect(known).toMatchObject({ code: 1, stdout: '' });
    expect(known.stderr).toBe(
      'There is no account a-1\nList them with `tollkeeper account list`. (ACCOUNT_UNKNOWN)\n',
    );
    const json = await run('greet Ada --fail=known --json');
    expect(JSON.parse(json.stderr)).toMatchObject({ code: 'ACCOUNT_UNKNOWN' });

    const defect = await run('greet Ada --fail=defect');
    expect(defect.code).toBe(1);
    expect(defect.stderr).toMatch(/\(DEFECT\)\nTypeError: not a function\n\s+at .*greet\.ts/);
  });
});

describe('help', () => {
  test.each(['', '--help', '-h', 'help'])(
    '"%s" lists the commands, not the internal ones',
    async (line) => {
      const { code, stdout, stderr } = await run(line);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(/^ {2}greet {7}Says a greeting\.$/m);
      expect(stdout).toMatch(/^ {2}tree plant {2}Plants trees\.$/m);
      expect(stdout).not.toMatch(/probe|roots/);
    },
  );

  test('a first word alone lists what can follow it', async () => {
    const { code, stdout } = await run('tree --help');
    expect(code).toBe(0);
    expect(stdout).toContain('tree plant');
    expect(stdout).not.toContain('greet');
  });

  test('a command shows its flags, settings, defaults and an example, whatever else is wrong', async () => {
    const { code, stdout } = await run('greet --help', { TOLLKEEPER_WORKRS: '1' });
    expect(code).toBe(0);
    expect(stdout).toBe(`tollkeeper greet - Says a greeting.

Usage
  tollkeeper greet NAME [TITLE] [flags]

Flags
  --times=N            How often. [1]
  --loudly             In capitals. [false]
  --origin-host=NAME   Who greets.
  --fail=known|defect  Fails in the way named.
  --json               Write results as JSON, one object a line.
  --help               Show this.

Settings (in the environment --log-level is TOLLKEEPER_LOG_LEVEL)
  --workers=N      Processes that serve Diameter; about one a processor core, less one for Redis.
                   [2]
  --redis-url=URL  The Redis that holds sessions, money and timers; unset: a private one is run.

Examples
  tollkeeper greet Ada
  tollkeeper greet Ada Countess --times=2
`);
  });
});

describe('the program', () => {
  test('every command for people has examples that name it, and a file named alike', async () => {
    const cli = new URL('../../src/cli/', import.meta.url);
    const own = ['command.ts', 'help.ts', 'run.ts'];
    for (const file of readdirSync(cli).filter((name) => !own.includes(name))) {
      const { command } = await import(new URL(file, cli).href);
      if (command === undefined) continue;
      expect(`${command.name.replace(' ', '-')}.ts`).toBe(file);
      if (command.internal === true) continue;
      for (const example of command.examples) {
        expect(example.startsWith(command.name), `${file}: ${example}`).toBe(true);
      }
    }
  });

  test('a reader that closes the pipe early is no crash', async () => {
    const child = spawn(process.execPath, [main, '--help'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (bytes) => {
      stderr += bytes;
    });
    child.stdout.destroy();
    const [code] = await once(child, 'close');
    expect([code, stderr]).toEqual([0, '']);
  });

  test('it says its version', async () => {
    expect(await run('--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });
});
