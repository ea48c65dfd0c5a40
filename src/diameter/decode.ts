// Decodes messages. RFC 6733 3, 4, 7 and 8.8.
//
// Nothing that a peer can send makes it throw. The first failure is kept, as a value that can build
// its own answer, and decoding goes on: what could be understood of the message is in `message`.
// A wrong length ends only the level it is in, because nothing after it can be found.
//
// Tolerant by default, where real peers need it; `strict` goes by the book:
//
//   | what                                              | tolerant            | strict |
//   | the same octets again of an AVP that may be once  | counted once        | 5009   |
//   | Auth-Application-Id missing                       | taken from the header | 5005 |
//   | M flag against the dictionary                     | accepted            | 3009   |
//   | reserved flag in the message header               | ignored             | 5013   |
//   | P flag on CER, DWR, DPR                           | accepted            | 3008   |
//   | known AVP that a closed group does not list       | accepted            | 5008   |
//   | AVP that must not be in an answer                 | left out            | 5008   |
//   | number that a vendor's enumeration does not name  | accepted            | 5004   |
//   | a group whose data is no multiple of 4 octets     | accepted            | 5014   |
//
// Always accepted: any order (3.2, 8.8), the P flag and reserved flags of AVPs (4.1), padding that
// is not zero (4), the V flag with vendor 0 (4.1.1), any octets as Session-Id (8.8).

import type { CommandName, Messages } from './commands.ts';
import { Decoding } from './decoding.ts';
import type { Failure } from './failure.ts';
import { type Header, readHeader } from './header.ts';
import type { Message, Understood } from './message.ts';
import { commandNamed, findCommand } from './schema.ts';

export type DecodeOptions = {
  /** By the book; see the table at the top of this file. Off by default. */
  readonly strict?: boolean;
  /** Groups inside groups; 10 by default. A deeper one is refused with 5012. */
  readonly maxDepth?: number;
  /** AVPs in the whole message; 8,192 by default. What follows them is not read, 5012. */
  readonly maxAvps?: number;
};

/** What an answer or a record has octet by octet. Slices of the frame: copy what outlives it. */
export type Raw = {
  /** The data of the first Session-Id. */
  readonly sessionId?: Buffer;
  /** Every Proxy-Info in order, header and data without padding (RFC 6733 6.2). */
  readonly proxyInfo: readonly Buffer[];
  /** The data of the first Service-Information. */
  readonly serviceInformation?: Buffer;
};

/** A message of a known command: whole, or with its first failure and what was understood. */
export type DecodedAs<Name extends CommandName> =
  | {
      readonly name: Name;
      readonly header: Header;
      readonly message: Messages[Name];
      readonly failure: undefined;
      readonly raw: Raw;
    }
  | {
      readonly name: Name;
      readonly header: Header;
      readonly message: Understood<Messages[Name]>;
      readonly failure: Failure;
      readonly raw: Raw;
    };

/**
 * `name` is `answer-message` for every answer with the E flag (RFC 6733 7.2), whose command is
 * `header.code`, and undefined for an unknown command, which always has a failure.
 */
export type Decoded =
  | { [Name in CommandName]: DecodedAs<Name> }[CommandName]
  | {
      readonly name: undefined;
      readonly header: Header;
      readonly message: Understood<Message<['*[ AVP ]']>>;
      readonly failure: Failure;
      readonly raw: Raw;
    };

/**
 * Decodes one frame. The application is the caller's to check, before `failure`: a command is told
 * by its code alone, so a message of another application than credit control may fail by the
 * grammar of this one.
 */
export function decode(frame: Buffer, options: DecodeOptions = {}): Decoded {
  const header = readHeader(frame);
  const command =
    header.error && !header.request
      ? commandNamed('answer-message')
      : findCommand(header.code, header.request);
  const decoding = new Decoding(frame, header, command, options);
  const message = decoding.run();
  // One assertion where a table turns into types.
  return {
    name: command?.name,
    header,
    message,
    failure: decoding.failure,
    raw: decoding.raw,
  } as Decoded;
}
