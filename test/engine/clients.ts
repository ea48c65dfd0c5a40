/** Network elements as a worker's requests meet them: what they were asked, and what they answer. */
import { decode } from '../../src/diameter/decode.ts';
import { encode, encodeAnswerMessage } from '../../src/diameter/encode.ts';
import type { HeldPeers } from '../../src/engine/held-peers.ts';
import type { Way } from '../../src/engine/initiator.ts';

export interface AskedOf {
  command: 'RAR' | 'ASR';
  message: Parameters<Way['request']>[1];
  endToEnd: number;
  retransmitted: boolean;
  /** The worker that sent it. */
  worker: string;
}

/** A Result-Code, `silent`, or what happens before the answer is there. */
export type Behaviour = number | 'silent' | ((asked: AskedOf) => Promise<number | 'silent'>);

/** All peers of all workers of a test: who is connected where, and how each answers. */
export class Clients {
  readonly asked: AskedOf[] = [];
  /** What every client answers. */
  behaviour: Behaviour = 2002;
  readonly #connections = new Map<string, string[]>();

  /** Connects a peer to a worker once more. */
  async connect(worker: string, peer: string, held: HeldPeers): Promise<void> {
    this.#connections.set(worker, [...(this.#connections.get(worker) ?? []), peer]);
    await held.opened(peer);
  }

  /** A worker is gone with its connections, and told nobody. */
  lose(worker: string): void {
    this.#connections.delete(worker);
  }

  waysTo(worker: string, host: string): readonly Way[] {
    const found = (this.#connections.get(worker) ?? []).filter((peer) => peer === host);
    return found.map(() => ({
      request: async (command, message, { endToEnd, retransmitted }) => {
        const asked = { command, message, endToEnd, retransmitted, worker };
        this.asked.push(asked);
        const { behaviour } = this;
        const code = typeof behaviour === 'function' ? await behaviour(asked) : behaviour;
        return code === 'silent' ? { noAnswer: 'timeout' } : { answer: answerOf(asked, code) };
      },
    }));
  }
}

/** As it comes off the wire: codes of class 3 only with the E flag (RFC 6733 7.1.3). */
function answerOf({ command, message, endToEnd }: AskedOf, code: number) {
  const header = { applicationId: 4, hopByHop: 1, endToEnd, proxiable: true };
  const body = {
    'Session-Id': message['Session-Id'],
    'Result-Code': code,
    'Origin-Host': message['Destination-Host'],
    'Origin-Realm': message['Destination-Realm'],
  };
  const error = code >= 3000 && code < 4000;
  const bytes = error
    ? encodeAnswerMessage(command === 'RAR' ? 258 : 274, header, body)
    : encode(command === 'RAR' ? 'RAA' : 'ASA', header, body);
  return decode(bytes);
}

/** `RAR s rg=1 T`: what was asked, of which session and of what of it. */
export function askedText({ command, message, retransmitted }: AskedOf): string {
  const words: string[] = [command, message['Session-Id'].replace('gw.example;', '')];
  const [rg, service] = [message['Rating-Group'], message['Service-Identifier']];
  const [pool, sub] = [message['G-S-U-Pool-Identifier'], message['CC-Sub-Session-Id']];
  if (sub !== undefined) words.push(`sub=${sub}`);
  if (rg !== undefined) words.push(`rg=${rg}`);
  if (service !== undefined) words.push(`si=${service}`);
  if (pool !== undefined) words.push(`pool=${pool}`);
  if (retransmitted) words.push('T');
  return words.join(' ');
}
