/**
 * An IPFilterRule (RFC 6733 4.3.1), as plans have them, in the form that QoS-Final-Unit-Indication
 * takes: a Filter-Rule of RFC 5777 4.
 */
import { ipAddress } from '../diameter/address.ts';
import type { Value } from '../diameter/message.ts';

type Spec = Value<'From-Spec'>;

/** Treatment-Action, RFC 5777 5.1. */
const treatments: Readonly<Record<string, number>> = { permit: 3, deny: 0 };
/** Direction, RFC 5777 4.1.8: of packets from the terminal, and to it. */
const directions: Readonly<Record<string, number>> = { in: 0, out: 1 };
const TRUE = 1;

const PORTS = '( \\d{1,5}(?:-\\d{1,5})?(?:,\\d{1,5}(?:-\\d{1,5})?)*)?';
const RULE = new RegExp(
  `^(permit|deny) (in|out) (ip|\\d{1,3}) from (\\S+)${PORTS} to (\\S+)${PORTS}$`,
);

/**
 * Undefined where the rule has an option that is not translated (fragments, flags, ICMP types), or
 * is none. `precedence` is its place among the rules; the first goes first.
 */
export function filterRuleOf(text: string, precedence: number): Value<'Filter-Rule'> | undefined {
  const parts = RULE.exec(text.trim().replace(/\s+/g, ' '));
  if (parts === null) return undefined;
  const [, action = '', direction = '', protocol = '', source = '', sourcePorts] = parts;
  const [target = '', targetPorts] = parts.slice(6);
  const from = specOf(source, sourcePorts);
  const to = specOf(target, targetPorts);
  const number = protocol === 'ip' ? undefined : Number(protocol);
  if (from === undefined || to === undefined || (number ?? 0) > 255) return undefined;
  return {
    'Filter-Rule-Precedence': precedence,
    Classifier: {
      'Classifier-ID': Buffer.from(String(precedence)),
      ...(number === undefined ? {} : { Protocol: number }),
      Direction: directions[direction] as number,
      ...(from === 'any' ? {} : { 'From-Spec': [from] }),
      ...(to === 'any' ? {} : { 'To-Spec': [to] }),
    },
    'Treatment-Action': treatments[action] as number,
  };
}

/** An address with its ports; undefined: it is none. */
function specOf(address: string, ports: string | undefined): Spec | 'any' | undefined {
  const where = whereOf(address);
  const through = portsOf(ports);
  if (where === undefined || through === undefined) return undefined;
  const spec = { ...where, ...through };
  return Object.keys(spec).length === 0 ? 'any' : spec;
}

function whereOf(address: string): Spec | undefined {
  if (address === 'any') return {};
  if (address === 'assigned') return { 'Use-Assigned-Address': TRUE };
  const negated = address.startsWith('!');
  const [text = '', bits, ...more] = address.slice(negated ? 1 : 0).split('/');
  const ip = ipAddress(text);
  if (ip === undefined || more.length > 0) return undefined;
  const not = negated ? { Negated: TRUE } : {};
  if (bits === undefined) return { 'IP-Address': [ip], ...not };
  const width = /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  if (!(width <= (ip.family === 1 ? 32 : 128))) return undefined;
  const mask = { 'IP-Address': ip, 'IP-Mask-Bit-Mask-Width': width };
  return { 'IP-Address-Mask': [mask], ...not };
}

/** `80`, `80,443` or `1024-65535`, in any mixture; undefined where one is no port. */
function portsOf(ports = ''): Pick<Spec, 'Port' | 'Port-Range'> | undefined {
  const single: number[] = [];
  const ranges: Value<'Port-Range'>[] = [];
  for (const part of ports.trim().split(',')) {
    if (part === '') continue;
    const [start = 0, end] = part.split('-').map(Number);
    if (Math.max(start, end ?? 0) > 0xffff) return undefined;
    if (end === undefined) single.push(start);
    else ranges.push({ 'Port-Start': start, 'Port-End': end });
  }
  return {
    ...(single.length === 0 ? {} : { Port: single }),
    ...(ranges.length === 0 ? {} : { 'Port-Range': ranges }),
  };
}
