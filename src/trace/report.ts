// What a replay found: counted while it runs, summed up at the end, written as text for people.
import { readHeader } from '../diameter/header.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import { Histogram } from './histogram.ts';
import type { Problem } from './problem.ts';
import { avpKey, keyOf, messageAvps, type RawAvp, rawAvps, unsigned32 } from './raw-avp.ts';

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
  readonly mean: number;
}

export interface Report {
  /** Every request was answered, and by a success or a charging outcome. */
  readonly success: boolean;
  readonly requests: number;
  readonly answered: number;
  /** Sent, but not answered in time. */
  readonly unanswered: number;
  /** Due, but never sent: the server or the connection left no room for them in time. */
  readonly dropped: number;
  /** Sent again, with the T flag, after the loss of a connection. */
  readonly resent: number;
  readonly reconnects: number;
  readonly connections: number;
  readonly seconds: number;
  readonly answersPerSecond: number;
  /** Milliseconds from the intended time of sending to the answer. */
  readonly latencyMs: Percentiles;
  /** Closed loop: each request is intended when the one before it leaves room, not by a clock. */
  readonly closedLoop: boolean;
  /** By Result-Code of the whole answer; Experimental-Result-Codes are written `experimental N`. */
  readonly resultCodes: Readonly<Record<string, number>>;
  /** By Result-Code of the services in the answers; `none` is a service without one. */
  readonly serviceResultCodes: Readonly<Record<string, number>>;
  readonly generator: GeneratorReport;
  /** Subscribers seen, and how many they were put onto; undefined without a mapping. */
  readonly subscribers: { readonly seen: number; readonly targets: number } | undefined;
  /** What of the trace could not be read. */
  readonly problems: { readonly total: number; readonly first: readonly Problem[] };
}

export interface GeneratorReport {
  /** Milliseconds by which sends were late although nothing but the generator held them up. */
  readonly lagMs: Percentiles;
  /** User and system time of this process, percent of one processor. */
  readonly cpuPercent: number;
  /** Part of the time that the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number;
  /** True if the figures tell about the generator rather than about the server. */
  readonly bottleneck: boolean;
}

/** Outcomes of charging that are no fault of anybody's (RFC 8506 9, RFC 6733 7.1.5). */
const chargingOutcomes: ReadonlySet<number> = new Set([
  resultCodes.DIAMETER_END_USER_SERVICE_DENIED,
  resultCodes.DIAMETER_CREDIT_CONTROL_NOT_APPLICABLE,
  resultCodes.DIAMETER_CREDIT_LIMIT_REACHED,
  resultCodes.DIAMETER_AUTHORIZATION_REJECTED,
  resultCodes.DIAMETER_USER_UNKNOWN,
  resultCodes.DIAMETER_RATING_FAILED,
]);

/** Above it latencies are the generator's own. */
const lagLimitMs = 10;
const busyLimit = 0.9;

export class Tally {
  readonly latencyUs = new Histogram();
  readonly lagUs = new Histogram();
  readonly resultCodes: Record<string, number> = {};
  readonly serviceResultCodes: Record<string, number> = {};
  requests = 0;
  answered = 0;
  unanswered = 0;
  dropped = 0;
  resent = 0;
  reconnects = 0;
  #refused = 0;

  answer(message: Buffer, latencyMs: number): void {
    this.answered += 1;
    this.latencyUs.record(latencyMs * 1000);
    const avps = messageAvps(message) ?? [];
    const outcome = outcomeOf(message, avps);
    this.resultCodes[outcome.name] = (this.resultCodes[outcome.name] ?? 0) + 1;
    if (!outcome.acceptable || readHeader(message).error) this.#refused += 1;
    for (const avp of avps) {
      if (avpKey(avp) !== keyOf.services) continue;
      const members = rawAvps(message, avp.dataStart, avp.dataEnd) ?? [];
      const code = codeIn(message, members, keyOf.resultCode) ?? 'none';
      this.serviceResultCodes[code] = (this.serviceResultCodes[code] ?? 0) + 1;
    }
  }

  get success(): boolean {
    return this.#refused === 0 && this.unanswered === 0 && this.dropped === 0;
  }
}

function outcomeOf(message: Buffer, avps: RawAvp[]): { name: string; acceptable: boolean } {
  const code = codeIn(message, avps, keyOf.resultCode);
  if (code !== undefined) {
    const acceptable = Math.floor(code / 1000) === 2 || chargingOutcomes.has(code);
    return { name: String(code), acceptable };
  }
  const group = avps.find((avp) => avpKey(avp) === keyOf.experimentalResult);
  const members = group === undefined ? [] : rawAvps(message, group.dataStart, group.dataEnd);
  const experimental = codeIn(message, members ?? [], keyOf.experimentalResultCode);
  if (experimental === undefined) return { name: 'none', acceptable: false };
  const acceptable = Math.floor(experimental / 1000) === 2;
  return { name: `experimental ${experimental}`, acceptable };
}

function codeIn(message: Buffer, avps: RawAvp[], key: number): number | undefined {
  const avp = avps.find((each) => avpKey(each) === key);
  return avp === undefined ? undefined : unsigned32(message, avp);
}

/** Percentiles in milliseconds of a histogram in microseconds. */
export function percentilesMs(us: Histogram): Percentiles {
  const at = (percent: number) => us.percentile(percent) / 1000;
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: us.max / 1000,
    mean: us.mean / 1000,
  };
}

export function judgeGenerator(
  lagUs: Histogram,
  load: { cpuPercent: number; eventLoopUtilization: number },
): GeneratorReport {
  const lagMs = percentilesMs(lagUs);
  const bottleneck = lagMs.p99 > lagLimitMs || load.eventLoopUtilization > busyLimit;
  return { lagMs, ...load, bottleneck };
}

/** The report as lines for people. */
export function reportText(report: Report): string {
  const { latencyMs, generator } = report;
  const from = report.closedLoop
    ? 'from sending (closed loop)'
    : 'from the intended time of sending';
  const lines = [
    row('requests', `${report.requests} in ${report.seconds.toFixed(2)} s`),
    row('answered', `${report.answered} (${report.answersPerSecond.toFixed(1)} a second)`),
    row('latency', `${percentileText(latencyMs)}  ${from}`),
    row('result codes', codesText(report.resultCodes)),
    row('of services', codesText(report.serviceResultCodes)),
  ];
  const trouble: [string, number, string][] = [
    ['unanswered', report.unanswered, 'sent, but not answered in time'],
    ['dropped', report.dropped, 'due, but never sent'],
    ['resent', report.resent, 'after the loss of a connection, with the T flag'],
    ['reconnects', report.reconnects, ''],
  ];
  for (const [name, count, meaning] of trouble) {
    if (count > 0) lines.push(row(name, meaning === '' ? `${count}` : `${count} (${meaning})`));
  }
  if (report.subscribers !== undefined) {
    const { seen, targets } = report.subscribers;
    lines.push(row('subscribers', `${seen} put onto ${targets}`));
  }
  const busy = (100 * generator.eventLoopUtilization).toFixed(0);
  const load = `CPU ${generator.cpuPercent.toFixed(0)} %, event loop ${busy} %`;
  lines.push(row('generator', `lag p99 ${ms(generator.lagMs.p99)}, ${load}`));
  if (generator.bottleneck) {
    lines.push(row('', 'The generator was the bottleneck: the latencies are partly its own.'));
  }
  if (report.problems.total > 0) {
    lines.push(row('problems', `${report.problems.total} places in the trace were not understood`));
    for (const { offset, text } of report.problems.first.slice(0, 5)) {
      lines.push(row('', `at ${offset}: ${text}`));
    }
  }
  return lines.join('\n');
}

function row(name: string, value: string): string {
  return `${name.padEnd(14)}${value}`;
}

function ms(value: number): string {
  return `${value >= 100 ? value.toFixed(0) : value.toFixed(2)} ms`;
}

function percentileText(values: Percentiles): string {
  const { p50, p90, p99, p999, max } = values;
  const tails = `p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)}`;
  return `p50 ${ms(p50)}  p90 ${ms(p90)}  ${tails}`;
}

function codesText(codes: Readonly<Record<string, number>>): string {
  const parts = Object.entries(codes).map(([code, count]) => `${code}: ${count}`);
  return parts.length === 0 ? 'none' : parts.join('  ');
}
