/**
 * What RFC 6733 and RFC 3539 ask of a server over TCP, row by row: the specification that the
 * tests of the base protocol are written against. Strength follows the RFC; `IMPL` is not
 * normative but needed so that real peers work, and `?` marks where the RFC is silent or
 * contradicts itself, with what we do.
 */
import type { Row } from './row.ts';

export const base: readonly Row[] = [
  // Header
  {
    id: 'B-001',
    clause: '3, 7.1.5',
    strength: 'MUST',
    requirement:
      'The version octet must be 1. Any other version in a request is answered with 5011 UNSUPPORTED_VERSION. 5011 is a 5xxx code, so E clear is the default, but since the rest cannot be trusted an E answer with the generic grammar is also permitted (see B-153).',
  },
  {
    id: 'B-002',
    clause: '3, 7.1.5',
    strength: 'MUST',
    requirement:
      'Message Length is 24 bit, counts header plus padded AVPs, and is always a multiple of 4; minimum 20. A request with an impossible length gets 5015 INVALID_MESSAGE_LENGTH.',
  },
  {
    id: 'B-003',
    clause: '3, 4.1',
    strength: 'MUST',
    requirement: 'All multi-octet fields are big-endian.',
  },
  {
    id: 'B-004',
    clause: '3, 3.1',
    strength: 'MUST',
    requirement: 'R set = request, clear = answer, with the same command code for both.',
  },
  {
    id: 'B-005',
    clause: '6.2, 7.2',
    strength: 'MUST',
    requirement:
      'The P flag in an answer equals the P flag in the request; this also holds for error answers.',
  },
  {
    id: 'B-006',
    clause: '3, 7.1.3',
    strength: 'MUST',
    requirement:
      'E must not be set in a request. A request with E set is an invalid combination: 3008 INVALID_HDR_BITS, with E set in the answer.',
  },
  {
    id: 'B-007',
    clause: '3, 7.1.3',
    strength: 'MUST/?',
    requirement:
      'Flags inconsistent with the command definition (e.g. a CER with P set, since CER/DWR/DPR are not proxiable) may be answered 3008. A *clear* P on a proxiable command is legal (it means "process locally") and must not be rejected.',
  },
  {
    id: 'B-008',
    clause: '3',
    strength: 'MUST',
    requirement:
      'T may be set in requests, must be preserved by agents, must never be set in answers, and must be clear the first time a request is sent.',
  },
  {
    id: 'B-009',
    clause: '3, 7.1.5',
    strength: 'MUST/?',
    requirement:
      'Reserved header bits: sent as 0. Section 3 tells receivers to ignore them; section 7.1.5 also defines 5013 for "reserved bit set". Contradiction: recommend ignore by default and make 5013 a strict-mode option.',
  },
  {
    id: 'B-010',
    clause: '3, 6.2',
    strength: 'MUST',
    requirement: "The answer carries exactly the request's HbH.",
  },
  {
    id: 'B-011',
    clause: '3, 6.2',
    strength: 'MUST',
    requirement: "The answer carries exactly the request's E2E.",
  },
  {
    id: 'B-012',
    clause: '2.1',
    strength: 'MUST',
    requirement:
      'If bytes arrive that cannot be parsed as Diameter (framing lost), the stream is not recoverable: close it abortively (TCP RST).',
  },
  {
    id: 'B-013',
    clause: '2.5',
    strength: 'MUST',
    requirement: 'Application-ID in the header of CER/CEA, DWR/DWA, DPR/DPA is 0.',
  },
  {
    id: 'B-014',
    clause: '2.5',
    strength: 'MUST',
    requirement:
      "Session-related base commands (RAR, ASR, STR and answers) carry the application's id, i.e. 4 for credit control.",
  },
  {
    id: 'B-015',
    clause: '3, 6.8, 6.9',
    strength: 'MUST/?',
    requirement:
      "An Auth-/Acct-Application-Id AVP outside CER/CEA must equal the header's Application-ID. No result code is named for a mismatch; recommend 5004 INVALID_AVP_VALUE with the AVP in Failed-AVP.",
  },
  {
    id: 'B-016',
    clause: '3',
    strength: 'MUST',
    requirement:
      'Requests started by the server (DWR, RAR, ASR, DPR) need an HbH unique among outstanding requests on that connection.',
  },
  {
    id: 'B-017',
    clause: '3',
    strength: 'MUST',
    requirement:
      '... and an E2E unique per originator for at least 4 minutes, across reboots too (suggested: 12 low bits of the time in the high bits, 20 random bits). With several stateless nodes under one Origin-Host the generator must not collide between nodes.',
  },
  {
    id: 'B-018',
    clause: '3, 6.2.1, 7.2',
    strength: 'MUST',
    requirement:
      'An answer with an unknown HbH is discarded silently; no error is ever sent in response to an answer.',
  },
  {
    id: 'B-019',
    clause: '-',
    strength: 'IMPL',
    requirement:
      'Message Length larger than what the server is willing to buffer: the RFC sets no lower maximum than 2^24-1. Impose a cap (e.g. 64 KiB..1 MiB), close with reset beyond it.',
  },
  {
    id: 'B-020',
    clause: '2.1, 3',
    strength: 'MUST',
    requirement:
      'A TCP segment may hold part of a message, or many messages; framing is by Message Length only.',
  },
  {
    id: 'B-021',
    clause: '3539 3.3',
    strength: 'SHOULD',
    requirement: 'Requests on one connection may be pipelined; answers may come back in any order.',
  },
  // Commands
  {
    id: 'B-030',
    clause: '3.1; 8506 3',
    strength: 'MUST',
    requirement:
      'Codes: CER/CEA 257, RAR/RAA 258, ACR/ACA 271, CCR/CCA 272, ASR/ASA 274, STR/STA 275, DWR/DWA 280, DPR/DPA 282.',
  },
  {
    id: 'B-031',
    clause: '7.1.3, 7.2',
    strength: 'MUST',
    requirement:
      'Unknown command code: 3001 COMMAND_UNSUPPORTED, E set, same command code and Application-ID in the header.',
  },
  {
    id: 'B-032',
    clause: '7.1.3',
    strength: 'MUST',
    requirement:
      'Known command for an application that is not supported: 3007 APPLICATION_UNSUPPORTED, E set.',
  },
  {
    id: 'B-033',
    clause: '2, 9',
    strength: 'MUST/?',
    requirement:
      'Base accounting (application 3): section 2 says every Diameter server supports the base protocol "including accounting". A pure credit-control server normally does not advertise application 3 and answers ACR with 3007/3001. Note it as a declared deviation.',
  },
  {
    id: 'B-034',
    clause: '3.2, 7.2',
    strength: 'MUST',
    requirement:
      'Answer commands must follow their grammar: required AVPs present, fixed AVPs first. When E is set the generic answer-message grammar replaces it.',
  },
  {
    id: 'B-035',
    clause: '3.2, 8.8',
    strength: 'MUST/SHOULD',
    requirement:
      'Order of AVPs is free except for `< >` ("fixed") ones. Session-Id is the first AVP of session messages. The receiver should accept any order, including a Session-Id that is not first (it is only "SHOULD appear immediately following the header" in 8.8).',
  },
  // AVP decoding
  {
    id: 'B-040',
    clause: '4.1',
    strength: 'MUST',
    requirement:
      'AVP header = code (4), flags (1), length (3), optional vendor (4 when V set). Length covers header and data, not the padding.',
  },
  {
    id: 'B-041',
    clause: '4, 4.2',
    strength: 'MUST',
    requirement:
      'Data is padded with zero octets to a 4-octet boundary; the next AVP starts on the boundary; padding never counts in AVP Length, always counts in Message Length and in the enclosing Grouped length.',
  },
  {
    id: 'B-042',
    clause: '4',
    strength: 'IMPL',
    requirement: 'Receiver should not depend on the value of the padding octets.',
  },
  {
    id: 'B-043',
    clause: '4.1, 7.1.5, 7.5',
    strength: 'MUST',
    requirement:
      'Length < 8 (or < 12 with V): message rejected, 5014 INVALID_AVP_LENGTH. Failed-AVP holds the AVP header, padded with zeros to the minimum header if it could not be fully read, plus a zero payload of the minimum size for the type.',
  },
  {
    id: 'B-044',
    clause: '7.1.5, 7.5',
    strength: 'MUST',
    requirement:
      "Length runs past the end of the message (or of the enclosing group): 5014 with the header + zero-filled minimum payload; for a Grouped AVP a header with empty payload is enough. The answer's own Failed-AVP must itself be well formed, i.e. do not copy the bogus length.",
  },
  {
    id: 'B-045',
    clause: '4.2, 4.3.1',
    strength: 'MUST',
    requirement:
      'Fixed-size types must have their exact length: Integer32/Unsigned32/Float32/Enumerated/Time 4 data octets, 64-bit types 8. Otherwise 5014.',
  },
  {
    id: 'B-046',
    clause: '4.2',
    strength: 'MUST',
    requirement: 'Zero-length OctetString/UTF8String is legal (length 8, or 12 with V).',
  },
  {
    id: 'B-047',
    clause: '4.1.1',
    strength: 'MUST',
    requirement:
      'Identification is by (vendor, code). Vendor absent = IETF space. Sending V with vendor 0 is forbidden; accept it on input as IETF.',
  },
  {
    id: 'B-048',
    clause: '4.1, 7, 7.1.5',
    strength: 'MUST',
    requirement:
      'Unknown AVP with M set: 5001 AVP_UNSUPPORTED, Failed-AVP contains the offending AVP (whole copy).',
  },
  {
    id: 'B-049',
    clause: '4.1',
    strength: 'MAY (expected)',
    requirement: 'Unknown AVP with M clear: ignore.',
  },
  {
    id: 'B-050',
    clause: '4.1',
    strength: 'MAY',
    requirement:
      'Known AVP with M clear whose *value* is not supported may be ignored instead of rejected.',
  },
  {
    id: 'B-051',
    clause: '4.4',
    strength: 'MAY',
    requirement:
      'Unknown Grouped AVP without M may be skipped even if members carry M, at any depth.',
  },
  {
    id: 'B-052',
    clause: '4.1, 4.4, 7.5',
    strength: 'MUST/MAY',
    requirement:
      'Unknown member with M set inside a *known* group: 5001. Failed-AVP may hold the bare child or the chain of groups down to it (recommended: the chain, with only the offending child inside).',
  },
  {
    id: 'B-053',
    clause: '4.2, 4.4',
    strength: 'MUST/IMPL',
    requirement:
      "Grouped decoding is recursive; inner AVPs obey the same header, padding and length rules; the group's length is a multiple of 4. Limit the depth.",
  },
  {
    id: 'B-054',
    clause: '4.1, 7.1.3, 7.1.5',
    strength: 'MAY/?',
    requirement:
      'M flag set on an AVP whose definition says M must not be set, or V mismatch: 3009 INVALID_AVP_BITS exists, as does 5016 INVALID_AVP_BIT_COMBO; both are optional to raise. Recommend tolerance: many peers set M on Product-Name, Error-Message or 3GPP AVPs.',
  },
  {
    id: 'B-055',
    clause: '4.1',
    strength: 'SHOULD/?',
    requirement:
      'P flag (end-to-end security) is reserved: send 0, ignore on input. Other reserved AVP flag bits: sender 0, receiver ignores (the text also says an unrecognised bit "should be an error": contradiction, ignore).',
  },
  {
    id: 'B-056',
    clause: '4.1, 4.5; 8506 8',
    strength: 'MUST',
    requirement:
      'M on what the server sends follows the dictionary: MUST for almost all base and credit-control AVPs; must-not for Error-Message, Error-Reporting-Host, Product-Name, Firmware-Revision; V must-not for IETF AVPs, must for vendor ones.',
  },
  {
    id: 'B-057',
    clause: '7, 7.1.5, 7.5',
    strength: 'MUST (5005), SHOULD (Failed-AVP)',
    requirement:
      'Required AVP absent: 5005 MISSING_AVP. Failed-AVP contains an example AVP: right code and vendor, value of minimum length filled with zeros (4 or 8 octets for fixed types, 0 octets for strings, header only for groups; for Address use 6 octets (family + IPv4) - the RFC gives no number).',
  },
  {
    id: 'B-058',
    clause: '7.1.5',
    strength: 'MUST',
    requirement:
      'AVP appears more often than allowed: 5009 AVP_OCCURS_TOO_MANY_TIMES, Failed-AVP = first instance over the limit.',
  },
  {
    id: 'B-059',
    clause: '7.1.5, 10',
    strength: 'MUST',
    requirement:
      'AVP that must not be present: 5008 AVP_NOT_ALLOWED with a copy. Grammar that ends in `*[AVP]` permits anything not listed, so use 5008 only where a table says 0.',
  },
  {
    id: 'B-060',
    clause: '7, 7.1.5',
    strength: 'MUST',
    requirement:
      'Value not understood or out of range: 5004 INVALID_AVP_VALUE with the AVP in Failed-AVP.',
  },
  {
    id: 'B-061',
    clause: '7.1.5',
    strength: 'MUST',
    requirement:
      'AVPs contradict each other: 5007 CONTRADICTING_AVPS with those AVPs in Failed-AVP.',
  },
  {
    id: 'B-062',
    clause: '7, 7.5; 8506 3.2',
    strength: 'MUST',
    requirement:
      'Several errors: exactly one Result-Code, for the first error found; one Failed-AVP is the norm (base answer grammars allow at most one; CCA allows several).',
  },
  {
    id: 'B-063',
    clause: '4.3.1',
    strength: 'MUST',
    requirement:
      'UTF8String must be valid UTF-8; invalid octets are prohibited: 5004. (Accept in Session-Id what the peer sends, echo byte-exact.)',
  },
  {
    id: 'B-064',
    clause: '4.3.1',
    strength: 'MUST',
    requirement:
      'Time = 4 octets, seconds since 1900-01-01 UTC; values whose high bit is clear mean after 2036-02-07 06:28:16 UTC (extend to 2104).',
  },
  {
    id: 'B-065',
    clause: '4.3.1',
    strength: 'MUST',
    requirement: 'Address = 2-octet IANA family (1 IPv4, 2 IPv6, 8 E.164) + address.',
  },
  {
    id: 'B-066',
    clause: '4.3.1, 5.6.4',
    strength: 'MUST',
    requirement: 'DiameterIdentity comparison is ASCII case-insensitive.',
  },
  {
    id: 'B-067',
    clause: '4.2, 4.3.1',
    strength: 'MUST',
    requirement: 'Enumerated and Integer32 are signed.',
  },
  {
    id: 'B-068',
    clause: '4.2',
    strength: 'IMPL',
    requirement:
      '64-bit values must survive (no loss above 2^53 in JavaScript: use BigInt or two 32-bit halves).',
  },
  // Session-Id
  {
    id: 'B-070',
    clause: '6.2, 7.2, 8.8',
    strength: 'MUST',
    requirement:
      'If the request has a Session-Id the answer has the same one, in error answers too; it is the first AVP.',
  },
  {
    id: 'B-071',
    clause: '8.8',
    strength: 'MUST (sender)',
    requirement:
      "Format: `<DiameterIdentity>;<high32>;<low32>[;<optional>]`; only the leading identity and the `;` are mandatory, the rest is the sender's business. Treat as opaque, case-sensitive bytes; do not reject unfamiliar forms.",
  },
  {
    id: 'B-072',
    clause: '8.8',
    strength: 'MUST',
    requirement:
      "Exactly one Session-Id in a message, globally and eternally unique, unchanged for the session's life. Two in one message: 5009.",
  },
  {
    id: 'B-073',
    clause: '2.5, 8.8',
    strength: 'MUST',
    requirement:
      'Session-Id is unique by itself: do not scope it by connection or peer; a CCR-U may arrive on another connection or via another agent than the CCR-I.',
  },
  // Capabilities exchange
  {
    id: 'B-080',
    clause: '5.6.1',
    strength: 'SHOULD',
    requirement:
      'The first message on an accepted connection must be a CER; anything else, or no CER within a timeout: close.',
  },
  {
    id: 'B-081',
    clause: '5.3.1, 7.1.5',
    strength: 'MUST',
    requirement:
      'CER must contain Origin-Host, Origin-Realm, >=1 Host-IP-Address, Vendor-Id, Product-Name. Missing: CEA 5005 + Failed-AVP, then close.',
  },
  {
    id: 'B-082',
    clause: '5.3.2',
    strength: 'MUST',
    requirement:
      'CEA contains Result-Code, Origin-Host, Origin-Realm, >=1 Host-IP-Address, Vendor-Id, Product-Name (also in failure CEAs); optionally Origin-State-Id, Supported-Vendor-Id*, Auth-/Acct-Application-Id*, Vendor-Specific-Application-Id*, Firmware-Revision, Error-Message, Failed-AVP.',
  },
  {
    id: 'B-083',
    clause: '8506 1.3; 5.3',
    strength: 'MUST / SHOULD',
    requirement:
      'The server advertises Auth-Application-Id 4 in the CEA. It should list all its applications, not just the intersection.',
  },
  {
    id: 'B-084',
    clause: '5.3',
    strength: 'MUST',
    requirement:
      'Common applications = intersection of own ids with all ids in the CER: Auth-, Acct-Application-Id at top level and inside Vendor-Specific-Application-Id. The Vendor-Id inside the latter plays no role.',
  },
  {
    id: 'B-085',
    clause: '5.3, 7.1.5',
    strength: 'MUST / SHOULD',
    requirement:
      'Nothing in common: CEA 5010 NO_COMMON_APPLICATION (E clear), then should disconnect.',
  },
  {
    id: 'B-086',
    clause: '2.4, 5.3',
    strength: 'MUST',
    requirement: 'A peer that advertises the relay id 0xFFFFFFFF has everything in common.',
  },
  {
    id: 'B-087',
    clause: '5.3',
    strength: 'MUST',
    requirement:
      "Remember the peer's applications; send RAR/ASR of application 4 only to peers that advertised 4 or relay.",
  },
  {
    id: 'B-088',
    clause: '5.3, 7.1.3',
    strength: 'MAY',
    requirement:
      'Unknown peer: silently drop, or CEA 3010 UNKNOWN_PEER (protocol error, so E set), and close in both cases; or accept if policy allows (then the peer entry lives as long as the connection).',
  },
  {
    id: 'B-089',
    clause: '5.3, 6.10, 7.1.5, 13',
    strength: 'MUST',
    requirement:
      'Inband-Security-Id: absent = NO_INBAND_SECURITY(0). Its use is not recommended; a server that does not do in-band TLS treats a CER that offers only TLS(1) as "no common security": CEA 5017, should disconnect. If 0 is also listed: accept.',
  },
  {
    id: 'B-090',
    clause: '5.3.1, 10.1',
    strength: '?',
    requirement:
      "RFC 6733's occurrence table (10.1) says Inband-Security-Id 0 times in CER/CEA although the grammar lists it: accept it.",
  },
  {
    id: 'B-091',
    clause: '6.11',
    strength: 'SHOULD / MUST',
    requirement:
      'Vendor-Specific-Application-Id with neither Auth- nor Acct-Application-Id: 5005 with examples of both in Failed-AVP; with both: 5009 with both received AVPs in Failed-AVP.',
  },
  {
    id: 'B-092',
    clause: '5.3.3, 5.3.6',
    strength: 'MUST/SHOULD',
    requirement:
      'Vendor-Id 0 in CER/CEA means "ignore". Supported-Vendor-Id must not be 0 and should not repeat a value; advertise 10415 (3GPP).',
  },
  {
    id: 'B-093',
    clause: '5.3, 6.1',
    strength: 'MUST',
    requirement:
      'CER and CEA are never relayed or proxied; CER carries no Destination-Host/-Realm.',
  },
  {
    id: 'B-094',
    clause: '2.1, 5.6',
    strength: 'MUST/IMPL',
    requirement:
      "A new connection with a valid CER while the peer's state machine is already open: R-Reject, i.e. the *new* transport is disconnected and the old one stays. Only one connection per peer unless several instances share an identity. Real P-GWs open several connections with one Origin-Host, so make this configurable, and drop a dead old connection rather than lock the peer out.",
  },
  {
    id: 'B-095',
    clause: '5.6, 5.6.4',
    strength: 'MUST if initiating',
    requirement:
      'Election applies only when both sides connect at once: compare Origin-Hosts as octets, case-insensitive; if the local one sorts higher the local node wins, keeps the responder connection and closes the one it started. 4003 ELECTION_LOST exists for the loser. A listen-only server never needs it.',
  },
  {
    id: 'B-096',
    clause: '1.1.3, 5.6',
    strength: '?',
    requirement:
      'A CER on an already open connection is not in the state table (re-negotiation was removed; RFC 6737 defines CUR instead). Recommend: answer with 5012 or close; never reset the session state.',
  },
  {
    id: 'B-097',
    clause: '5.3.5',
    strength: 'MUST/IMPL',
    requirement:
      'Host-IP-Address mandatory even over TCP; with NAT/proxies the address need not match the TCP source, so do not validate it.',
  },
  // Watchdog (RFC 3539) and disconnect
  {
    id: 'B-100',
    clause: '5.5.2',
    strength: 'MUST',
    requirement:
      'DWR is answered at once with DWA: Result-Code 2001, Origin-Host, Origin-Realm (Origin-State-Id optional), whatever the load on the application.',
  },
  {
    id: 'B-101',
    clause: '5.5.3; 3539 3.4.1',
    strength: 'MUST',
    requirement:
      'All Diameter nodes implement the watchdog algorithm, servers included. Twinit default 30 s, may be as low as 6 s, each interval jittered by a random -2..+2 s.',
  },
  {
    id: 'B-102',
    clause: '3539 3.4.1',
    strength: 'MUST',
    requirement:
      'Any received message resets the timer. If it expires with no DWR outstanding: send a DWR and restart. Never more than one DWR outstanding; DWRs are not retransmitted.',
  },
  {
    id: 'B-103',
    clause: '3539 3.4.1; 5.1, 5.5.4',
    strength: 'MUST',
    requirement:
      'Timer expires with a DWR outstanding: peer is suspect, fail over (stop sending new requests to it, re-send pending requests elsewhere with T).',
  },
  {
    id: 'B-104',
    clause: '3539 3.4.1',
    strength: 'MUST NOT earlier / SHOULD close',
    requirement: 'Second expiry without an answer: close the transport. Not before.',
  },
  {
    id: 'B-105',
    clause: '3539 3.4.1, App. A',
    strength: 'algorithm (SHOULD)',
    requirement:
      'A connection re-opened after a watchdog failure is put back in service only after 3 answered watchdogs (states REOPEN -> OKAY); a first-time connection is usable at once.',
  },
  {
    id: 'B-106',
    clause: '3539 App. A',
    strength: 'algorithm (SHOULD)',
    requirement:
      'While suspect, any message received from the peer (a late DWA or anything else) moves it back to okay ("failback").',
  },
  {
    id: 'B-107',
    clause: '3539 3.2',
    strength: 'MUST/?',
    requirement:
      'Nagle: RFC 3539 says AAA over TCP MUST enable Nagle. Practice disables it (TCP_NODELAY) for latency and batches writes instead. Record as a conscious deviation.',
  },
  {
    id: 'B-108',
    clause: '2.1; 3539 3.1',
    strength: 'SHOULD/MUST',
    requirement:
      'SCTP: servers SHOULD (RFC 6733) / MUST (RFC 3539) support SCTP as well as TCP. Node.js has no SCTP: declare the deviation.',
  },
  {
    id: 'B-110',
    clause: '5.4, 5.6',
    strength: 'MUST',
    requirement:
      "DPR is answered with DPA 2001. The *receiver of the DPA* (the DPR's sender) closes the transport; the DPA's sender waits for the close and has its own timeout.",
  },
  {
    id: 'B-111',
    clause: '5.4.1, 5.4.3',
    strength: 'MUST',
    requirement:
      'DPR must contain Disconnect-Cause; missing: DPA 5005. Values REBOOTING 0, BUSY 1, DO_NOT_WANT_TO_TALK_TO_YOU 2.',
  },
  {
    id: 'B-112',
    clause: '5.4, 5.6',
    strength: 'MUST (DPR) / IMPL',
    requirement:
      'Orderly shutdown: send DPR (cause 0 for a restart), stop starting requests, let in-flight CCRs be answered, wait for the DPA (bounded), then close.',
  },
  {
    id: 'B-113',
    clause: '5.4.3',
    strength: 'SHOULD NOT',
    requirement: 'On receiving DPR with cause 1 or 2 do not reconnect; cause 0 permits it.',
  },
  {
    id: 'B-114',
    clause: '5.4',
    strength: 'SHOULD',
    requirement:
      'DPA should carry an error if messages were recently forwarded and are still in flight.',
  },
  {
    id: 'B-115',
    clause: '5.3.1, 5.4.1, 5.5.1',
    strength: 'MUST NOT',
    requirement: 'DWR, DPR, CER are never re-sent to another peer on transport failure.',
  },
  {
    id: 'B-116',
    clause: '2.5, 5.5.4',
    strength: 'MUST',
    requirement:
      'Transport failure: requests the server had pending to that peer may be failed over with T set; sessions are not ended by loss of a connection (no relation between connection and session).',
  },
  {
    id: 'B-117',
    clause: '3, 5.5.4',
    strength: 'IMPL',
    requirement:
      'After a transport failure the answer to an in-process request can no longer be sent on that connection; it must be kept for the duplicate (T-flag) that will follow. Do not send it on another connection (HbH would be unknown there).',
  },
  // Routing, Proxy-Info, Route-Record
  {
    id: 'B-120',
    clause: '6.1.4',
    strength: 'MUST',
    requirement:
      'A request is local if Destination-Host is ours; or Destination-Host is absent, Destination-Realm is a realm we serve and the application is supported; or both are absent.',
  },
  {
    id: 'B-121',
    clause: '6.1, 7.1.3',
    strength: 'MUST',
    requirement:
      'Destination-Host names somebody else and we are no agent: 3002 UNABLE_TO_DELIVER, E set.',
  },
  {
    id: 'B-122',
    clause: '7.1.3',
    strength: 'MUST',
    requirement: 'Destination-Realm not served: 3003 REALM_NOT_SERVED, E set.',
  },
  {
    id: 'B-123',
    clause: '6.1.4, 7.1.3; 8506 3.1',
    strength: 'MUST/?',
    requirement:
      'Destination-Host without Destination-Realm: 3002. A CCR with neither: Destination-Realm is a required AVP of CCR, so 5005 is the stricter reading (6.1.4 would treat it as local). Recommend 5005.',
  },
  {
    id: 'B-124',
    clause: '6.2, 6.5, 6.6',
    strength: 'MUST NOT',
    requirement: 'Answers never contain Destination-Host or Destination-Realm.',
  },
  {
    id: 'B-125',
    clause: '4.3.1, 6.2, 6.3',
    strength: 'MUST',
    requirement:
      'Answers contain our own Origin-Host/Origin-Realm, constant per node (one identity whatever connection). If several stateless instances share a logical identity, clients send Destination-Host = that identity in later requests, so any instance must accept it.',
  },
  {
    id: 'B-126',
    clause: '6.2, 6.7.2, 6.7.4',
    strength: 'MUST',
    requirement:
      'Every Proxy-Info of the request is copied into the answer, unchanged and in the same order, also into error answers. Proxy-State is opaque.',
  },
  {
    id: 'B-127',
    clause: '2.9, 6.7.1; 8506 3.2',
    strength: 'MUST',
    requirement:
      'Route-Record AVPs are request-only in the base rules; a home server must check the route is acceptable, else 5003 AUTHORIZATION_REJECTED. (CCA grammar of RFC 8506 lists Route-Record as allowed, no need to send it.)',
  },
  {
    id: 'B-128',
    clause: '6.1.3',
    strength: 'MUST for agents',
    requirement:
      'Loop detection (own identity in Route-Record: 3005 LOOP_DETECTED, E) is a duty of relays/proxies; harmless and useful in a server.',
  },
  {
    id: 'B-129',
    clause: '7.1.3; 8506 5.7',
    strength: 'MUST only when',
    requirement:
      '3004 TOO_BUSY is for when this specific server was asked for and cannot serve; the client then tries an alternate. It is the right answer for overload shedding and for "state store down".',
  },
  {
    id: 'B-130',
    clause: '6.1, 6.6',
    strength: 'MUST',
    requirement:
      "Server-initiated requests: Destination-Realm/-Host = Origin-Realm/-Host from the client's earlier request; sent to the peer in the table with that identity, else routed by realm (e.g. to the relay that delivered it).",
  },
  {
    id: 'B-131',
    clause: '6.1.8, 6.12-6.14',
    strength: 'MAY',
    requirement:
      'Redirect (3006, E set, Redirect-Host >= 1, Redirect-Host-Usage, Redirect-Max-Cache-Time when usage is non-zero) is optional for a server.',
  },
  // Errors
  {
    id: 'B-140',
    clause: '7, 7.1.3, 7.2',
    strength: 'MUST',
    requirement:
      '3xxx codes appear only in answers with E set, and E is set when the code is 3xxx.',
  },
  {
    id: 'B-141',
    clause: '7.1.4',
    strength: 'MUST',
    requirement: '4xxx codes only with E clear.',
  },
  {
    id: 'B-142',
    clause: '7.1.5',
    strength: 'SHOULD / MAY',
    requirement:
      "5xxx normally with E clear and the command's own grammar; E set with the generic grammar is allowed when composing the command grammar is impossible or inefficient.",
  },
  {
    id: 'B-143',
    clause: '7.2',
    strength: 'MUST',
    requirement:
      'With E set the answer is: [Session-Id first], Origin-Host, Origin-Realm, Result-Code, optional Origin-State-Id, Error-Message, Error-Reporting-Host, Failed-AVP, Experimental-Result, Proxy-Info*, AVP*. Same command code, R clear, P copied.',
  },
  {
    id: 'B-144',
    clause: '7.1, 7.6',
    strength: 'MUST',
    requirement:
      'Exactly one Result-Code (or Experimental-Result in vendor-specific applications) in each answer.',
  },
  {
    id: 'B-145',
    clause: '7.3',
    strength: 'MUST NOT (M)',
    requirement: 'Error-Message is optional human text, M must be clear; nobody may parse it.',
  },
  {
    id: 'B-146',
    clause: '7.1, 7.4',
    strength: 'MUST',
    requirement:
      'Error-Reporting-Host only if the host that set the code differs from Origin-Host; then it is mandatory for non-2xxx (except 3006). A server answering for itself omits it.',
  },
  {
    id: 'B-147',
    clause: '7.1',
    strength: 'MUST',
    requirement: 'Codes whose class digit is unknown are handled as permanent failures.',
  },
  {
    id: 'B-148',
    clause: '7.1.5, 7.5; 8506 9.2',
    strength: 'MUST/SHOULD',
    requirement:
      'Failed-AVP: whole offending AVP; for nested ones the chain may be included. Must be present with 5001, 5004, 5007, 5008, 5009, 5014, 5016 and 5031; should with 5005.',
  },
  {
    id: 'B-149',
    clause: '7.2',
    strength: 'MUST NOT',
    requirement: 'No error answer is ever sent in reply to an answer.',
  },
  {
    id: 'B-150',
    clause: '7',
    strength: 'SHOULD',
    requirement:
      'If the *answer* to our request is unusable, end the session (ASR) or handle in the application.',
  },
  {
    id: 'B-151',
    clause: '7.1.5',
    strength: 'IMPL',
    requirement: 'Unexpected exceptions: 5012 UNABLE_TO_COMPLY rather than no answer.',
  },
  {
    id: 'B-152',
    clause: '6.2, 7.2',
    strength: 'MUST',
    requirement:
      'Error answers obey all of 6.2 (HbH, E2E, P, Session-Id, Proxy-Info, no Destination-*).',
  },
  {
    id: 'B-153',
    clause: '7.1.5, 7.2',
    strength: 'IMPL',
    requirement:
      'Header errors found before the AVPs can be read (5011, 5013, 5015): answer with what is known (no Session-Id).',
  },
  // Duplicates, T flag, Origin-State-Id
  {
    id: 'B-160',
    clause: '3; 3539 3.5',
    strength: 'SHOULD / MUST NOT',
    requirement:
      'Duplicate = same Origin-Host + same E2E. It should get the same answer again (HbH and routing AVPs adapted to the new request) and must not change state a second time.',
  },
  {
    id: 'B-161',
    clause: 'App. C; 3539 2.5',
    strength: 'MUST',
    requirement:
      'Duplicates can arrive on any connection and the original may arrive *after* the T-flagged copy. Detection must not depend on T alone; T only permits optimisation.',
  },
  {
    id: 'B-162',
    clause: 'App. C, 3',
    strength: 'IMPL',
    requirement:
      'Duplicate window: longest recorded partition, "perhaps a day" for accounting; at least the 4 minutes of E2E uniqueness.',
  },
  {
    id: 'B-163',
    clause: '3',
    strength: 'IMPL',
    requirement:
      'A duplicate that arrives while the original is still in process must wait for, or share, its result; not be processed twice.',
  },
  {
    id: 'B-164',
    clause: '8506 5.7, 8.2',
    strength: 'see C-060 ff.',
    requirement:
      'Credit control has a second key: Session-Id + CC-Request-Number (+ CC-Sub-Session-Id). Clients that re-send from a buffer may build a new E2E, so use both keys.',
  },
  {
    id: 'B-165',
    clause: '8.6, 8.16',
    strength: 'MAY',
    requirement:
      'Origin-State-Id in a CER/request higher than before for the same Origin-Host means that host lost its sessions: the server may clean up all older sessions of that host. 0 or absent: no inference.',
  },
  {
    id: 'B-166',
    clause: '8.16',
    strength: 'MUST',
    requirement:
      'If the server sends Origin-State-Id it must grow only when the server lost session state. With state in Redis a restart of one node must not change it (or omit the AVP).',
  },
  // RAR, ASR, STR as they touch credit control
  {
    id: 'B-170',
    clause: '8.3.1; 8506 5.5',
    strength: 'MUST',
    requirement:
      'RAR (258): Session-Id, Origin-Host/-Realm, Destination-Realm, Destination-Host, Auth-Application-Id 4, Re-Auth-Request-Type AUTHORIZE_ONLY(0); P set; header app 4.',
  },
  {
    id: 'B-171',
    clause: '8.1, 8.3.2',
    strength: 'MUST',
    requirement:
      'RAA success is followed by an application message (CCR-U). RAA 5002: client has no such session; release the reservation. Other failure codes: session goes to idle after clean-up.',
  },
  {
    id: 'B-172',
    clause: '8.1, 8.5',
    strength: 'MUST',
    requirement:
      'ASR (274): same AVPs without Re-Auth-Request-Type; ASA 2001 ended, 5002 unknown, 5012 refused. If ASR cannot be sent, wait and re-send. The final CCR-T still follows from a live client.',
  },
  {
    id: 'B-173',
    clause: '8.4',
    strength: 'MUST',
    requirement:
      'STR (275): required Termination-Cause. A server must clean up the session and answer STA (2001; 5002 when unknown is customary). In credit control the session is ended by CCR-T; STR for application 4 is unusual, so treat as: release reservation, STA 2001.',
  },
  {
    id: 'B-174',
    clause: '8.4; 8506 7',
    strength: 'MUST',
    requirement:
      "Sessions end also by the server's own timers (Session-Timeout, Authorization-Lifetime + grace), in credit control by Tcc.",
  },
  {
    id: 'B-175',
    clause: '-',
    strength: '?',
    requirement: 'Server never receives RAR/ASR as a server; if it does: 3001/5002 is acceptable.',
  },
  {
    id: 'B-176',
    clause: '8.20',
    strength: 'SHOULD',
    requirement:
      'Class AVPs: if the server returns any (<= 4096 octets in total advised) the client echoes them in STR/ACR; not part of CCA grammar.',
  },
  // TLS and identity
  {
    id: 'B-180',
    clause: '2.2, 13',
    strength: 'MUST',
    requirement:
      'Diameter must not run without TLS, DTLS or IPsec; every implementation supports TLS over TCP. Plain TCP on 3868 is only right on IPsec-protected or same-host links; make plaintext an explicit configuration.',
  },
  {
    id: 'B-181',
    clause: '2.1, 11.4',
    strength: 'MUST/?',
    requirement:
      'TLS starts before the CER, on the dedicated port. Section 2.1 prints 5658, the IANA section 11.4 registers 5868; 5868 (`diameters`) is the registered one (reported as an erratum; number not verified). Configurable port.',
  },
  {
    id: 'B-182',
    clause: '13.1',
    strength: 'MUST',
    requirement:
      'Mutual authentication: the TLS server must request a client certificate and verify it; clients must be ready to supply one.',
  },
  {
    id: 'B-183',
    clause: '2.9, 13.2',
    strength: 'MUST (authorise) / IMPL (how)',
    requirement:
      "Peer authorisation: check that the authenticated peer may act in its role. RFC 6733 does not spell out the name check; practice: the certificate's dNSName/URI SAN must match the Origin-Host in the CER, otherwise treat as unknown peer (B-088).",
  },
  {
    id: 'B-184',
    clause: '2.6, 13.1',
    strength: 'MUST NOT',
    requirement: "Lifetime of the peer entry must not exceed the certificate's expiry.",
  },
  {
    id: 'B-185',
    clause: '13.2',
    strength: 'IMPL',
    requirement: 'Trust anchors for Diameter are configured separately from the web PKI.',
  },
  {
    id: 'B-186',
    clause: '13.1',
    strength: 'MUST/?',
    requirement:
      'The mandatory cipher suites in 13.1 (RC4, 3DES) are obsolete and prohibited elsewhere; offer TLS 1.2+/1.3 suites only. Declared deviation.',
  },
  {
    id: 'B-187',
    clause: '13.3',
    strength: 'MUST',
    requirement:
      'Data that are privacy relevant must not cross a connection without mutual TLS or IPsec.',
  },
  {
    id: 'B-188',
    clause: '5.3, 6.10, 13',
    strength: 'MAY',
    requirement:
      'In-band upgrade (TLS after CER/CEA) is backward compatibility only; need not be implemented.',
  },
  // Optional: overload (RFC 7683) and load (RFC 8583)
  {
    id: 'B-190',
    clause: '7683 7.8',
    strength: 'MUST',
    requirement: 'All these AVPs have M clear; a server that knows nothing of them ignores them.',
  },
  {
    id: 'B-191',
    clause: '7683 5.1.2',
    strength: 'MUST',
    requirement:
      'If implemented: OC-Supported-Features goes into the answer if and only if it was in the request, and OC-OLR only then; one algorithm chosen from those offered (loss = default when OC-Feature-Vector is absent).',
  },
  {
    id: 'B-192',
    clause: '7683 5.2, 7.3-7.7',
    strength: 'MUST',
    requirement:
      'OC-OLR = OC-Sequence-Number + OC-Report-Type (HOST 0, REALM 1) + OC-Reduction-Percentage (0..100) + OC-Validity-Duration (default 30 s, max 86 400, larger values mean the default). New content needs a higher sequence number; duration 0 ends the condition.',
  },
  {
    id: 'B-193',
    clause: '7683 7.4',
    strength: 'MUST',
    requirement:
      'Sequence numbers must grow over restarts (non-volatile) and over all instances that share the identity.',
  },
  {
    id: 'B-194',
    clause: '8583',
    strength: 'MAY',
    requirement:
      'Load AVP (650: Load-Type 651 HOST/PEER, Load-Value 652 0..65535 with higher = less loaded, SourceID 649) may be added to answers.',
  },
];
