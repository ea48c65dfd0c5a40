/**
 * Credit-control messages octet by octet, from the AVP tables of RFC 8506 8, RFC 6733 4.5 and
 * TS 32.299 7.2, written down here once more: what the tests by clause send and expect does not
 * come from our codec.
 */
import { avp, group, M, u32, u64, V } from '../diameter/bytes.ts';
import { strictAvps } from '../diameter/strict-parser.ts';

type Form = 'text' | 'octets' | 'u32' | 'i32' | 'u64' | 'i64' | 'time' | 'group';
/** Code, form, and the vendor where it is not the IETF. Flags: M, as the tables say. */
type Definition = readonly [code: number, form: Form, vendor?: number];

const TGPP = 10415;
/** Seconds from 1900 to 1970. */
const NTP_EPOCH = 2_208_988_800;

const table = {
  'Session-Id': [263, 'text'],
  'Origin-Host': [264, 'text'],
  'Origin-Realm': [296, 'text'],
  'Destination-Realm': [283, 'text'],
  'Destination-Host': [293, 'text'],
  'Auth-Application-Id': [258, 'u32'],
  'Result-Code': [268, 'u32'],
  'Failed-AVP': [279, 'group'],
  'Error-Message': [281, 'text'],
  'User-Name': [1, 'text'],
  'Called-Station-Id': [30, 'text'],
  'Acct-Multi-Session-Id': [50, 'text'],
  'Event-Timestamp': [55, 'time'],
  'Origin-State-Id': [278, 'u32'],
  'Termination-Cause': [295, 'u32'],
  'Re-Auth-Request-Type': [285, 'u32'],
  'Proxy-Info': [284, 'group'],
  'Proxy-Host': [280, 'text'],
  'Proxy-State': [33, 'octets'],
  'CC-Correlation-Id': [411, 'octets'],
  'CC-Input-Octets': [412, 'u64'],
  'CC-Money': [413, 'group'],
  'CC-Output-Octets': [414, 'u64'],
  'CC-Request-Number': [415, 'u32'],
  'CC-Request-Type': [416, 'u32'],
  'CC-Service-Specific-Units': [417, 'u64'],
  'CC-Session-Failover': [418, 'u32'],
  'CC-Sub-Session-Id': [419, 'u64'],
  'CC-Time': [420, 'u32'],
  'CC-Total-Octets': [421, 'u64'],
  'Check-Balance-Result': [422, 'u32'],
  'Cost-Information': [423, 'group'],
  'Cost-Unit': [424, 'text'],
  'Currency-Code': [425, 'u32'],
  'Credit-Control': [426, 'u32'],
  'Credit-Control-Failure-Handling': [427, 'u32'],
  'Direct-Debiting-Failure-Handling': [428, 'u32'],
  Exponent: [429, 'i32'],
  'Final-Unit-Indication': [430, 'group'],
  'Granted-Service-Unit': [431, 'group'],
  'Rating-Group': [432, 'u32'],
  'Redirect-Address-Type': [433, 'u32'],
  'Redirect-Server': [434, 'group'],
  'Redirect-Server-Address': [435, 'text'],
  'Requested-Action': [436, 'u32'],
  'Requested-Service-Unit': [437, 'group'],
  'Restriction-Filter-Rule': [438, 'text'],
  'Service-Identifier': [439, 'u32'],
  'Service-Parameter-Info': [440, 'group'],
  'Service-Parameter-Type': [441, 'u32'],
  'Service-Parameter-Value': [442, 'octets'],
  'Subscription-Id': [443, 'group'],
  'Subscription-Id-Data': [444, 'text'],
  'Unit-Value': [445, 'group'],
  'Used-Service-Unit': [446, 'group'],
  'Value-Digits': [447, 'i64'],
  'Validity-Time': [448, 'u32'],
  'Final-Unit-Action': [449, 'u32'],
  'Subscription-Id-Type': [450, 'u32'],
  'Tariff-Time-Change': [451, 'time'],
  'Tariff-Change-Usage': [452, 'u32'],
  'G-S-U-Pool-Identifier': [453, 'u32'],
  'CC-Unit-Type': [454, 'u32'],
  'Multiple-Services-Indicator': [455, 'u32'],
  'Multiple-Services-Credit-Control': [456, 'group'],
  'G-S-U-Pool-Reference': [457, 'group'],
  'User-Equipment-Info': [458, 'group'],
  'User-Equipment-Info-Type': [459, 'u32'],
  'User-Equipment-Info-Value': [460, 'octets'],
  'Service-Context-Id': [461, 'text'],
  'Filter-Id': [11, 'text'],
  'User-Equipment-Info-Extension': [653, 'group'],
  'Framed-IP-Address': [8, 'octets'],
  'Route-Record': [282, 'text'],
  'OC-Supported-Features': [621, 'group'],
  'User-Equipment-Info-IMEISV': [654, 'octets'],
  'Subscription-Id-Extension': [659, 'group'],
  'Subscription-Id-E164': [660, 'text'],
  'Subscription-Id-IMSI': [661, 'text'],
  'Subscription-Id-SIP-URI': [662, 'text'],
  'Subscription-Id-NAI': [663, 'text'],
  'Subscription-Id-Private': [664, 'text'],
  'Redirect-Server-Extension': [665, 'group'],
  'Redirect-Address-IPAddress': [666, 'octets'],
  'Redirect-Address-URL': [667, 'text'],
  'Redirect-Address-SIP-URI': [668, 'text'],
  'QoS-Final-Unit-Indication': [669, 'group'],
  'Filter-Rule': [509, 'group'],
  'Service-Information': [873, 'group', TGPP],
  'PS-Information': [874, 'group', TGPP],
  'IMS-Information': [876, 'group', TGPP],
  'MMS-Information': [877, 'group', TGPP],
  'SMS-Information': [2000, 'group', TGPP],
  '3GPP-Charging-Id': [2, 'octets', TGPP],
  '3GPP-PDP-Type': [3, 'u32', TGPP],
  '3GPP-GPRS-Negotiated-QoS-Profile': [5, 'text', TGPP],
  '3GPP-SGSN-Address': [6, 'octets', TGPP],
  '3GPP-NSAPI': [10, 'text', TGPP],
  '3GPP-Selection-Mode': [12, 'text', TGPP],
  '3GPP-Charging-Characteristics': [13, 'text', TGPP],
  '3GPP-SGSN-MCC-MNC': [18, 'text', TGPP],
  '3GPP-RAT-Type': [21, 'octets', TGPP],
  '3GPP-User-Location-Info': [22, 'octets', TGPP],
  '3GPP-MS-TimeZone': [23, 'octets', TGPP],
  'Max-Requested-Bandwidth-DL': [515, 'u32', TGPP],
  'Max-Requested-Bandwidth-UL': [516, 'u32', TGPP],
  'Extended-Max-Requested-BW-DL': [554, 'u32', TGPP],
  'GGSN-Address': [847, 'octets', TGPP],
  'QoS-Information': [1016, 'group', TGPP],
  'Guaranteed-Bitrate-DL': [1025, 'u32', TGPP],
  'Guaranteed-Bitrate-UL': [1026, 'u32', TGPP],
  'QoS-Class-Identifier': [1028, 'u32', TGPP],
  'Allocation-Retention-Priority': [1034, 'group', TGPP],
  'APN-Aggregate-Max-Bitrate-DL': [1040, 'u32', TGPP],
  'APN-Aggregate-Max-Bitrate-UL': [1041, 'u32', TGPP],
  'Priority-Level': [1046, 'u32', TGPP],
  'Pre-emption-Capability': [1047, 'u32', TGPP],
  'Pre-emption-Vulnerability': [1048, 'u32', TGPP],
  'PDP-Address': [1227, 'octets', TGPP],
  'SGSN-Address': [1228, 'octets', TGPP],
  'PDP-Context-Type': [1247, 'u32', TGPP],
  'Dynamic-Address-Flag': [2051, 'u32', TGPP],
  'PDP-Address-Prefix-Length': [2606, 'u32', TGPP],
  'Node-Functionality': [862, 'u32', TGPP],
  'Role-Of-Node': [829, 'u32', TGPP],
  'Calling-Party-Address': [831, 'text', TGPP],
  'Called-Party-Address': [832, 'text', TGPP],
  'Recipient-Info': [2026, 'group', TGPP],
  'Recipient-Address': [1201, 'group', TGPP],
  'Address-Type': [899, 'u32', TGPP],
  'Address-Data': [897, 'text', TGPP],
  'Number-Of-Messages-Sent': [2019, 'u32', TGPP],
  'AoC-Request-Type': [2055, 'u32', TGPP],
  'Time-Quota-Threshold': [868, 'u32', TGPP],
  'Volume-Quota-Threshold': [869, 'u32', TGPP],
  'Trigger-Type': [870, 'u32', TGPP],
  'Quota-Holding-Time': [871, 'u32', TGPP],
  'Reporting-Reason': [872, 'u32', TGPP],
  'Quota-Consumption-Time': [881, 'u32', TGPP],
  'Unit-Quota-Threshold': [1226, 'u32', TGPP],
  Trigger: [1264, 'group', TGPP],
  Envelope: [1266, 'group', TGPP],
  'Envelope-End-Time': [1267, 'time', TGPP],
  'Envelope-Reporting': [1268, 'u32', TGPP],
  'Envelope-Start-Time': [1269, 'time', TGPP],
  'Time-Quota-Mechanism': [1270, 'group', TGPP],
  'Time-Quota-Type': [1271, 'u32', TGPP],
  'Base-Time-Interval': [1265, 'u32', TGPP],
  'Low-Balance-Indication': [2020, 'u32', TGPP],
  'Remaining-Balance': [2021, 'group', TGPP],
  'Refund-Information': [2022, 'octets', TGPP],
} as const satisfies Record<string, Definition>;

export type Name = keyof typeof table;

/** A value as a test writes it; a list stands for an AVP that is repeated. */
export type Written = string | number | bigint | Buffer | Tree | readonly Written[];
export type Tree = { readonly [N in Name]?: Written };

/** AVPs in the order in which they are written. */
export function octetsOf(tree: Tree): Buffer[] {
  return Object.entries(tree).flatMap(([name, value]) => {
    const values = Array.isArray(value) ? (value as readonly Written[]) : [value as Written];
    return values.map((one) => avpOf(name as Name, one));
  });
}

export function avpOf(name: Name, value: Written): Buffer {
  const [code, form, vendor]: Definition = table[name];
  const parts = vendor === undefined ? { flags: M } : { flags: M | V, vendor };
  if (form === 'group' && !Buffer.isBuffer(value))
    return group(code, octetsOf(value as Tree), parts);
  return avp(code, dataOf(form, value), parts);
}

function dataOf(form: Form, value: Written): Buffer {
  if (Buffer.isBuffer(value)) return value;
  switch (form) {
    case 'u64':
    case 'i64':
      return u64(BigInt.asUintN(64, BigInt(value as number | bigint)));
    case 'u32':
    case 'i32':
      return u32((value as number) >>> 0);
    case 'time':
      return u32(((value as number) + NTP_EPOCH) % 2 ** 32);
    default:
      return Buffer.from(value as string, 'utf8');
  }
}

/** What a message says, by the same table; an AVP that is not in it has its codes for a name. */
export interface Read {
  readonly [name: string]: readonly ReadValue[];
}
export type ReadValue = string | number | bigint | Read;

const byCode = new Map(
  Object.entries(table).map(([name, [code, form, vendor = 0]]: [string, Definition]) => [
    `${vendor}:${code}`,
    { name, form },
  ]),
);

export function readAvps(bytes: Buffer): Read {
  const read: Record<string, ReadValue[]> = {};
  for (const { code, vendor, data } of strictAvps(bytes)) {
    const known = byCode.get(`${vendor}:${code}`);
    const name = known?.name ?? `${vendor}:${code}`;
    read[name] = [...(read[name] ?? []), readAs(known?.form ?? 'octets', data)];
  }
  return read;
}

function readAs(form: Form, data: Buffer): ReadValue {
  switch (form) {
    case 'group':
      return readAvps(data);
    case 'u32':
      return data.readUInt32BE();
    case 'i32':
      return data.readInt32BE();
    case 'time':
      return data.readUInt32BE() - NTP_EPOCH;
    case 'u64':
      return data.readBigUInt64BE();
    case 'i64':
      return data.readBigInt64BE();
    case 'octets':
      return data.toString('hex');
    default:
      return data.toString('utf8');
  }
}
