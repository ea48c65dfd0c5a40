// The dictionary: every AVP that the engine knows, by name. The tables are the specification: the
// types of messages (message.ts), the decoder and the encoder all come from them.
//
// They are by origin in dictionary/. Names are unique, and so is each pair of vendor and code.

import { chargingAvps } from './dictionary/3gpp-charging.ts';
import { giAvps } from './dictionary/3gpp-gi.ts';
import { groupAvps } from './dictionary/3gpp-group.ts';
import { imsAvps } from './dictionary/3gpp-ims.ts';
import { messagingAvps } from './dictionary/3gpp-messaging.ts';
import { networkAvps } from './dictionary/3gpp-network.ts';
import { packetAvps } from './dictionary/3gpp-packet.ts';
import { proximityAvps } from './dictionary/3gpp-proximity.ts';
import { telephonyAvps } from './dictionary/3gpp-telephony.ts';
import { baseAvps } from './dictionary/base.ts';
import { creditControlAvps } from './dictionary/credit-control.ts';
import { nasAvps } from './dictionary/nas.ts';
import { overloadAvps } from './dictionary/overload.ts';
import { qosAvps } from './dictionary/qos.ts';

export const avps = {
  ...baseAvps,
  ...creditControlAvps,
  ...nasAvps,
  ...qosAvps,
  ...overloadAvps,
  ...giAvps,
  ...chargingAvps,
  ...packetAvps,
  ...imsAvps,
  ...telephonyAvps,
  ...messagingAvps,
  ...groupAvps,
  ...proximityAvps,
  ...networkAvps,
} as const;

export type Avps = typeof avps;
export type AvpName = keyof Avps;
