// Puts the subscribers of a trace onto others: every identity of the n-th subscriber seen becomes
// the same kind of identity of the n-th target, wherever it stands and in every message.

import {
  avpKey,
  isGroup,
  keyOf,
  messageAvps,
  type RawAvp,
  rawAvps,
  text,
  unsigned32,
} from './raw-avp.ts';

/** The kinds of Subscription-Id-Type (RFC 8506 8.47), in the order of their numbers. */
export const identityKinds = ['e164', 'imsi', 'sip', 'nai', 'private'] as const;
export type IdentityKind = (typeof identityKinds)[number];

export interface Identity {
  readonly kind: IdentityKind | 'user-name';
  readonly value: string;
}

/** The identities of one subscriber by kind. A kind that is missing is made from the E.164 number. */
export type Subscriber = Partial<Record<IdentityKind, string>>;

const maxRange = 10_000_000;

/** A list of subscribers that need not be in memory: a range of numbers is computed. */
export interface Subscribers {
  readonly length: number;
  at(index: number): Subscriber;
}

/**
 * `491700000001-491700000020` or `491700000001+20` (the first, and how many). Undefined if the text
 * is not a range of 1 to 10 million numbers of at most 15 digits (E.164).
 */
export function subscriberRange(range: string): Subscribers | undefined {
  const [, from = '', operator = '', to = ''] = /^(\d{1,15})([-+])(\d{1,15})$/.exec(range) ?? [];
  if (operator === '') return undefined;
  const first = Number(from);
  const length = operator === '+' ? Number(to) : Number(to) - first + 1;
  if (length < 1 || length > maxRange || String(first + length - 1).length > 15) return undefined;
  return {
    length,
    at: (index) => ({ e164: String(first + index).padStart(from.length, '0') }),
  };
}

/**
 * One subscriber a line: identities separated by blanks or commas, each `kind:value` with a kind of
 * `identityKinds`, or a bare E.164 number. `#` begins a comment. Problems name the line.
 */
export function subscriberList(content: string): { subscribers: Subscribers; problems: string[] } {
  const list: Subscriber[] = [];
  const problems: string[] = [];
  content.split('\n').forEach((line, index) => {
    const words = line
      .replace(/#.*/, '')
      .split(/[\s,]+/)
      .filter((word) => word !== '');
    const subscriber: Subscriber = {};
    for (const word of words) {
      const kind = identityKinds.find((each) => word.startsWith(`${each}:`));
      if (kind !== undefined) subscriber[kind] = word.slice(kind.length + 1);
      else if (/^\d{1,15}$/.test(word)) subscriber.e164 = word;
      else problems.push(`line ${index + 1}: ${word} is neither a number nor kind:value`);
    }
    if (Object.keys(subscriber).length > 0) list.push(subscriber);
  });
  return { subscribers: { length: list.length, at: (index) => list[index]! }, problems };
}

/** The identity that a Subscription-Id holds, with the AVP that its value stands in. */
export function subscriptionId(
  message: Buffer,
  group: RawAvp,
): { identity: Identity; data: RawAvp } | undefined {
  const members = rawAvps(message, group.dataStart, group.dataEnd);
  const type = members?.find((each) => avpKey(each) === keyOf.subscriptionIdType);
  const data = members?.find((each) => avpKey(each) === keyOf.subscriptionIdData);
  const kind = identityKinds[type === undefined ? -1 : (unsigned32(message, type) ?? -1)];
  if (data === undefined || kind === undefined) return undefined;
  return { identity: { kind, value: text(message, data) }, data };
}

/** Every Subscription-Id and User-Name of a message, at any depth, in order. */
export function identitiesOf(message: Buffer): Identity[] {
  const found: Identity[] = [];
  const visit = (members: RawAvp[] | undefined) => {
    for (const avp of members ?? []) {
      const key = avpKey(avp);
      if (key === keyOf.userName) found.push({ kind: 'user-name', value: text(message, avp) });
      else if (key === keyOf.subscriptionId) {
        const held = subscriptionId(message, avp);
        if (held !== undefined) found.push(held.identity);
      } else if (isGroup(key)) visit(rawAvps(message, avp.dataStart, avp.dataEnd));
    }
  };
  visit(messageAvps(message));
  return found;
}

export class IdentityMap {
  readonly #subscribers: Subscribers;
  readonly #indexes = new Map<string, number>();
  #count = 0;

  /** `subscribers` must not be empty. */
  constructor(subscribers: Subscribers) {
    this.#subscribers = subscribers;
  }

  /** Subscribers seen so far. More than there are targets means that targets are shared. */
  get count(): number {
    return this.#count;
  }

  get targets(): number {
    return this.#subscribers.length;
  }

  /**
   * What replaces the identities of this message: all of them are one subscriber. One that is known
   * decides which; the others are then known, too.
   */
  replacements(message: Buffer): (identity: Identity) => string {
    const identities = identitiesOf(message).map(({ value }) => value);
    let index = identities
      .map((value) => this.#indexes.get(value))
      .find((each) => each !== undefined);
    if (index === undefined && identities.length > 0) {
      index = this.#count;
      this.#count += 1;
    }
    for (const value of identities) {
      if (!this.#indexes.has(value)) this.#indexes.set(value, index!);
    }
    const target = this.#subscribers.at((index ?? 0) % this.#subscribers.length);
    return (identity) => replacement(identity, target);
  }
}

const imsiDigits = 15;

function replacement(identity: Identity, target: Subscriber): string {
  const number = target.e164 ?? target.imsi ?? '';
  const imsi = target.imsi ?? number.padStart(imsiDigits, '0');
  const [scheme = '', user = ''] = /^(sips?:|tel:)?\+?([^@]*)/.exec(identity.value)?.slice(1) ?? [];
  const domain = identity.value.includes('@') ? `@${identity.value.split('@').at(-1)}` : '';
  switch (identity.kind) {
    case 'e164':
      return number;
    case 'imsi':
      return imsi;
    case 'sip':
      return target.sip ?? `${scheme}+${number}${domain}`;
    case 'nai':
    case 'private':
      return target[identity.kind] ?? (domain === '' ? number : `${imsi}${domain}`);
    case 'user-name':
      // A User-Name is an NAI or, without a realm, one of the numbers.
      if (domain !== '') return target.nai ?? `${imsi}${domain}`;
      return user.length === imsiDigits ? imsi : number;
  }
}
