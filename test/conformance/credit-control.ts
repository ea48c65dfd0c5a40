/**
 * What RFC 8506 asks of a credit-control server, row by row. Strength follows the RFC; `CLIENT` is
 * a duty of the client that the server relies on or copes with, `IMPL` is not normative but needed
 * so that real clients work, and `?` marks where the RFC is silent, with what we do.
 */
import type { Row } from './row.ts';

export const creditControl: readonly Row[] = [
  // Messages and advertising
  {
    id: 'C-001',
    clause: '1.3, 3.1, 12',
    strength: 'MUST',
    requirement:
      'Application id 4, command 272, both flagged proxiable; Auth-Application-Id 4 in CER/CEA, CCR, CCA.',
  },
  {
    id: 'C-002',
    clause: '3.1',
    strength: 'MUST',
    requirement:
      'CCR required AVPs: Session-Id (first), Origin-Host, Origin-Realm, Destination-Realm, Auth-Application-Id, Service-Context-Id, CC-Request-Type, CC-Request-Number. Missing: 5005 + Failed-AVP (B-057).',
  },
  {
    id: 'C-003',
    clause: '3.2',
    strength: 'MUST',
    requirement:
      'CCA required AVPs: Session-Id (first), Result-Code, Origin-Host, Origin-Realm, Auth-Application-Id, CC-Request-Type, CC-Request-Number; the last two echo the request.',
  },
  {
    id: 'C-004',
    clause: '3.2, 8.5',
    strength: 'IMPL',
    requirement:
      'CC-Sub-Session-Id, when in the CCR, is echoed in the CCA (grammar allows it; needed for matching).',
  },
  {
    id: 'C-005',
    clause: '3.1, 10.1',
    strength: 'MUST',
    requirement:
      'Command-level CCR AVPs that may occur at most once: Destination-Host, User-Name, CC-Sub-Session-Id, Acct-Multi-Session-Id, Origin-State-Id, Event-Timestamp, Service-Identifier, Termination-Cause, Requested-Service-Unit, Requested-Action, Multiple-Services-Indicator, CC-Correlation-Id, User-Equipment-Info, User-Equipment-Info-Extension. Repeatable: Subscription-Id, Subscription-Id-Extension, Used-Service-Unit, MSCC, Service-Parameter-Info, Proxy-Info, Route-Record, any other AVP.',
  },
  {
    id: 'C-006',
    clause: '3.2, 10.1',
    strength: 'MUST',
    requirement:
      'CCA may carry: User-Name, CC-Session-Failover, CC-Sub-Session-Id, Acct-Multi-Session-Id, Origin-State-Id, Event-Timestamp, one GSU, MSCC*, Cost-Information, FUI, QFUI, Check-Balance-Result, Credit-Control-Failure-Handling, Direct-Debiting-Failure-Handling, Validity-Time, Redirect-*, Proxy-Info*, Route-Record*, Failed-AVP* (several allowed, unlike the base commands).',
  },
  {
    id: 'C-007',
    clause: '10.1',
    strength: 'MUST NOT',
    requirement:
      'Never in a CCA: Service-Context-Id, Subscription-Id, Requested-*, Used-Service-Unit, CC-Correlation-Id, Multiple-Services-Indicator, Destination-*.',
  },
  {
    id: 'C-008',
    clause: '10.2',
    strength: 'MAY',
    requirement:
      'RAR/RAA may additionally carry one each of CC-Sub-Session-Id, G-S-U-Pool-Identifier, Service-Identifier, Rating-Group.',
  },
  // CC-Request-Type, CC-Request-Number, sub-sessions
  {
    id: 'C-010',
    clause: '8.3',
    strength: 'MUST',
    requirement:
      'Type values: INITIAL 1, UPDATE 2, TERMINATION 3, EVENT 4; 0 is reserved. Other values: 5004.',
  },
  {
    id: 'C-011',
    clause: '8.2, 5.7',
    strength: 'MUST (basis)',
    requirement:
      'Session-Id + CC-Request-Number identifies a request globally and is used to match and de-duplicate.',
  },
  {
    id: 'C-012',
    clause: '8.2',
    strength: 'SHOULD (client) / IMPL',
    requirement:
      'Suggested numbering: 0 for I and E, then 1, 2, ...; T is last+1. It is only "an easy way": clients start at 1, skip numbers, or keep counting per sub-session. Do not reject gaps or a non-zero first number.',
  },
  {
    id: 'C-013',
    clause: '5.2.2',
    strength: 'CLIENT',
    requirement:
      'First interrogation done by the AAA server: the first CCR-U has number 1 even though the client never sent a CCR-I itself.',
  },
  {
    id: 'C-014',
    clause: '5.1.2',
    strength: 'SHOULD NOT reject',
    requirement:
      'With several services in a session the client may send a CCR-U before the previous one was answered; so requests can be out of order. That is not an error; each gets a proper answer.',
  },
  {
    id: 'C-015',
    clause: '5.1, 8.5',
    strength: 'MUST',
    requirement:
      'Sub-sessions: same Session-Id, different CC-Sub-Session-Id (Unsigned64, +1 for each new one); unique pair. All sub-sessions are closed before the main session. Absent = not used. Treat (Session-Id, sub id) as the session key.',
  },
  {
    id: 'C-016',
    clause: '8.3',
    strength: 'MUST',
    requirement: 'EVENT_REQUEST must carry Requested-Action; missing: 5005.',
  },
  {
    id: 'C-017',
    clause: '8.41',
    strength: 'MUST/IMPL',
    requirement:
      'Requested-Action values DIRECT_DEBITING 0, REFUND_ACCOUNT 1, CHECK_BALANCE 2, PRICE_ENQUIRY 3. Meaningful only with EVENT; some clients (open5gs) send it in I/U/T too: ignore it there.',
  },
  // Server state machine
  {
    id: 'C-020',
    clause: '7, table 6',
    strength: 'MUST',
    requirement: 'Idle, CCR-I processed: CCA success, reserve units, start Tcc -> Open',
  },
  {
    id: 'C-021',
    clause: '7, table 6',
    strength: 'MUST',
    requirement:
      'Idle, CCR-I not processed: CCA with Result-Code other than success -> Idle (no reservation)',
  },
  {
    id: 'C-022',
    clause: '7, table 6',
    strength: 'MUST',
    requirement:
      'Idle, CCR-E processed / not processed: CCA (with or without success) -> Idle; no session state',
  },
  {
    id: 'C-023',
    clause: '7, table 6',
    strength: 'MUST',
    requirement:
      'Open, CCR-U processed: CCA, debit used units, reserve new units, restart Tcc -> Open',
  },
  {
    id: 'C-024',
    clause: '7, table 6',
    strength: 'MUST',
    requirement:
      'Open, CCR-U not processed: CCA error, **still debit the used units** -> Idle (session ends, reservations released)',
  },
  {
    id: 'C-025',
    clause: '7, table 6',
    strength: 'MUST',
    requirement: 'Open, CCR-T processed: CCA, stop Tcc, debit used units -> Idle, release the rest',
  },
  {
    id: 'C-026',
    clause: '7, table 6',
    strength: 'MUST',
    requirement: 'Open, CCR-T not processed: CCA error, debit used units -> Idle',
  },
  {
    id: 'C-027',
    clause: '7, table 6',
    strength: 'MUST',
    requirement:
      'Open, Tcc expires: Release reserved units -> Idle. No message to the client is required',
  },
  {
    id: 'C-028',
    clause: '7, table 6',
    strength: 'MUST',
    requirement: 'Any event not in the table: Error; corresponding answer',
  },
  // Duplicates and retransmission
  {
    id: 'C-060',
    clause: '5.7, 6.5; 6733 3',
    strength: 'MUST (via base 3)',
    requirement:
      'The server detects duplicate and out-of-sequence messages from the state machine, Session-Id and CC-Request-Number; base rules (Origin-Host + E2E, T flag) apply as well. A duplicate gets the stored answer and causes no second debit, reservation or refund.',
  },
  {
    id: 'C-061',
    clause: '6.5',
    strength: 'MUST',
    requirement:
      "For one-time events real-time duplicate detection is the server's responsibility: clients re-send buffered direct debits and refunds with T set, possibly hours later and after a restart. Keep CCR-E results long enough (>= the client's buffering time; a day is a sane default), keyed by Session-Id + number as well as Origin-Host + E2E.",
  },
  {
    id: 'C-062',
    clause: '7',
    strength: '?',
    requirement:
      'CCR-I for an already open session with another E2E and no T: not defined. If Session-Id + number + type equal: treat as duplicate (C-060). Otherwise recommend: 5012 or 5002-like refusal, never a second reservation.',
  },
  {
    id: 'C-063',
    clause: '6.5',
    strength: 'SHOULD',
    requirement:
      'Exactly one entity in a realm should do duplicate detection: with stateless nodes this is the shared store, not each node.',
  },
  {
    id: 'C-064',
    clause: '-',
    strength: '? IMPL',
    requirement:
      'Do not reuse the stored answer when only the CC-Request-Number is equal but type or content differs (client bug); prefer treating number+type+E2E mismatch as a new request if content differs and sequence moves on.',
  },
  {
    id: 'C-065',
    clause: '5.7',
    strength: 'MUST',
    requirement:
      'Servers that support session failover must also ensure duplicate/out-of-sequence detection across servers, and should transfer session and account state.',
  },
  // First, intermediate, final interrogation
  {
    id: 'C-070',
    clause: '5.2',
    strength: 'SHOULD',
    requirement:
      'CCR-I: server should rate the request and reserve an amount that covers it; returns GSU (command level or in MSCC).',
  },
  {
    id: 'C-071',
    clause: '5.2',
    strength: 'MUST/SHOULD',
    requirement: 'If the requested unit type is money, no rating: reserve that amount.',
  },
  {
    id: 'C-072',
    clause: '5.2',
    strength: 'MUST',
    requirement:
      'Each unit type at most once per answer (per GSU); several different types may be granted and the client treats each separately. Two instances for one SI/RG only as the before/after tariff change pair.',
  },
  {
    id: 'C-073',
    clause: '5.2',
    strength: 'SHOULD NOT',
    requirement: 'Unit type should not change within a session.',
  },
  {
    id: 'C-074',
    clause: '5.2, 7, 9.1',
    strength: 'MAY',
    requirement:
      'No control needed: command-level 4011 means grant service and *end* the credit-control session (state goes to Idle; no CCR-U/T will come).',
  },
  {
    id: 'C-075',
    clause: '5.3',
    strength: 'MUST',
    requirement:
      'CCR-U: used amount must be deducted; new reservation if requested. Used units count since the previous measurement (deltas, not totals).',
  },
  {
    id: 'C-076',
    clause: '5.3',
    strength: 'MUST',
    requirement:
      'After reporting, the client holds no units until the answer; new units apply from where measurement stopped. So the old reservation is replaced, not added to.',
  },
  {
    id: 'C-077',
    clause: '8.19',
    strength: 'MUST cope',
    requirement: 'USU may exceed the GSU; the excess must be debited.',
  },
  {
    id: 'C-078',
    clause: '5.3',
    strength: 'CLIENT / IMPL',
    requirement:
      'The client reports each unit type that was granted; same types as before should be used. A USU of another type than granted, or with Input+Output where Total was granted, occurs in practice (open5gs): charge by what is reported, deriving Total = Input + Output when Total is absent; never add Total to Input+Output.',
  },
  {
    id: 'C-079',
    clause: '5.4',
    strength: 'MUST',
    requirement: 'CCR-T: debit used units, release/refund unused reservation.',
  },
  {
    id: 'C-080',
    clause: '8.16',
    strength: 'MUST NOT',
    requirement: 'CCR-T normally has no RSU; no grant must be returned.',
  },
  {
    id: 'C-081',
    clause: '5.5, 5.6',
    strength: 'IMPL',
    requirement:
      'CCR-U without any MSCC/USU/RSU (e.g. to signal an event or after RAR with nothing granted): valid; answer 2001, restart Tcc.',
  },
  {
    id: 'C-082',
    clause: '5.3, 5.4, 8.7',
    strength: 'MAY',
    requirement:
      'Cost-Information: CCA-U may hold the accumulated cost (no reservations counted); CCA-T and CCA-E the total estimate.',
  },
  {
    id: 'C-083',
    clause: '5.2-5.4',
    strength: 'SHOULD (client) / IMPL',
    requirement:
      'Event-Timestamp: client should send the time of the event; rate by it (late delivery) rather than by arrival time, with sanity limits.',
  },
  {
    id: 'C-084',
    clause: '5.2, 5.3',
    strength: 'SHOULD / IMPL',
    requirement:
      'Subscription-Id/-Extension identify the user in I, U and E (should), often absent in T. Take the identity from the session for U/T.',
  },
  // Multiple services (MSCC)
  {
    id: 'C-090',
    clause: '5.1.2, 8.40',
    strength: 'MUST',
    requirement:
      'Client announces support with Multiple-Services-Indicator 1 in the first interrogation; absence = not supported. A server that wants to use MSCC must answer within MSCC when the client announced it.',
  },
  {
    id: 'C-091',
    clause: '5.1.2, 8.16, 8.40',
    strength: 'MUST / IMPL',
    requirement:
      'A server without MSCC support must treat Multiple-Services-Indicator and MSCC as invalid AVPs. A Gy server must support both. Real clients (open5gs) send Indicator 0 *and* MSCC: answer in the form the request used.',
  },
  {
    id: 'C-092',
    clause: '8.16',
    strength: 'MUST',
    requirement:
      'MSCC members: GSU, RSU, USU*, Tariff-Change-Usage, Service-Identifier*, Rating-Group, G-S-U-Pool-Reference*, Validity-Time, Result-Code, FUI, QFUI, AVP*.',
  },
  {
    id: 'C-093',
    clause: '8.16, 8.28, 8.29, 4.1.2',
    strength: 'MUST',
    requirement:
      'RG only: applies to all services of the group. RG + SI(s): applies to those SIs. SI only: to that service. SI and RG are meaningful only together with the Service-Context-Id.',
  },
  {
    id: 'C-094',
    clause: '5.1.2',
    strength: 'MUST (return in associated MSCC) / MAY',
    requirement:
      'Every MSCC of a CCR gets a corresponding MSCC in the CCA with the same SI/RG (needed so that the client can match); the server may instead authorise the whole RG when asked for one SI.',
  },
  {
    id: 'C-095',
    clause: '5.2, 5.3, 8.16',
    strength: 'MUST (client)',
    requirement:
      "RSU present (even empty) = quota is requested. RSU must be present in the first interrogation's MSCC and in later ones that want quota.",
  },
  {
    id: 'C-096',
    clause: '8.16',
    strength: 'MUST NOT grant',
    requirement:
      'RSU absent in an MSCC: debit the USU, return no GSU for it. Answer MSCC may hold Validity-Time, Result-Code, FUI.',
  },
  {
    id: 'C-097',
    clause: '5.2, 8.17',
    strength: 'IMPL',
    requirement:
      'RSU with amounts is a wish: the server may grant less or more, in the unit type the tariff needs.',
  },
  {
    id: 'C-098',
    clause: '8.17, 8.18',
    strength: 'MUST',
    requirement:
      'Unknown or unsupported unit type in RSU: invalid AVP (5001/5004 with Failed-AVP, or 5031 when it cannot be rated). The client must drop the session with DIAMETER_BAD_ANSWER if granted a unit type it does not know, so grant only requested types when RSU names any.',
  },
  {
    id: 'C-099',
    clause: '8.17-8.26',
    strength: 'MUST',
    requirement:
      'GSU members: Tariff-Time-Change, CC-Time, CC-Money, CC-Total/Input/Output-Octets, CC-Service-Specific-Units. CC-Time is seconds (U32), octets U64, CC-Service-Specific-Units U64.',
  },
  {
    id: 'C-100',
    clause: '5.1.2',
    strength: 'SHOULD',
    requirement: 'Validity-Time, FUI/QFUI should be in MSCC *or* at command level, not both.',
  },
  {
    id: 'C-101',
    clause: '5.1.2',
    strength: 'MUST',
    requirement:
      'Result-Code may be at both levels; a command-level code other than success overrides everything in the MSCCs. So with mixed results the command level must be 2001.',
  },
  {
    id: 'C-102',
    clause: '8.16',
    strength: 'IMPL',
    requirement:
      'Result-Code inside every answer MSCC (2001 too) is not required by the RFC, but many clients expect it.',
  },
  {
    id: 'C-103',
    clause: '5.1.2',
    strength: 'MUST',
    requirement:
      'Quotas of different MSCCs are independent: own validity, result, FUI, re-authorisation at any time.',
  },
  {
    id: 'C-104',
    clause: '5.1.2',
    strength: 'SHOULD (client)',
    requirement:
      'Client should report at the finest granularity (per SI); several MSCCs of the same RG with different SIs may come for a quota granted per RG: sum them against the RG quota.',
  },
  {
    id: 'C-105',
    clause: '8.16',
    strength: 'MUST',
    requirement:
      'Several USUs in one MSCC (before/after tariff change; per reporting reason) are summed.',
  },
  {
    id: 'C-106',
    clause: 'A.9 (sample)',
    strength: 'IMPL',
    requirement:
      'First CCR-I may have Multiple-Services-Indicator and no MSCC at all (session set-up only): answer 2001 without quota.',
  },
  // Result codes and their level
  {
    id: 'C-110',
    clause: '9.1',
    strength: 'MUST (if possible)',
    requirement: '4010, 4012 with a CCR that contained usage: deduct the usage where possible.',
  },
  {
    id: 'C-111',
    clause: '4.1.3, 8.43, 9.2',
    strength: 'MUST',
    requirement:
      '5031 always with >= 1 Failed-AVP: copy of the faulty AVP(s) or example of the missing one. Unknown Service-Context-Id at command level: 5031 with Failed-AVP{Service-Context-Id}.',
  },
  {
    id: 'C-112',
    clause: '9',
    strength: 'SHOULD',
    requirement:
      "A rejected CCR should cause the user's session to end; so use command-level errors only when the whole session is to end.",
  },
  {
    id: 'C-113',
    clause: '6733 7.1.4',
    strength: 'MUST',
    requirement: '4xxx/5xxx credit-control codes are never sent with E set.',
  },
  {
    id: 'C-114',
    clause: '8.34',
    strength: 'SHOULD',
    requirement:
      'Account empty at CCR-I and no graceful termination configured: a transient failure (4012 or 4010), not a zero grant without FUI.',
  },
  // Tariff change
  {
    id: 'C-120',
    clause: '5.1.1, 8.20',
    strength: 'MAY',
    requirement:
      'Optional for both sides. A client that does not support it and receives Tariff-Time-Change terminates the session (BAD_ANSWER). Make it configurable per peer.',
  },
  {
    id: 'C-121',
    clause: '5.1.1, 8.27',
    strength: 'SHOULD',
    requirement:
      'Single quota: GSU has Tariff-Time-Change, MSCC has no Tariff-Change-Usage. Size the grant for the dearer of the two tariffs so usage can never exceed the reservation.',
  },
  {
    id: 'C-122',
    clause: '5.1.2, 8.16',
    strength: 'MUST (if that form)',
    requirement:
      'Dual quota: two MSCCs for the same SI/RG, both with GSU and Tariff-Time-Change, one with Tariff-Change-Usage BEFORE(0), one AFTER(1).',
  },
  {
    id: 'C-123',
    clause: '5.1.1, 8.16, 8.27',
    strength: 'MUST',
    requirement:
      'Client reports before/after in one MSCC with several USUs, each with Tariff-Change-Usage inside the USU: BEFORE 0, AFTER 1, INDETERMINATE 2 (straddling). Absent = no change happened. Note that RFC 4006 was contradictory here; RFC 8506 says clearly that it goes inside USU.',
  },
  {
    id: 'C-124',
    clause: '8.27',
    strength: 'MUST NOT',
    requirement: 'UNIT_INDETERMINATE never in a grant.',
  },
  {
    id: 'C-125',
    clause: '5.1.1, 8.20',
    strength: 'MUST NOT use',
    requirement:
      'Not used for continuously consumed time quota: the server can compute the split itself from the clock.',
  },
  {
    id: 'C-126',
    clause: '8.20',
    strength: 'MUST',
    requirement: 'Tariff-Time-Change is an absolute Diameter Time (1900 epoch).',
  },
  {
    id: 'C-127',
    clause: '5.1.2',
    strength: 'SHOULD',
    requirement: 'With pools the RFC advises dual quota + pool to avoid over-reservation.',
  },
  // Validity-Time, Tcc
  {
    id: 'C-130',
    clause: '5.3, 8.33',
    strength: 'MUST (client)',
    requirement:
      'Validity-Time: seconds, starts when the client receives the CCA; on expiry the client must send CCR-U even with unused quota.',
  },
  {
    id: 'C-131',
    clause: '5.6.2, 8.33',
    strength: 'MUST',
    requirement:
      'Also used with FUI redirect/restrict: time until the next CCR-U after the action started; mandatory in the answer to the CCR-U that reports the start of the action.',
  },
  {
    id: 'C-132',
    clause: '5.1, 13',
    strength: 'RECOMMENDED / MAY',
    requirement:
      'Tcc supervises the session on the server; should be derived from Validity-Time, may be 2 x Validity-Time so that a client outage does not lose the session. (Re)started by each successful I/U. With several MSCCs use the longest (or per-quota) validity.',
  },
  {
    id: 'C-133',
    clause: '7',
    strength: 'MUST / ?',
    requirement:
      'Tcc expiry: release reservations, session to Idle; a later CCR-U/T gets 5002 (usage in it should still be charged if policy allows: `?`).',
  },
  {
    id: 'C-134',
    clause: '5.1',
    strength: 'MUST cope',
    requirement:
      'Absence of Validity-Time does not mean no interim requests: still supervise with a default Tcc.',
  },
  {
    id: 'C-135',
    clause: '13',
    strength: 'IMPL',
    requirement:
      "Tx (client) recommended 10 s: the server's worst-case answer time incl. store fail-over must be well below.",
  },
  // Graceful service termination
  {
    id: 'C-140',
    clause: '5.6, 8.34',
    strength: 'MAY',
    requirement:
      'Server support is optional; clients must at least support tear-down. FUI in CCA = the GSU of the same level holds the last units.',
  },
  {
    id: 'C-141',
    clause: '8.34, 8.35, 8.68',
    strength: 'MUST',
    requirement:
      'Final-Unit-Action TERMINATE 0, REDIRECT 1, RESTRICT_ACCESS 2; always present in FUI/QFUI.',
  },
  {
    id: 'C-142',
    clause: '5.6.1, 8.34',
    strength: 'MUST',
    requirement:
      'TERMINATE: no other AVP in FUI/QFUI. Command-level TERMINATE: client ends and sends CCR-T. MSCC-level: only that service ends, reported in CCR-U or later CCR-T.',
  },
  {
    id: 'C-143',
    clause: '5.6.2, 8.34, 8.68',
    strength: 'MUST / MAY',
    requirement:
      'REDIRECT: FUI needs Redirect-Server {Redirect-Address-Type, Redirect-Server-Address}; QFUI needs Redirect-Server-Extension. Filters (Restriction-Filter-Rule / Filter-Id in FUI, Filter-Rule / Filter-Id in QFUI) may be added to open further destinations.',
  },
  {
    id: 'C-144',
    clause: '5.6.2',
    strength: 'MUST',
    requirement:
      'When the final units are used up the client sends a CCR-U with USU but **no rating-related AVPs (no RSU)**: deduct, make no new reservation, answer without GSU but *with* Validity-Time.',
  },
  {
    id: 'C-145',
    clause: '5.6.2',
    strength: 'MUST',
    requirement:
      "On that Validity-Time's expiry the client sends CCR-U without USU: the server must try a reservation; new quota (client lifts the restrictions) or the policy's result code (4010/4012).",
  },
  {
    id: 'C-146',
    clause: '5.6.3',
    strength: 'SHOULD / RECOMMENDED',
    requirement:
      'RESTRICT_ACCESS: should contain Restriction-Filter-Rule or Filter-Id (FUI), Filter-Rule or Filter-Id (QFUI); must be configurable which, or none. Client drops what does not match.',
  },
  {
    id: 'C-147',
    clause: '5.6.2, 8.34',
    strength: 'MAY',
    requirement:
      'At first interrogation with empty account: FUI REDIRECT/RESTRICT + Validity-Time and no GSU = start the action at once, without a further message.',
  },
  {
    id: 'C-148',
    clause: '5.6',
    strength: 'MAY',
    requirement:
      'New in 8506: FUI/QFUI with a GSU of **zero** units = terminate/act now, no further report needed.',
  },
  {
    id: 'C-149',
    clause: '5.6.4',
    strength: 'MAY',
    requirement:
      'After a top-up the server may send RAR; client answers and sends CCR-U without USU (RSU may be present); a new GSU lifts the restrictions.',
  },
  {
    id: 'C-150',
    clause: '8.38',
    strength: 'MUST',
    requirement:
      'Redirect-Address-Type: IPv4 0, IPv6 1, URL 2, SIP URI 3. IPv6 text form per RFC 5952 when sending (8506), be liberal when receiving.',
  },
  {
    id: 'C-151',
    clause: '5.6.3, 8.64, 8.68',
    strength: 'SHOULD',
    requirement:
      'Compatibility: for actions the old AVP can express, send FUI in addition to or instead of QFUI, because RFC 4006 clients know only FUI. If both are present an 8506 client follows QFUI.',
  },
  {
    id: 'C-152',
    clause: '8.64',
    strength: 'MUST',
    requirement:
      'Exactly one member in Redirect-Server-Extension (Redirect-Address-IPAddress 666, -URL 667, -SIP-URI 668).',
  },
  {
    id: 'C-153',
    clause: '8.34',
    strength: 'SHOULD (client)',
    requirement:
      'If several unit types are granted with FUI, the first to run out triggers the action.',
  },
  {
    id: 'C-154',
    clause: '8 table',
    strength: 'IMPL',
    requirement:
      'QFUI and the other 8506 AVPs (653-669) have M optional: an RFC 4006 client would reject M=1, so send M=0 to unknown clients.',
  },
  // Credit pools
  {
    id: 'C-160',
    clause: '8.16, 8.30',
    strength: 'MUST',
    requirement:
      'G-S-U-Pool-Reference {G-S-U-Pool-Identifier, CC-Unit-Type, Unit-Value = multiplier} sits in the MSCC next to the GSU. The GSU must contain units of the named type.',
  },
  {
    id: 'C-161',
    clause: '8.32',
    strength: 'MUST',
    requirement:
      'CC-Unit-Type: TIME 0, MONEY 1, TOTAL-OCTETS 2, INPUT-OCTETS 3, OUTPUT-OCTETS 4, SERVICE-SPECIFIC-UNITS 5.',
  },
  {
    id: 'C-162',
    clause: '5.1.2, A.9',
    strength: 'MUST',
    requirement:
      'Pool size S = sum(Qi x Mi); exhausted when sum(Ci x Mi) >= S. Removing a service subtracts what it consumed (Cx x Mx). Example in A.9: $5 at $1/MB with multiplier 10 and 50 min at $0.1/min with multiplier 1 give S = 100.',
  },
  {
    id: 'C-163',
    clause: '5.1.2',
    strength: 'MUST',
    requirement:
      'Several references to one pool in one MSCC: different CC-Unit-Type each; they draw separately (M1t, M1v).',
  },
  {
    id: 'C-164',
    clause: '5.1.2, 8.31',
    strength: 'MUST',
    requirement:
      'GSU without reference = not pooled. Pools are per session; ids unique in the session.',
  },
  {
    id: 'C-165',
    clause: '8.8-8.10',
    strength: 'MUST',
    requirement:
      'Unit-Value = Value-Digits (Integer64) x 10^Exponent (Integer32, absent = 0): 23, -1 = 2.3. Exact decimal arithmetic, no floats. Digits may be negative.',
  },
  {
    id: 'C-166',
    clause: '5.1.2',
    strength: 'MUST cope',
    requirement:
      'Usage of a pooled service may exceed its own nominal quota (drawn from the pool); the sum over the pool is bounded.',
  },
  // Money
  {
    id: 'C-170',
    clause: '8.11, 8.22',
    strength: 'SHOULD',
    requirement:
      'CC-Money {Unit-Value, [Currency-Code]}; Currency-Code should be there; ISO 4217 numeric (978 EUR, 840 USD).',
  },
  {
    id: 'C-171',
    clause: '8.7',
    strength: 'MUST',
    requirement: 'Cost-Information {Unit-Value, Currency-Code, [Cost-Unit text]}; always money.',
  },
  {
    id: 'C-172',
    clause: '8.8',
    strength: 'IMPL',
    requirement: 'Normalise before comparing: 100 x 10^-2 = 1 x 10^0.',
  },
  // One-time events
  {
    id: 'C-180',
    clause: '6',
    strength: 'MUST',
    requirement: 'No session state is kept (apart from duplicate detection).',
  },
  {
    id: 'C-181',
    clause: '6.1, 8.41',
    strength: 'MUST',
    requirement:
      'PRICE_ENQUIRY: compute price, return Cost-Information; no balance check, no reservation, works at zero balance.',
  },
  {
    id: 'C-182',
    clause: '6.2, 8.6',
    strength: 'MUST',
    requirement:
      'CHECK_BALANCE: Subscription-Id must identify the user; return Check-Balance-Result ENOUGH_CREDIT 0 / NO_CREDIT 1 with command-level 2001; no reservation. Check-Balance-Result only for this action.',
  },
  {
    id: 'C-183',
    clause: '6.3, 8.41',
    strength: 'SHOULD/MUST',
    requirement:
      'DIRECT_DEBITING: rate (or take the money amount given) and deduct at once; return GSU = the debited units; Cost-Information optional. Insufficient: 4012, nothing deducted.',
  },
  {
    id: 'C-184',
    clause: '6.3',
    strength: 'MAY',
    requirement: 'If free: 4011.',
  },
  {
    id: 'C-185',
    clause: '6.4, 8.41',
    strength: 'MUST',
    requirement:
      'REFUND_ACCOUNT: credit the money amount or the rated equivalent; GSU = refunded units; Cost-Information optional.',
  },
  {
    id: 'C-186',
    clause: '6, A.4-A.6',
    strength: 'IMPL',
    requirement:
      'Event requests may use command-level RSU/Service-Identifier or MSCC (3GPP always MSCC). Support both; answer in the same style.',
  },
  {
    id: 'C-187',
    clause: '6.5',
    strength: 'MUST',
    requirement:
      'Failover of events to another server is always allowed, so C-061 must hold across nodes.',
  },
  // Failure handling directives
  {
    id: 'C-190',
    clause: '5.7, 8.14',
    strength: 'MUST',
    requirement:
      'Credit-Control-Failure-Handling in CCA: TERMINATE 0 (default when absent), CONTINUE 1, RETRY_AND_TERMINATE 2; overrides whatever the client had.',
  },
  {
    id: 'C-191',
    clause: '5.7',
    strength: 'info',
    requirement:
      'With TERMINATE the client ends service when Tx expires and only fails over on 3002/3004 received before Tx; so use 1 or 2 where failover is wanted.',
  },
  {
    id: 'C-192',
    clause: '5.7, 8.4',
    strength: 'MUST (client)',
    requirement:
      'CC-Session-Failover: FAILOVER_NOT_SUPPORTED 0 (default when absent!), SUPPORTED 1. A server with shared state must send 1, otherwise clients must not move the session.',
  },
  {
    id: 'C-193',
    clause: '6.5, 8.15',
    strength: 'MAY',
    requirement:
      'Direct-Debiting-Failure-Handling: TERMINATE_OR_BUFFER 0 (default), CONTINUE 1; may be in any CCA and applies to later events.',
  },
  {
    id: 'C-194',
    clause: '5.7',
    strength: 'MUST',
    requirement:
      'If the server detects a failure in a session it ends the session and returns reserved units.',
  },
  {
    id: 'C-195',
    clause: '5.7',
    strength: 'IMPL',
    requirement:
      'Late answers are useful: clients with CONTINUE/RETRY wait beyond Tx (e.g. 120 s); answer even if late, unless overloaded.',
  },
  // Server-initiated re-authorisation
  {
    id: 'C-200',
    clause: '5.5',
    strength: 'MUST',
    requirement:
      'RAR with Auth-Application-Id 4 and Re-Auth-Request-Type AUTHORIZE_ONLY. Scope: none = all services of the (sub-)session; Rating-Group or Service-Identifier = that one; G-S-U-Pool-Identifier = that pool; CC-Sub-Session-Id = that sub-session.',
  },
  {
    id: 'C-201',
    clause: '5.5',
    strength: 'MUST',
    requirement:
      'RAA 2002: client will send CCR-U (must follow). RAA 2001: a CCR is already on its way; treat that CCR as the response. Both are success.',
  },
  {
    id: 'C-202',
    clause: '5.5',
    strength: 'SHOULD',
    requirement:
      'RAR and CCR crossing: process the CCR as if it answered the RAR; do not send another RAR.',
  },
  {
    id: 'C-203',
    clause: '5.5',
    strength: 'MUST',
    requirement:
      'With multiple services the client may send an extra CCR-U for the remaining services: answer each.',
  },
  {
    id: 'C-204',
    clause: '6733 8.1',
    strength: 'MUST',
    requirement:
      'RAA 5002 or failure: drop the session (base 8.1). No RAA: re-send (T set) or give up; Tcc is the backstop.',
  },
  {
    id: 'C-205',
    clause: '-',
    strength: 'IMPL',
    requirement:
      "A stateless node that holds no connection to the client's peer must hand the RAR to the node that does (or to a relay).",
  },
  // Identities and parameters
  {
    id: 'C-210',
    clause: '8.46-8.48',
    strength: 'MUST',
    requirement:
      'Subscription-Id {Type, Data}: END_USER_E164 0, IMSI 1, SIP_URI 2, NAI 3, PRIVATE 4. Server must implement all types its services need. Unknown type: M-flag rule (5001/5004).',
  },
  {
    id: 'C-211',
    clause: '3.1',
    strength: 'IMPL',
    requirement:
      'Several Subscription-Ids (IMSI + MSISDN) identify the same user: find by any configured type; conflicting: 5007 or 5030 (policy).',
  },
  {
    id: 'C-212',
    clause: '8.58',
    strength: 'MUST',
    requirement:
      'Subscription-Id-Extension (659): exactly one of E164 660, IMSI 661, SIP-URI 662, NAI 663, Private 664. May come with or instead of Subscription-Id.',
  },
  {
    id: 'C-213',
    clause: '8.49-8.57',
    strength: 'MUST (form)',
    requirement:
      'User-Equipment-Info {Type IMEISV 0, MAC 1, EUI64 2, MODIFIED_EUI64 3; Value} informational. 3GPP clients use type 0 for IMEI(SV). Extension 653 with exactly one of IMEISV 654, MAC 655, EUI64 656, ModifiedEUI64 657, IMEI 658.',
  },
  {
    id: 'C-214',
    clause: '4.1.2, 4.1.3, 8.42',
    strength: 'MUST',
    requirement:
      'Service-Context-Id = token@domain, identifies the service document; required. Unsupported: 5031.',
  },
  {
    id: 'C-215',
    clause: '8.43',
    strength: 'MUST',
    requirement:
      'Service-Parameter-Info {Type, Value}: unknown type: 5031 with the AVP in Failed-AVP (although the AVP itself is M-optional).',
  },
  {
    id: 'C-216',
    clause: '8.1',
    strength: 'info',
    requirement: 'CC-Correlation-Id: opaque octets, keep with the record.',
  },
  {
    id: 'C-217',
    clause: '3.1',
    strength: 'info',
    requirement: 'Acct-Multi-Session-Id: correlation, may be echoed.',
  },
  {
    id: 'C-218',
    clause: '6733 8.15; 8506 8.17',
    strength: 'info',
    requirement:
      'Termination-Cause in CCR-T: 1 LOGOUT, 2 SERVICE_NOT_PROVIDED, 3 BAD_ANSWER, 4 ADMINISTRATIVE, 5 LINK_BROKEN, 6 AUTH_EXPIRED, 7 USER_MOVED, 8 SESSION_TIMEOUT (plus RADIUS-derived values >= 11). 3 means the client disliked our answer: raise an alarm.',
  },
  {
    id: 'C-219',
    clause: '4.1.3',
    strength: 'MUST',
    requirement:
      'Accept rating input in unknown non-mandatory AVPs; reject unknown M AVPs (B-048).',
  },
  // Security and privacy
  {
    id: 'C-230',
    clause: '14',
    strength: 'MUST / SHOULD',
    requirement:
      'All parties authenticated (TLS client certificates); client should be authorised for the users it charges.',
  },
  {
    id: 'C-231',
    clause: '14',
    strength: 'MUST',
    requirement:
      'Session-Id + CC-Request-Number give replay protection: an old CCR replayed must not change state.',
  },
  {
    id: 'C-232',
    clause: '15',
    strength: 'SHOULD',
    requirement:
      'Subscription-Id-Data, User-Equipment-Info-Value, locations and balances are privacy sensitive: mask in logs, limit retention.',
  },
];
