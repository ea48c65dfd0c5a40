/** What leaves by the log: readable, and without anybody's number, place or money. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLog, type LogOptions, maskSubscriber, sessionTag } from '../../src/log.ts';

function logged(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: 'trace',
    readable: false,
    write: (line) => lines.push(line),
    ...options,
  });
  return { log, lines, text: () => lines.join('') };
}

test('one JSON object a line, with time, level, the fields of the process and the text', () => {
  const { log, lines } = logged({ fields: { worker: 1 } });
  log.info({ partition: 7 }, 'claimed');
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{.*\}\n$/);
  expect(JSON.parse(lines[0]!)).toEqual({
    level: 'info',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    worker: 1,
    partition: 7,
    msg: 'claimed',
  });
});

test('on a terminal one readable line each, an error with its stack below', () => {
  const { log, text } = logged({ readable: true, fields: { worker: 0 } });
  log.warn({ peer: 'pgw1.epc.example', text: 'two words' }, 'gone');
  expect(text()).toMatch(
    /^[\d:.]{12} warn {2}gone worker=0 peer=pgw1\.epc\.example text="two words"\n$/,
  );
  log.error({ err: new Error('broken') }, 'a defect');
  expect(text()).toMatch(/error a defect worker=0\n {2}Error: broken\n {2} +at /);
});

test('what a client sends cannot forge a line or move the cursor', () => {
  const { log, lines } = logged({ readable: true });
  log.info({ peer: 'a\nforged\u001b[2J' }, 'b\r\nforged\u009b2J');
  expect(lines).toHaveLength(1);
  expect(lines[0]!.slice(0, -1)).not.toMatch(/\p{Cc}/u);
});

test('less important lines are not written', () => {
  const { log, lines } = logged({ level: 'warn' });
  log.info('nobody');
  log.warn('somebody');
  expect(lines).toHaveLength(1);
});

describe('never in the log', () => {
  const NUMBER = '491700000001';
  const IMSI = '262010000000001';

  test.each<[string, (log: ReturnType<typeof logged>['log']) => void]>([
    ['in a text', (log) => log.info(`no account for ${NUMBER} or +${NUMBER} (${IMSI})`)],
    ['in an inserted value', (log) => log.info('no account for %s', NUMBER)],
    ['as a subscriber', (log) => log.info({ subscriber: { kind: 'e164', id: NUMBER } }, 'x')],
    ['as a field of an account', (log) => log.info({ subscriber: `imsi:${IMSI}` }, 'x')],
    ['as a number', (log) => log.info({ imsi: Number(IMSI), msisdn: Number(NUMBER) }, 'x')],
    ['in an account', (log) => log.info({ account: `blue-${NUMBER}` }, 'x')],
    ['in a list', (log) => log.info({ subscribers: [`e164:${NUMBER}`, { id: IMSI }] }, 'x')],
    ['in a member name', (log) => log.info({ byNumber: { [NUMBER]: 1 } }, 'x')],
    ['in an error', (log) => log.error({ err: new Error(`${NUMBER} is unknown`) }, 'x')],
    ['in a cause', (log) => log.error(new Error('x', { cause: new Error(IMSI) }))],
    ['in a SIP URI', (log) => log.info({ subscriber: { kind: 'sip', id: `sip:+${NUMBER}@x` } })],
    ['in a NAI', (log) => log.info({ peerUser: `0${IMSI}@nai.epc.mnc001.mcc262.example` }, 'x')],
    ['in bytes', (log) => log.info({ bytes: Buffer.from(NUMBER) }, 'x')],
    ['in hexadecimal', (log) => log.info({ frame: Buffer.from(`x${NUMBER}xyz`).toString('hex') })],
    ['in a Session-Id', (log) => log.info({ sessionId: `pgw;1;2;${IMSI}` }, 'x')],
    ['in a child', (log) => log.child({ subscriber: `e164:${NUMBER}` }).info('x')],
  ])('a number %s', (_name, write) => {
    const { log, text } = logged();
    write(log);
    expect(text()).not.toBe('');
    for (const secret of [NUMBER, IMSI, Buffer.from(NUMBER).toString('hex')])
      expect(text()).not.toContain(secret);
  });

  test('C-232 a number wherever it stands in whatever is logged', () => {
    const place = fc.constantFrom<(text: string) => unknown>(
      (text) => text,
      (text) => `before ${text}, after`,
      (text) => `+${text}@ims.example`,
      (text) => Number(text),
      (text) => ({ [text]: 1 }),
      (text) => new Error(text),
      (text) => Buffer.from(text),
    );
    const nest = fc.array(fc.oneof(fc.string(), fc.constant(0)), { maxLength: 10 });
    const number = fc.stringMatching(/^[1-9]\d{9,14}$/);
    fc.assert(
      fc.property(number, place, nest, (secret, put, path) => {
        const { log, text } = logged();
        const value = path.reduce<unknown>(
          (inner, step) => (step === 0 ? [inner] : { [step]: inner }),
          put(secret),
        );
        log.info({ value }, 'x');
        log.error(value, 'x');
        return !text().includes(secret);
      }),
      { numRuns: 300 },
    );
  });

  test('C-232 a balance, an amount, a place, a token or a password', () => {
    const { log, text } = logged();
    log.info({
      account: 'family',
      counters: { 'a:main': 1255555 },
      available: 1255555,
      changes: [{ bucket: 'main', available: -1255555 }],
      cost: 1255555,
      userLocationInfo: '8262f210',
      nested: { deep: { balance: '1255555' } },
      headers: { authorization: 'Bearer abc' },
      url: 'redis://user:hunter2@host:6379',
    });
    for (const secret of ['1255555', '8262f210', 'abc', 'hunter2']) {
      expect(text()).not.toContain(secret);
    }
    expect(text()).toContain('"account":"family"');
    expect(text()).toContain('redis://***@host:6379');
  });
});

test('what an operator needs stays: tags of sessions, record ids, peers, figures', () => {
  const { log, text } = logged();
  log.info(
    {
      session: 'pgw;1;2',
      record: '1767323045000-17',
      ms: 12345678,
      dueAt: 1767323045000,
      peer: 'pgw1.x',
    },
    'x',
  );
  const line = JSON.parse(text());
  expect(line).toMatchObject({
    record: '1767323045000-17',
    ms: 12345678,
    dueAt: 1767323045000,
    peer: 'pgw1.x',
  });
  expect(line.session).toBe(sessionTag('pgw;1;2'));
  expect(sessionTag('pgw;1;2')).toMatch(/^s:[\w-]{12}$/);
  expect(sessionTag('pgw;1;3')).not.toBe(sessionTag('pgw;1;2'));
});

test.each([
  ['491700000001', '49170******1'],
  ['+491700000001', '+49170******1'],
  ['262010000000001', '26201*********1'],
  ['123456', '******'],
  ['alice@operator.example', 'a***@operator.example'],
  ['sip:+491700000001@ims.example', 'sip:+49170******1@ims.example'],
  ['sip:alice@ims.example', 'sip:a***@ims.example'],
  ['', '***'],
])('a masked subscriber: %s', (id, masked) => {
  expect(maskSubscriber(id)).toBe(masked);
  expect(maskSubscriber({ kind: 'private', id })).toBe(masked);
});
