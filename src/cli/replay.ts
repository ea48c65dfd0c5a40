/** `tollkeeper replay`: sends a recorded trace to a server and tells how it answered. */
import { readFile } from 'node:fs/promises';
import { TollkeeperError } from '../errors.ts';
import { ConnectFailed } from '../trace/client.ts';
import { type Subscribers, subscriberList, subscriberRange } from '../trace/identities.ts';
import type { Pace } from '../trace/pace.ts';
import { type Progress, replay } from '../trace/replay.ts';
import { type Report, reportText } from '../trace/report.ts';
import {
  decimal,
  diameterIdentity,
  host,
  integer,
  type Kind,
  oneOf,
  onOff,
  word,
} from '../values.ts';
import { defineCommand } from './command.ts';
import { reasonOf, traceOperand } from './trace-file-operand.ts';

const maxRate = 1_000_000;

/** Requests a second, or as many as the server takes. */
function rate(): Kind<number | 'max'> {
  const number = decimal({ min: 0.001, max: maxRate });
  return {
    expects: `${number.expects}, or max`,
    placeholder: 'N|max',
    parse: (text) => (text === 'max' ? 'max' : number.parse(text)),
  };
}

export const command = defineCommand({
  name: 'replay',
  summary: 'Send a capture or trace to a Diameter server, and report its answers and latencies',
  usage: 'FILE',
  details:
    'FILE is a pcap, a pcapng, or a trace of `tollkeeper trace import`. Its credit-control ' +
    'requests are sent over real connections, with fresh Session-Ids and present times; each ' +
    'request of a session waits for the answer that its gateway waited for. Latencies count from ' +
    'the time at which a request should have gone out. Exits with 0 if every request was ' +
    'answered by a success or a charging outcome such as 4012.',
  examples: [
    'replay gateway.pcapng --host ocs1.example',
    'replay gateway.tktrace --rate 500 --repeat 20 --subscribers 491700000001+1000',
    'replay gateway.tktrace --rate max --outstanding 200 --connections 4 --json',
  ],
  flags: {
    host: { kind: host(), default: '127.0.0.1', description: 'The server.' },
    port: { kind: integer({ min: 1, max: 65_535 }), default: 3868, description: 'Its port.' },
    rate: {
      kind: rate(),
      description: 'Requests a second, or max: a closed loop; unset: the pace of the recording.',
    },
    speed: {
      kind: decimal({ min: 0.001, max: 10_000 }),
      default: 1,
      description: 'How many times faster than recorded; without --rate only.',
    },
    repeat: {
      kind: integer({ min: 1, max: 1_000_000_000 }),
      default: 1,
      description: 'How many times the whole trace is sent.',
    },
    connections: {
      kind: integer({ min: 1, max: 256 }),
      default: 1,
      description: 'Connections for each one in the trace.',
    },
    spread: {
      kind: oneOf('session', 'request'),
      default: 'session',
      description: 'What goes round the connections: whole sessions, or every request.',
    },
    outstanding: {
      kind: integer({ min: 1, max: 100_000 }),
      description: 'Requests without an answer at once; unset: 20 with --rate max, else 10000.',
    },
    timeout: {
      kind: decimal({ min: 0.01, max: 3600 }),
      default: 10,
      unit: 'seconds',
      description: 'How long an answer is waited for, and a request that is due for its sending.',
    },
    noWait: {
      kind: onOff(),
      default: false,
      description: 'Do not wait for the answer to the previous request of a session.',
    },
    subscribers: {
      kind: word('FILE|RANGE'),
      description:
        'Put the subscribers onto these: 491700000001-491700000020, 491700000001+20, or a file ' +
        'with one a line.',
    },
    originHost: {
      kind: diameterIdentity({ worker: false }),
      description: 'Our Origin-Host; unset: that of the trace.',
    },
    originRealm: {
      kind: diameterIdentity({ worker: false }),
      description: 'Our Origin-Realm; unset: that of the trace.',
    },
    renumber: {
      kind: onOff(),
      default: false,
      description: 'Number the requests of each session from 0 instead of as recorded.',
    },
  },
  async run(call) {
    const { flags } = call;
    const file = call.operands[0]!;
    const trace = await traceOperand(file);
    const subscribers = await readSubscribers(flags.subscribers);
    const stop = new AbortController();
    const onSignal = () => stop.abort();
    process.once('SIGINT', onSignal);
    const progress = progressLine();
    try {
      const report = await replay(trace, {
        host: flags.host,
        port: flags.port,
        pace: paceOf(flags),
        repeat: flags.repeat,
        connections: flags.connections,
        spread: flags.spread,
        wait: !flags.noWait,
        timeoutMs: flags.timeout * 1000,
        renumber: flags.renumber,
        signal: stop.signal,
        onProgress: progress.show,
        ...(flags.outstanding === undefined ? {} : { maxOutstanding: flags.outstanding }),
        ...(flags.originHost === undefined ? {} : { originHost: flags.originHost }),
        ...(flags.originRealm === undefined ? {} : { originRealm: flags.originRealm }),
        ...(subscribers === undefined ? {} : { subscribers }),
      });
      progress.clear();
      if (report.requests === 0) {
        const reason = 'there is no credit-control request in it';
        throw new TollkeeperError('TRACE_INVALID', { file, reason });
      }
      call.result<Report>(report, reportText);
      return report.success ? 0 : 1;
    } catch (error) {
      progress.clear();
      if (!(error instanceof ConnectFailed)) throw error;
      const { host, port } = flags;
      throw new TollkeeperError('PEER_UNREACHABLE', { host, port, reason: error.message });
    } finally {
      process.off('SIGINT', onSignal);
    }
  },
});

function paceOf(flags: {
  rate: number | 'max' | undefined;
  speed: number;
  outstanding: number | undefined;
}): Pace {
  if (flags.rate === 'max') return { kind: 'max', outstanding: flags.outstanding ?? 20 };
  if (flags.rate !== undefined) return { kind: 'rate', perSecond: flags.rate };
  return { kind: 'original', speed: flags.speed };
}

async function readSubscribers(from: string | undefined): Promise<Subscribers | undefined> {
  if (from === undefined) return undefined;
  const range = subscriberRange(from);
  if (range !== undefined) return range;
  let content: string;
  try {
    content = await readFile(from, 'utf8');
  } catch (error) {
    throw new TollkeeperError('FILE_UNREADABLE', { file: from, reason: reasonOf(error) });
  }
  const { subscribers, problems } = subscriberList(content);
  if (subscribers.length === 0) problems.push('it names no subscriber');
  if (problems.length === 0) return subscribers;
  const problem = `--subscribers ${from}: ${problems.slice(0, 20).join('; ')}`;
  throw new TollkeeperError('COMMAND_LINE_INVALID', { problem });
}

/** One line that is written over itself, on a terminal only. */
function progressLine(): { show: (progress: Progress) => void; clear: () => void } {
  if (!process.stderr.isTTY) return { show: () => {}, clear: () => {} };
  return {
    show({ requests, answered, inFlight, seconds }) {
      const rate = seconds > 0 ? (answered / seconds).toFixed(0) : '0';
      const counts = `${requests} requests, ${answered} answered (${rate} a second)`;
      process.stderr.write(`\r\u001b[K${counts}, ${inFlight} open, ${seconds.toFixed(1)} s`);
    },
    clear: () => process.stderr.write('\r\u001b[K'),
  };
}
