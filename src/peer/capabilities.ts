/**
 * The capabilities exchange, RFC 6733 5.3: what a CER must say to be accepted, and the CEA to it.
 * Pure.
 */
import { isIPv6 } from 'node:net';
import { answerFailure, type Origin } from '../diameter/answer.ts';
import type { Address } from '../diameter/avp.ts';
import type { CEA, CER } from '../diameter/commands.ts';
import type { DecodedAs } from '../diameter/decode.ts';
import { encode, encodeAnswerMessage } from '../diameter/encode.ts';
import { type Failure, failure } from '../diameter/failure.ts';
import { answerHeader } from '../diameter/header.ts';
import { resultCodes } from '../diameter/result-codes.ts';
import type { Identity } from './identity.ts';
import type { Admission, Admit } from './policy.ts';

/** The application id that stands for all of them, RFC 6733 2.4. */
export const RELAY = 0xffff_ffff;
/** 3GPP, the vendor of Ro and Gy. */
const VENDOR_3GPP = 10415;
const NO_INBAND_SECURITY = 0;

/** Who is at the other end, as the CER told it. */
export interface Capabilities {
  originHost: string;
  originRealm: string;
  /** Everything advertised, wherever in the CER it stood. */
  applications: readonly number[];
  originStateId: number | undefined;
  productName: string;
}

export type Judgement<Options> =
  | { capabilities: Capabilities; admission: Admission<Options> }
  | { refused: Failure };

/** Judges a CER. The first check of this function that fails is the answer. */
export function judgeCER<Options>(
  decoded: DecodedAs<'CER'>,
  applications: readonly number[],
  admit: Admit<Options>,
): Judgement<Options> {
  if (decoded.failure) return { refused: decoded.failure };
  const capabilities = capabilitiesOf(decoded.message);
  const admission = admit(capabilities);
  if (!admission) return { refused: failure('DIAMETER_UNKNOWN_PEER', 'unknown peer') };
  // RFC 6733 6.10: absent means none; TLS inside the connection is not offered here.
  const security = decoded.message['Inband-Security-Id'] ?? [];
  if (security.length > 0 && !security.includes(NO_INBAND_SECURITY)) {
    return { refused: failure('DIAMETER_NO_COMMON_SECURITY', 'only in-band TLS was offered') };
  }
  if (!capabilities.applications.some((id) => id === RELAY || applications.includes(id))) {
    const text = `only application ${applications.join(', ')} is served`;
    return { refused: failure('DIAMETER_NO_COMMON_APPLICATION', text) };
  }
  return { capabilities, admission };
}

function capabilitiesOf(cer: CER): Capabilities {
  const ids = [...(cer['Auth-Application-Id'] ?? []), ...(cer['Acct-Application-Id'] ?? [])];
  // RFC 6733 5.3: the Vendor-Id beside an application id plays no role.
  for (const group of cer['Vendor-Specific-Application-Id'] ?? []) {
    const id = group['Auth-Application-Id'] ?? group['Acct-Application-Id'];
    if (id !== undefined) ids.push(id);
  }
  return {
    originHost: cer['Origin-Host'],
    originRealm: cer['Origin-Realm'],
    applications: [...new Set(ids)],
    originStateId: cer['Origin-State-Id'],
    productName: cer['Product-Name'],
  };
}

/** The CEA to a CER: what this node can do, and `refused` where that is the outcome. */
export function composeCEA(
  decoded: DecodedAs<'CER'>,
  own: {
    identity: Identity;
    applications: readonly number[];
    /** Host-IP-Address where the identity names none. */
    localAddress: string | undefined;
  },
  refused?: Failure,
): Buffer {
  const { identity } = own;
  const origin = originOf(identity);
  const members = {
    'Host-IP-Address': hostAddresses(identity, own.localAddress),
    'Vendor-Id': identity.vendorId ?? 0,
    'Product-Name': 'Tollkeeper',
    'Supported-Vendor-Id': [VENDOR_3GPP],
    'Auth-Application-Id': [...own.applications],
    // Some clients look for the application only here, others only there.
    'Vendor-Specific-Application-Id': own.applications.map((id) => ({
      'Vendor-Id': VENDOR_3GPP,
      'Auth-Application-Id': id,
    })),
    'Firmware-Revision': identity.firmwareRevision ?? 1,
  } satisfies Partial<CEA>;
  const header = answerHeader(decoded.header);
  const message = (resultCode: number) => ({
    'Result-Code': resultCode,
    'Origin-Host': origin.host,
    'Origin-Realm': origin.realm,
    ...(origin.stateId !== undefined && { 'Origin-State-Id': origin.stateId }),
  });
  if (!refused) {
    return encode('CEA', header, { ...message(resultCodes.DIAMETER_SUCCESS), ...members });
  }
  if (!refused.eBit) return answerFailure(decoded, origin, refused, members)!;
  // The grammar of RFC 6733 7.2 admits the capabilities as any other AVP.
  return encodeAnswerMessage(decoded.header.code, header, {
    ...message(refused.resultCode),
    ...members,
    'Error-Message': refused.errorMessage,
    'Vendor-Id': [members['Vendor-Id']],
    'Product-Name': [members['Product-Name']],
    'Firmware-Revision': [members['Firmware-Revision']],
  });
}

/** Our identity as the codec's error answers want it. */
export function originOf({ originHost, originRealm, originStateId }: Identity): Origin {
  return {
    host: originHost,
    realm: originRealm,
    ...(originStateId !== undefined && { stateId: originStateId }),
  };
}

function hostAddresses(identity: Identity, localAddress: string | undefined): Address[] {
  const addresses = identity.hostIpAddresses ?? (localAddress ? [localAddress] : []);
  // RFC 6733 5.3.2 wants one at least; a socket that is gone has none left to name.
  return (addresses.length > 0 ? addresses : ['0.0.0.0']).map(toAddress);
}

function toAddress(text: string): Address {
  // An IPv6 socket that an IPv4 peer reached.
  const address = text.startsWith('::ffff:') ? text.slice(7) : text;
  return { family: isIPv6(address) ? 2 : 1, address };
}
