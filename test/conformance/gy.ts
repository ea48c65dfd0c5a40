/**
 * What Gy/Ro adds to RFC 8506 (TS 32.299), row by row. In place of a strength each row says where
 * it is known from: [T] the AVP's own clause, [D] dictionaries of several stacks, [C] manuals of
 * gateway vendors, [O] the Gy client of open5gs.
 */
import type { Row } from './row.ts';

export const gy: readonly Row[] = [
  // Application and messages
  {
    id: 'G-001',
    clause: 'TS 32.299',
    strength:
      '[D]; TS 32.299 V16.2.0 6.4.2 as restated by a public summary of it: command 272, Auth-Application-Id 4',
    requirement:
      'Gy and Ro are RFC 4006 credit control (application 4, command 272) with 3GPP AVPs, vendor 10415. No own application id; CER/CEA: Auth-Application-Id 4, Supported-Vendor-Id 10415. Some peers wrap it in Vendor-Specific-Application-Id {10415, 4}: accept (B-084).',
  },
  {
    id: 'G-002',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'CCR on Ro (6.4.2): Session-Id, Origin-Host, Origin-Realm, Destination-Realm, Auth-Application-Id, Service-Context-Id, CC-Request-Type, CC-Request-Number required; optional Destination-Host, User-Name, Origin-State-Id, Event-Timestamp, Subscription-Id*, Termination-Cause, Requested-Action, AoC-Request-Type, Multiple-Services-Indicator, MSCC*, CC-Correlation-Id, User-Equipment-Info, OC-Supported-Features, Proxy-Info*, Route-Record*, Service-Information, AVP*.',
  },
  {
    id: 'G-003',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'So on Ro there is **no** command-level Requested-/Used-Service-Unit, Service-Identifier, CC-Sub-Session-Id, Acct-Multi-Session-Id, Service-Parameter-Info: all units travel in MSCC, also for events. Be liberal and accept the RFC forms.',
  },
  {
    id: 'G-004',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'CCA on Ro (6.4.3): required as in RFC; optional Experimental-Result, CC-Session-Failover, MSCC*, Cost-Information, Low-Balance-Indication, Remaining-Balance, Credit-Control-Failure-Handling, Direct-Debiting-Failure-Handling, OC-Supported-Features, OC-OLR, Redirect-*, Proxy-Info*, Route-Record*, Failed-AVP, Service-Information, AVP*.',
  },
  {
    id: 'G-005',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'So no command-level GSU, FUI, Validity-Time or Check-Balance-Result on Ro: send them inside MSCC only.',
  },
  {
    id: 'G-006',
    clause: 'TS 32.299',
    strength: 'source [O][T]',
    requirement: 'Failed-AVP: 32.299 6.4.3 allows one, RFC allows several: send one.',
  },
  {
    id: 'G-007',
    clause: 'TS 32.299',
    strength:
      '[D]; TS 32.299 V16.2.0 6.5 as restated by a public summary: RAR re-authorises, ASR ends',
    requirement:
      'RAR on Ro may name G-S-U-Pool-Identifier, Service-Identifier or Rating-Group. ASR/ASA also belong to the Ro command set.',
  },
  {
    id: 'G-008',
    clause: 'TS 32.299',
    strength:
      'TS 32.299 V16.2.0 table 6.4.2.1 as restated by a public summary: Multiple-Services-Indicator is Om in the CCR; [O] sends 0 in CCR-I although it uses MSCC',
    requirement: 'Multiple-Services-Indicator is sent in the first CCR.',
  },
  {
    id: 'G-009',
    clause: 'TS 32.299',
    strength: 'source [C]',
    requirement:
      'Nokia SR additionally puts 3GPP AVPs (3GPP-Charging-Id, 3GPP-RAT-Type, Called-Station-Id, Framed-IP-Address...) at command level. Accept known AVPs anywhere `*[AVP]` permits.',
  },
  // Procedures
  {
    id: 'G-020',
    clause: 'TS 32.299',
    strength: '[T] title; TS 32.299 V16.2.0 6.3.2 as restated by a public summary',
    requirement:
      'IEC (immediate event charging, 5.2.2.1): one CCR[EVENT_REQUEST] with Requested-Action DIRECT_DEBITING (or REFUND_ACCOUNT); units are debited before (or with) delivery.',
  },
  {
    id: 'G-021',
    clause: 'TS 32.299',
    strength: '[T] title; TS 32.299 V16.2.0 6.3.3 as restated by a public summary',
    requirement:
      'ECUR (event charging with unit reservation, 5.2.2.2): CCR[INITIAL] reserves, CCR[TERMINATION] reports success/failure and debits. No UPDATE in the normal flow. Delivery failed = CCR-T with zero/absent USU: release all.',
  },
  {
    id: 'G-022',
    clause: 'TS 32.299',
    strength: '[T] title; TS 32.299 V16.2.0 6.3.4 as restated by a public summary',
    requirement:
      'SCUR (session charging with unit reservation, 5.2.2.3): INITIAL, UPDATE*, TERMINATION. Used for PS data and calls.',
  },
  {
    id: 'G-023',
    clause: 'TS 32.299',
    strength: '[T] titles; RFC 8506 5.2, 8.18 for what the forms mean on the wire',
    requirement:
      'Unit determination and rating may each be centralised (in the OCS) or decentralised (in the client): centralised unit determination = empty RSU; decentralised unit = RSU with amount; decentralised rating = RSU in money.',
  },
  {
    id: 'G-024',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'Idle timeout and re-authorisation triggers may be given by the server; on a trigger the client reports usage with the reason (5.3.1). Threshold (5.3.2), termination action for final or zero units (5.3.3), account expiration date may be given to the client (5.3.4; Account-Expiration 2309 inside IMS-Information).',
  },
  {
    id: 'G-025',
    clause: 'TS 32.299',
    strength: 'RFC 8506 5.3, 5.4; TS 32.299 V16.2.0 6.3.4 as restated by a public summary',
    requirement:
      'Unused quota: at every report with new grant the old reservation is replaced; at CCR-T and when a quota is returned (QHT, FINAL, UNUSED_QUOTA_TIMER) the not reported part of the reservation is released at once.',
  },
  {
    id: 'G-026',
    clause: 'TS 32.299',
    strength: 'source [D] code reading',
    requirement:
      "Events without MSCC and with Service-Information only (e.g. SMS): SigScale's OCS rates one unit from Service-Information. Support it.",
  },
  // Multiple-Services-Credit-Control in 3GPP form (7.1.9)
  {
    id: 'G-040',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.229, .243, .240',
    requirement:
      'Time-/Volume-/Unit-Quota-Threshold: Unsigned32 (Volume too!), in seconds/octets/units; only next to a GSU of that type. It is the amount **remaining** at which the client asks for more; service continues on the old quota meanwhile.',
  },
  {
    id: 'G-041',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement: 'Volume-Quota-Threshold is 32-bit, so a threshold >= 4 GiB cannot be expressed.',
  },
  {
    id: 'G-042',
    clause: 'TS 32.299',
    strength: 'source [O]',
    requirement:
      'open5gs ignores a threshold larger than the grant; derives the PFCP threshold as grant minus threshold.',
  },
  {
    id: 'G-043',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'Quota-Holding-Time (7.2.160): seconds without traffic after which the client deems the quota expired and returns it; timer restarts with each packet, stops on sending a CCR, re-initialises on the CCA; 0 = mechanism off; absent = client default. CCA only, for time and volume quota alike.',
  },
  {
    id: 'G-044',
    clause: 'TS 32.299',
    strength: 'source [T] reason, [C]',
    requirement:
      "After QHT expiry the report carries Reporting-Reason QHT at MSCC level and usually no RSU (Cisco can suppress or add the request): without RSU grant nothing and release the RG's reservation. With RSU grant as usual.",
  },
  {
    id: 'G-045',
    clause: 'TS 32.299',
    strength: 'source [T], [C] for the detail',
    requirement:
      'Quota-Consumption-Time (7.2.159): idle threshold in seconds, only next to a CC-Time grant. Time quota is consumed through gaps up to QCT and stops after it; the idle QCT seconds are included in the reported usage.',
  },
  {
    id: 'G-046',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.228-230, 7.2.29',
    requirement:
      'Time-Quota-Mechanism {Time-Quota-Type DISCRETE_TIME_PERIOD 0 / CONTINUOUS_TIME_PERIOD 1, Base-Time-Interval s}: only when granting time; replaces QCT for that grant (the two should not be combined: not verified, and up to the plan).',
  },
  {
    id: 'G-047',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.59-62',
    requirement:
      'Envelope-Reporting (in CCA[INITIAL]): 0 none, 1 envelopes, 2 with volume, 3 with events, 4 with both; absent = no reporting. Envelope {Start-Time, [End-Time], octets/units}: End absent = still open; start time stays the original one when an envelope spans reports; volume counts from the start of the envelope; chronological order. Envelopes are informational, do not add them to USU.',
  },
  {
    id: 'G-048',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.171',
    requirement:
      'Refund-Information (OctetString): opaque data from the OCS in the CCA of an IEC; the client must hand it back in the refund CCR.',
  },
  {
    id: 'G-049',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.155-157',
    requirement:
      'PS-Furnish-Charging-Information {3GPP-Charging-Id, PS-Free-Format-Data, [PS-Append-Free-Format-Data 0 append, 1 overwrite]}: CCA data the gateway copies to CDRs.',
  },
  {
    id: 'G-050',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.240a',
    requirement:
      'Unused-Quota-Timer 4407 (in PS-Information, Release 14+): seconds without any quota granted or consumed for the whole Gy session; expiry reported with UNUSED_QUOTA_TIMER.',
  },
  {
    id: 'G-051',
    clause: 'TS 32.299',
    strength: 'not verified: no text was found; nothing but the choice of a rule depends on it',
    requirement:
      'QoS-Information and 3GPP-RAT-Type per MSCC override the PS-Information values for that RG (multi-access).',
  },
  {
    id: 'G-052',
    clause: 'TS 32.299',
    strength: 'source [O]',
    requirement:
      'A request for several RGs in one CCR gets one MSCC each (C-094). open5gs sends MSCC **without** RG and SI: answer one MSCC without them.',
  },
  {
    id: 'G-053',
    clause: 'TS 32.299',
    strength: 'source [O]',
    requirement:
      'open5gs: RSU{CC-Total-Octets 1000000} in I and U; USU{CC-Time, CC-Input-Octets, CC-Output-Octets} without Total; uses GSU CC-Total-Octets and CC-Time, Validity-Time, time/volume thresholds, FUI from the CCA MSCC; command code non-2001 rejects the session, MSCC code non-2001 in CCA-I makes it send CCR-T.',
  },
  // Trigger (1264, 7.2.235) and Trigger-Type (870, 7.2.236) [T]
  {
    id: 'G-060',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'Trigger {Trigger-Type*} in CCA: exactly the listed events cause re-authorisation; events not listed must not. Trigger with no Trigger-Type in a CCA disables all. Trigger in a CCR names the event(s), goes with RATING_CONDITION_CHANGE.',
  },
  {
    id: 'G-061',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'No Trigger AVP in the CCA: existing/default triggers stay. (Not verified: no text was found. The AVP is sent only where a plan names triggers, so nothing depends on it.)',
  },
  {
    id: 'G-062',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement:
      'Values: 1 SGSN address, 2 QoS, 3 location, 4 RAT, 5 UE time zone; 10-23 single QoS parameters (24 APN-AMBR); 30 MCC, 31 MNC, 32 RAC, 33 LAC, 34 CellId, 35 TAC, 36 ECGI; 40 media composition; 50-52 participants; 60 service condition; 61 serving node; 62 access of a flow; 70-72 CSG; 73 presence reporting area; 74 serving PLMN rate control; 75 APN rate control; 76 3GPP PS data off. Names in dictionary.csv.',
  },
  {
    id: 'G-063',
    clause: 'TS 32.299',
    strength: 'source [T]',
    requirement: 'Do not combine 2 with 10-23, nor 3 with 30-36, nor 50 with 51.',
  },
  // Result codes with Gy clients
  {
    id: 'G-070',
    clause: 'TS 32.299',
    strength: '[C]; RFC 8506 9.1, 9.2 for the level of each code',
    requirement:
      'For one bad RG: command 2001, MSCC code 4010/4012/5031. For unknown user: command 5030. For free of charge session: command 4011; for a free RG prefer a large grant or MSCC 4011 depending on the client (ASR5x00 does not know MSCC 4011).',
  },
  {
    id: 'G-071',
    clause: 'TS 32.299',
    strength: '[C]',
    requirement:
      'Because 4012 makes the client retry every ~60 s per RG, prefer FUI with the last grant over a bare 4012.',
  },
  // Service-Context-Id
  {
    id: 'G-080',
    clause: 'TS 32.299',
    strength:
      'a vendor’s reference of the AVP: extensions.MNC.MCC.Release.service-context@domain, 12.32260@3gpp.org; [O]',
    requirement:
      'Form: `[extensions.][MNC.MCC.]Release.service-context@3gpp.org`, e.g. `8.32251@3gpp.org`; the number is the middle-tier specification. Many clients send only `32251@3gpp.org` (open5gs does).',
  },
  {
    id: 'G-081',
    clause: 'TS 32.299',
    strength: '[D]; the numbers are those of the specifications that they name',
    requirement:
      '32251 PS, 32253 CP data transfer (CIoT), 32254 exposure/northbound API, 32260 IMS, 32270 MMS, 32271 LCS, 32272 PoC, 32273 MBMS, 32274 SMS, 32275 MMTel, 32276 VCS, 32277 ProSe, 32278 monitoring events, 32280 AoC. 251, 260, 270, 274, 275, 278 seen in code of several projects.',
  },
  {
    id: 'G-082',
    clause: 'TS 32.299',
    strength: 'source [D]',
    requirement:
      'Parse from the right: `@domain`, then the last dot-separated token before it. SigScale even accepts ".3gpp.org" for "@3gpp.org". Unknown context: 5031 (C-111).',
  },
  // PS-Information (874, 7.2.158)
  {
    id: 'G-100',
    clause: 'TS 32.299',
    strength: 'source [O]',
    requirement:
      'What open5gs sends: 3GPP-Charging-Id (I,U,T), 3GPP-PDP-Type (I only), PDP-Address (one AVP per family), SGSN-Address, GGSN-Address (one per family), Called-Station-Id = APN, 3GPP-Selection-Mode, 3GPP-Charging-Characteristics, 3GPP-SGSN-MCC-MNC, 3GPP-NSAPI, 3GPP-MS-TimeZone, 3GPP-User-Location-Info, 3GPP-RAT-Type, User-Equipment-Info (type 0). Command level: Origin-*, Destination-Realm (and -Host after the first answer), Service-Context-Id `32251@3gpp.org`, Event-Timestamp, Subscription-Id IMSI and E164, Termination-Cause 1 in T, Requested-Action 0 and AoC-Request-Type 1 (AoC_FULL) in **every** CCR, Multiple-Services-Indicator 0 in I. CC-Request-Number starts at 0 and +1.',
  },
  {
    id: 'G-101',
    clause: 'TS 32.299',
    strength: 'source [D]',
    requirement:
      '3GPP-* AVPs with codes 1-31 are RADIUS VSAs (TS 29.061): values are raw octets or ASCII, not Diameter derived types. 3GPP-Charging-Id 4 octets. 3GPP-SGSN-Address/-GGSN-Address (codes 6, 7) are 4 raw octets; SGSN-Address 1228/GGSN-Address 847 are Diameter Address.',
  },
  {
    id: 'G-102',
    clause: 'TS 32.299',
    strength:
      'TS 29.061 16.4.7.2 as quoted by a public stack (0-6 as in TS 29.274, 101-104); TS 29.274 V17.10 8.17 as restated by another (7-10); 51 and 105 not verified',
    requirement:
      '3GPP-RAT-Type (1 octet): 1 UTRAN, 2 GERAN, 3 WLAN, 4 GAN, 5 HSPA+, 6 E-UTRAN, 7 virtual, 8 NB-IoT, 9 LTE-M, 10 NR, 51 NG-RAN, 101-105 non-3GPP.',
  },
  {
    id: 'G-103',
    clause: 'TS 32.299',
    strength:
      'TS 29.061 V9.2.0 16.4.7.2 as quoted by Wireshark (0, 1, 2, 128, 129, 130); 135-137 not verified; TBCD at octets 2-4 [D]',
    requirement:
      '3GPP-User-Location-Info: first octet = type: 0 CGI, 1 SAI, 2 RAI, 128 TAI, 129 ECGI, 130 TAI+ECGI, 135 NCGI, 136 5GS TAI, 137 5GS TAI+NCGI; then TBCD MCC/MNC + area/cell.',
  },
  {
    id: 'G-104',
    clause: 'TS 32.299',
    strength: 'source [D]',
    requirement:
      '3GPP-SGSN-MCC-MNC: text, MCC then MNC, 5 or 6 digits; the visited network for roaming rating. Fallback: MCC/MNC in 3GPP-User-Location-Info or the IMS Access-Network-Information.',
  },
  {
    id: 'G-105',
    clause: 'TS 32.299',
    strength:
      'TS 29.061 attribute 23 as quoted by a public stack (steps of 15 minutes, TS 29.060); sign and digits TS 23.040 9.2.3.11 as quoted by another',
    requirement:
      '3GPP-MS-TimeZone: 2 octets, time zone in quarter hours (swapped BCD, sign bit) and DST 0/1/2 h.',
  },
  {
    id: 'G-106',
    clause: 'TS 32.299',
    strength: '[D]; TS 29.061 attributes 10, 12 and 13 as quoted by a public stack',
    requirement:
      '3GPP-Charging-Characteristics: 4 hex characters; 3GPP-Selection-Mode one character "0".."2"; 3GPP-NSAPI one character; 3GPP-GPRS-Negotiated-QoS-Profile hex text with release prefix.',
  },
  {
    id: 'G-107',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.137, .57, .138',
    requirement:
      'PDP-Address may repeat (v4 and v6); absent Dynamic-Address-Flag means static; PDP-Address-Prefix-Length may be absent for /64. PDP-Context-Type (0 primary, 1 secondary) only in CCR[INITIAL].',
  },
  {
    id: 'G-108',
    clause: 'TS 32.299',
    strength: 'source [T][D]',
    requirement:
      'QoS-Information 1016 (29.212): QoS-Class-Identifier 1028, Max-Requested-Bandwidth-UL 516/-DL 515, Guaranteed-Bitrate-UL 1026/-DL 1025, Allocation-Retention-Priority 1034 {Priority-Level 1046, Pre-emption-Capability 1047, Pre-emption-Vulnerability 1048}, APN-Aggregate-Max-Bitrate-UL 1041/-DL 1040, Extended-* for > 4.29 Gbit/s. bit/s.',
  },
  {
    id: 'G-109',
    clause: 'TS 32.299',
    strength:
      'TS 23.003 9.1: an access point name ends in mnc<MNC>.mcc<MCC>.gprs where it has an operator identifier',
    requirement:
      'Called-Station-Id may include the operator identifier (`apn.mnc001.mcc001.gprs`): compare the network-identifier part, case-insensitively.',
  },
  {
    id: 'G-110',
    clause: 'TS 32.299',
    strength: 'source [T][O]',
    requirement: 'User-Equipment-Info sits at command level or inside PS-Information.',
  },
  // Advice of charge, balance information, announcements
  {
    id: 'G-120',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.16',
    requirement:
      'AoC-Request-Type 2055 at command level: 0 not requested, 1 full, 2 cost only, 3 tariff only.',
  },
  {
    id: 'G-121',
    clause: 'TS 32.299',
    strength: 'source [T][O]',
    requirement:
      'Answer in Service-Information/AoC-Information 2054 {AoC-Cost-Information 2053 {Accumulated-Cost 2052, Incremental-Cost* 2062, Currency-Code}, Tariff-Information 2060 {Current-Tariff 2056, [Tariff-Time-Change], [Next-Tariff 2057]}, AoC-Subscription-Information 2314}. Optional feature: ignoring the request is allowed (not verified; the AVP is optional in the grammar); open5gs sends 1 always and reads nothing.',
  },
  {
    id: 'G-122',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.161, .47, .178',
    requirement:
      'Current-/Next-Tariff {[Currency-Code], [Scale-Factor 2059], Rate-Element* 2058 {CC-Unit-Type, [Charge-Reason-Code 2118], [Unit-Value], [Unit-Cost 2061], [Unit-Quota-Threshold]}}: cost = sum of rate elements x scale factor. Rate element "TIME, Unit-Value 6, Unit-Cost 10 x 10^-2" = 0.10 per 6 s; MONEY = flat fee; Unit-Quota-Threshold there = how many units the element lasts before the next applies.',
  },
  {
    id: 'G-123',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.97, .172',
    requirement:
      'Low-Balance-Indication 2020 (0 not applicable, 1 yes) and Remaining-Balance 2021 {Unit-Value, Currency-Code} at CCA command level.',
  },
  {
    id: 'G-124',
    clause: 'TS 32.299',
    strength: 'source [T] 7.2.12aA-aC etc.',
    requirement:
      'Announcement-Information 3904 {Announcement-Identifier, Variable-Part*, Time-Indicator, Quota-Indicator, Announcement-Order, Play-Alternative 0 served/1 remote, Privacy-Indicator, Language} in MSCC or IMS context: Time-Indicator = seconds before quota end (0 = at exhaustion, absent = before the session continues); Quota-Indicator 1 = playback consumes quota. Release 13+.',
  },
  // Failure handling, failover in 3GPP
  {
    id: 'G-140',
    clause: 'TS 32.299',
    strength: 'RFC 8506 5.7, 8.4, 8.14, 8.15',
    requirement:
      'CC-Session-Failover, Credit-Control-Failure-Handling and Direct-Debiting-Failure-Handling work as in RFC; send them in CCA-I at least.',
  },
  {
    id: 'G-141',
    clause: 'TS 32.299',
    strength: 'RFC 8506 5.7, 6.5; RFC 6733 3',
    requirement:
      'Duplicate detection uses the T flag and Session-Id + CC-Request-Number as in RFC (clause 6.3.x of 32.299, number not verified).',
  },
  {
    id: 'G-142',
    clause: 'TS 32.299',
    strength: 'source [C]',
    requirement:
      'Cisco gateways: with CONTINUE the session proceeds without charging or offline after failure; TERMINATE/RETRY_AND_TERMINATE end it, sometimes without CCR-T: rely on Tcc.',
  },
  {
    id: 'G-143',
    clause: 'TS 32.299',
    strength: 'source [C][O]',
    requirement:
      'Cisco: both Validity-Time and time quota given: the smaller one is armed; the report names VALIDITY_TIME or QUOTA_EXHAUSTED accordingly. open5gs likewise folds Validity-Time into the time quota when the UPF lacks the feature, so usage reports by CC-Time may appear although only volume was granted.',
  },
  {
    id: 'G-144',
    clause: 'TS 32.299',
    strength: 'source [C]',
    requirement: 'Cisco SMF treats Validity-Time 0 and Quota-Holding-Time 0 as "disarm".',
  },
  {
    id: 'G-145',
    clause: 'TS 32.299',
    strength: 'source [C]',
    requirement:
      'Cisco tariff change: supports the single-quota form only (one tariff time per RG/SI; no separate before/after grants), reports two USUs with Tariff-Change-Usage. So default to C-121, not C-122.',
  },
];
