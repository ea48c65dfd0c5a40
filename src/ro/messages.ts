/**
 * Short and multimedia messages: who sends, who receives, and how many are to be charged where the
 * client leaves the counting to the server (TS 32.299 5.2.2.1, 7.2.110, 7.2.211).
 */
import type { CCR } from '../diameter/commands.ts';
import type { Understood, Value } from '../diameter/message.ts';

type Originator = Understood<Value<'Originator-Address'>>;
type Recipient = Understood<Value<'Recipient-Address'>>;

export interface Messages {
  originator: Originator | undefined;
  /** Addresses by which a recipient was named, one for each recipient. */
  recipients: readonly (Recipient | Originator)[];
  /** Messages to each recipient: the parts of a concatenated one. */
  parts: number;
}

/** Undefined: the request is not about messages. */
export function messagesOf(ccr: Understood<CCR>): Messages | undefined {
  const information = ccr['Service-Information'];
  const sms = information?.['SMS-Information'];
  if (sms !== undefined) {
    return {
      originator: sms['Originator-Received-Address'],
      recipients: (sms['Recipient-Info'] ?? []).map(recipientOf),
      parts: Math.max(1, sms['Number-Of-Messages-Sent'] ?? 1),
    };
  }
  const mms = information?.['MMS-Information'];
  if (mms === undefined) return undefined;
  return {
    originator: mms['Originator-Address'],
    recipients: mms['Recipient-Address'] ?? [],
    parts: 1,
  };
}

/** One Recipient-Info is one recipient; its addresses are names of the same one. */
function recipientOf(info: Understood<Value<'Recipient-Info'>>): Recipient | Originator {
  const addresses = info['Recipient-Address'] ?? [];
  return (
    addresses.find((address) => address['Address-Type'] === MSISDN) ??
    addresses[0] ??
    info['Recipient-Received-Address']?.[0] ??
    {}
  );
}

/** Address-Type, TS 32.299 7.2.9. */
const MSISDN = 1;
