/**
 * How a word from the environment or the command line becomes a value. A kind knows what it expects,
 * in words fit for "must be ...", and parses or says no; it never throws and never guesses.
 */
import { isIP } from 'node:net';

export interface Kind<T> {
  /** Completes "must be ...". */
  readonly expects: string;
  /** Stands for the value in help texts; none for a switch, which takes no value. */
  readonly placeholder?: string;
  /** `undefined` means: not one of these. */
  readonly parse: (text: string) => T | undefined;
}

export type ValueOf<K> = K extends Kind<infer T> ? T : never;

/** A whole number, decimal digits only: `1e3`, `0x10` and ` 7` are refused. */
export function integer(range: { min: number; max: number }): Kind<number> {
  return {
    expects: `a whole number from ${range.min} to ${range.max}`,
    placeholder: 'N',
    parse(text) {
      if (!/^-?\d{1,16}$/.test(text)) return undefined;
      const value = Number(text);
      return value >= range.min && value <= range.max ? value : undefined;
    },
  };
}

/** A decimal number such as `0.5`, both ends of the range included. */
export function decimal(range: { min: number; max: number }): Kind<number> {
  return {
    expects: `a number from ${range.min} to ${range.max}`,
    placeholder: 'N',
    parse(text) {
      if (!/^-?\d{1,15}(\.\d{1,9})?$/.test(text)) return undefined;
      const value = Number(text);
      return value >= range.min && value <= range.max ? value : undefined;
    },
  };
}

/** One of a few words. */
export function oneOf<const W extends readonly string[]>(...words: W): Kind<W[number]> {
  return {
    expects: words.length === 1 ? `"${words[0]}"` : `one of ${words.join(', ')}`,
    placeholder: words.join('|'),
    parse: (text) => words.find((word) => word === text),
  };
}

/** On or off. As a flag it needs no value: `--lab` is `--lab=true`. */
export function onOff(): Kind<boolean> {
  return {
    expects: 'true or false',
    parse(text) {
      if (text === 'true' || text === '1') return true;
      if (text === 'false' || text === '0') return false;
      return undefined;
    },
  };
}

/** Any text that is not empty; `placeholder` names it in help texts. */
export function word(placeholder: string): Kind<string> {
  return { expects: 'some text', placeholder, parse: (text) => text || undefined };
}

/** A file or folder; whether it exists is for its reader to find out. */
export function path(placeholder: 'FILE' | 'FOLDER'): Kind<string> {
  return {
    expects: 'a path',
    placeholder,
    parse: (text) => (text === '' || text.includes('\0') ? undefined : text),
  };
}

/** A host to listen on: an IP address or a DNS name. */
export function host(): Kind<string> {
  return {
    expects: 'an IP address or a host name',
    placeholder: 'HOST',
    parse: (text) => (isIP(text) !== 0 || isDnsName(text) ? text : undefined),
  };
}

/** IP addresses, separated by commas. */
export function ipAddresses(): Kind<readonly string[]> {
  return {
    expects: 'IP addresses separated by commas',
    placeholder: 'IP,...',
    parse(text) {
      const addresses = text.split(',').map((address) => address.trim());
      return addresses.every((address) => isIP(address) !== 0) ? addresses : undefined;
    },
  };
}

/**
 * A DiameterIdentity (RFC 6733 4.3.1): a fully qualified domain name or a realm. With `{worker}`
 * allowed, the placeholder may stand for any part of a label.
 */
export function diameterIdentity(allow: { worker: boolean }): Kind<string> {
  const example = allow.worker ? 'ocs-{worker}.operator.example' : 'operator.example';
  return {
    expects: `a DNS name such as ${example}`,
    placeholder: 'NAME',
    parse(text) {
      const name = allow.worker ? text.replaceAll('{worker}', '0') : text;
      return isDnsName(name) && name.includes('.') ? text : undefined;
    },
  };
}

/**
 * Where Redis is: `redis://` or `rediss://` with host, port, user, password and database, or the
 * path of a Unix socket (`unix:///run/redis.sock` is read as that path). No query: ioredis would
 * take it as client options, and some of those resend a commit whose reply was lost.
 */
export function redisUrl(): Kind<string> {
  return {
    expects: 'redis://HOST:PORT, rediss://HOST:PORT or the path of a Unix socket',
    placeholder: 'URL',
    parse(text) {
      const socket = text.startsWith('unix:///') ? text.slice('unix://'.length) : text;
      if (/^\/[^/?]/.test(socket)) return socket.includes('?') ? undefined : socket;
      if (!/^rediss?:\/\//.test(text) || !URL.canParse(text)) return undefined;
      const url = new URL(text);
      return url.hostname !== '' && url.search === '' ? text : undefined;
    },
  };
}

function isDnsName(text: string): boolean {
  // RFC 1035 2.3.4: 255 octets at most, 63 for one label.
  const label = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;
  return text.length <= 253 && text.split('.').every((part) => label.test(part));
}
