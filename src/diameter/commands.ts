// The commands, written as the RFCs write them. RFC 6733 5.3 to 5.5, 7.2 and 8.3 to 8.5, RFC 8506 3;
// what 3GPP adds to the credit-control commands is TS 32.299 6.4.2 and 6.4.3.
//
// `*0[ Name ]` says that an AVP must not be present (RFC 6733 3.2); it stands where the occurrence
// tables (RFC 6733 10.1, RFC 8506 10.1) say 0 and a peer that sends the AVP has made an error worth
// refusing. The tables' other zeros are covered by `*[ AVP ]`.

import type { Message } from './message.ts';

/** RFC 6733 5.3.1. */
export const CER = [
  '< Diameter Header: 257, REQ >',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '1*{ Host-IP-Address }',
  '{ Vendor-Id }',
  '{ Product-Name }',
  '[ Origin-State-Id ]',
  '*[ Supported-Vendor-Id ]',
  '*[ Auth-Application-Id ]',
  '*[ Inband-Security-Id ]',
  '*[ Acct-Application-Id ]',
  '*[ Vendor-Specific-Application-Id ]',
  '[ Firmware-Revision ]',
  '*[ AVP ]',
  '*0[ Result-Code ]',
  '*0[ Failed-AVP ]',
] as const;

/** RFC 6733 5.3.2. */
export const CEA = [
  '< Diameter Header: 257 >',
  '{ Result-Code }',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '1*{ Host-IP-Address }',
  '{ Vendor-Id }',
  '{ Product-Name }',
  '[ Origin-State-Id ]',
  '[ Error-Message ]',
  '[ Failed-AVP ]',
  '*[ Supported-Vendor-Id ]',
  '*[ Auth-Application-Id ]',
  '*[ Inband-Security-Id ]',
  '*[ Acct-Application-Id ]',
  '*[ Vendor-Specific-Application-Id ]',
  '[ Firmware-Revision ]',
  '*[ AVP ]',
] as const;

/** RFC 6733 5.4.1. */
export const DPR = [
  '< Diameter Header: 282, REQ >',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '{ Disconnect-Cause }',
  '*[ AVP ]',
  '*0[ Result-Code ]',
  '*0[ Failed-AVP ]',
] as const;

/** RFC 6733 5.4.2. */
export const DPA = [
  '< Diameter Header: 282 >',
  '{ Result-Code }',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '[ Error-Message ]',
  '[ Failed-AVP ]',
  '*[ AVP ]',
] as const;

/** RFC 6733 5.5.1. */
export const DWR = [
  '< Diameter Header: 280, REQ >',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '[ Origin-State-Id ]',
  '*[ AVP ]',
  '*0[ Result-Code ]',
  '*0[ Failed-AVP ]',
] as const;

/** RFC 6733 5.5.2. */
export const DWA = [
  '< Diameter Header: 280 >',
  '{ Result-Code }',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '[ Error-Message ]',
  '[ Failed-AVP ]',
  '[ Origin-State-Id ]',
  '*[ AVP ]',
] as const;

/** RFC 8506 3.1; Service-Information, AoC-Request-Type and OC-Supported-Features by TS 32.299 6.4.2. */
export const CCR = [
  '< Diameter Header: 272, REQ, PXY >',
  '< Session-Id >',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '{ Destination-Realm }',
  '{ Auth-Application-Id }',
  '{ Service-Context-Id }',
  '{ CC-Request-Type }',
  '{ CC-Request-Number }',
  '[ Destination-Host ]',
  '[ User-Name ]',
  '[ CC-Sub-Session-Id ]',
  '[ Acct-Multi-Session-Id ]',
  '[ Origin-State-Id ]',
  '[ Event-Timestamp ]',
  '*[ Subscription-Id ]',
  '*[ Subscription-Id-Extension ]',
  '[ Service-Identifier ]',
  '[ Termination-Cause ]',
  '[ Requested-Service-Unit ]',
  '[ Requested-Action ]',
  '*[ Used-Service-Unit ]',
  '[ AoC-Request-Type ]',
  '[ Multiple-Services-Indicator ]',
  '*[ Multiple-Services-Credit-Control ]',
  '*[ Service-Parameter-Info ]',
  '[ CC-Correlation-Id ]',
  '[ User-Equipment-Info ]',
  '[ User-Equipment-Info-Extension ]',
  '[ OC-Supported-Features ]',
  '*[ Proxy-Info ]',
  '*[ Route-Record ]',
  '[ Service-Information ]',
  '*[ AVP ]',
  '*0[ CC-Session-Failover ]',
  '*0[ Check-Balance-Result ]',
  '*0[ Cost-Information ]',
  '*0[ Credit-Control-Failure-Handling ]',
  '*0[ Direct-Debiting-Failure-Handling ]',
  '*0[ Failed-AVP ]',
  '*0[ Final-Unit-Indication ]',
  '*0[ QoS-Final-Unit-Indication ]',
  '*0[ Granted-Service-Unit ]',
  '*0[ Redirect-Host ]',
  '*0[ Redirect-Host-Usage ]',
  '*0[ Redirect-Max-Cache-Time ]',
  '*0[ Result-Code ]',
  '*0[ Validity-Time ]',
] as const;

/**
 * RFC 8506 3.2; by TS 32.299 6.4.3 Experimental-Result, Low-Balance-Indication, Remaining-Balance,
 * Service-Information, OC-Supported-Features and OC-OLR.
 */
export const CCA = [
  '< Diameter Header: 272, PXY >',
  '< Session-Id >',
  '{ Result-Code }',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '{ Auth-Application-Id }',
  '{ CC-Request-Type }',
  '{ CC-Request-Number }',
  '[ Experimental-Result ]',
  '[ User-Name ]',
  '[ CC-Session-Failover ]',
  '[ CC-Sub-Session-Id ]',
  '[ Acct-Multi-Session-Id ]',
  '[ Origin-State-Id ]',
  '[ Event-Timestamp ]',
  '[ Granted-Service-Unit ]',
  '*[ Multiple-Services-Credit-Control ]',
  '[ Cost-Information ]',
  '[ Low-Balance-Indication ]',
  '[ Remaining-Balance ]',
  '[ Final-Unit-Indication ]',
  '[ QoS-Final-Unit-Indication ]',
  '[ Check-Balance-Result ]',
  '[ Credit-Control-Failure-Handling ]',
  '[ Direct-Debiting-Failure-Handling ]',
  '[ Validity-Time ]',
  '[ OC-Supported-Features ]',
  '[ OC-OLR ]',
  '*[ Redirect-Host ]',
  '[ Redirect-Host-Usage ]',
  '[ Redirect-Max-Cache-Time ]',
  '*[ Proxy-Info ]',
  '*[ Route-Record ]',
  '*[ Failed-AVP ]',
  '[ Service-Information ]',
  '*[ AVP ]',
  '*0[ Destination-Host ]',
  '*0[ Destination-Realm ]',
] as const;

/** RFC 6733 8.3.1; the members that RFC 8506 10.2 adds. */
export const RAR = [
  '< Diameter Header: 258, REQ, PXY >',
  '< Session-Id >',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '{ Destination-Realm }',
  '{ Destination-Host }',
  '{ Auth-Application-Id }',
  '{ Re-Auth-Request-Type }',
  '[ User-Name ]',
  '[ Origin-State-Id ]',
  '[ CC-Sub-Session-Id ]',
  '[ G-S-U-Pool-Identifier ]',
  '[ Service-Identifier ]',
  '[ Rating-Group ]',
  '*[ Proxy-Info ]',
  '*[ Route-Record ]',
  '*[ AVP ]',
  '*0[ Result-Code ]',
  '*0[ Failed-AVP ]',
] as const;

/** RFC 6733 8.3.2; the members that RFC 8506 10.2 adds. */
export const RAA = [
  '< Diameter Header: 258, PXY >',
  '< Session-Id >',
  '{ Result-Code }',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '[ User-Name ]',
  '[ Origin-State-Id ]',
  '[ CC-Sub-Session-Id ]',
  '[ G-S-U-Pool-Identifier ]',
  '[ Service-Identifier ]',
  '[ Rating-Group ]',
  '[ Error-Message ]',
  '[ Error-Reporting-Host ]',
  '[ Failed-AVP ]',
  '*[ Redirect-Host ]',
  '[ Redirect-Host-Usage ]',
  '[ Redirect-Max-Cache-Time ]',
  '*[ Proxy-Info ]',
  '*[ AVP ]',
  '*0[ Destination-Host ]',
  '*0[ Destination-Realm ]',
] as const;

/** RFC 6733 8.4.1. */
export const STR = [
  '< Diameter Header: 275, REQ, PXY >',
  '< Session-Id >',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '{ Destination-Realm }',
  '{ Auth-Application-Id }',
  '{ Termination-Cause }',
  '[ User-Name ]',
  '[ Destination-Host ]',
  '*[ Class ]',
  '[ Origin-State-Id ]',
  '*[ Proxy-Info ]',
  '*[ Route-Record ]',
  '*[ AVP ]',
  '*0[ Result-Code ]',
  '*0[ Failed-AVP ]',
] as const;

/** RFC 6733 8.4.2. */
export const STA = [
  '< Diameter Header: 275, PXY >',
  '< Session-Id >',
  '{ Result-Code }',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '[ User-Name ]',
  '*[ Class ]',
  '[ Error-Message ]',
  '[ Error-Reporting-Host ]',
  '[ Failed-AVP ]',
  '[ Origin-State-Id ]',
  '*[ Redirect-Host ]',
  '[ Redirect-Host-Usage ]',
  '[ Redirect-Max-Cache-Time ]',
  '*[ Proxy-Info ]',
  '*[ AVP ]',
  '*0[ Destination-Host ]',
  '*0[ Destination-Realm ]',
] as const;

/** RFC 6733 8.5.1. */
export const ASR = [
  '< Diameter Header: 274, REQ, PXY >',
  '< Session-Id >',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '{ Destination-Realm }',
  '{ Destination-Host }',
  '{ Auth-Application-Id }',
  '[ User-Name ]',
  '[ Origin-State-Id ]',
  '*[ Proxy-Info ]',
  '*[ Route-Record ]',
  '*[ AVP ]',
  '*0[ Result-Code ]',
  '*0[ Failed-AVP ]',
] as const;

/** RFC 6733 8.5.2. */
export const ASA = [
  '< Diameter Header: 274, PXY >',
  '< Session-Id >',
  '{ Result-Code }',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '[ User-Name ]',
  '[ Origin-State-Id ]',
  '[ Error-Message ]',
  '[ Error-Reporting-Host ]',
  '[ Failed-AVP ]',
  '*[ Redirect-Host ]',
  '[ Redirect-Host-Usage ]',
  '[ Redirect-Max-Cache-Time ]',
  '*[ Proxy-Info ]',
  '*[ AVP ]',
  '*0[ Destination-Host ]',
  '*0[ Destination-Realm ]',
] as const;

/** RFC 6733 7.2: any answer that has the E flag set. Its code is the request's. */
export const answerMessage = [
  '< Diameter Header: code, ERR >',
  '0*1< Session-Id >',
  '{ Origin-Host }',
  '{ Origin-Realm }',
  '{ Result-Code }',
  '[ Origin-State-Id ]',
  '[ Error-Message ]',
  '[ Error-Reporting-Host ]',
  '[ Failed-AVP ]',
  '[ Experimental-Result ]',
  '*[ Proxy-Info ]',
  '*[ AVP ]',
  '*0[ Destination-Host ]',
  '*0[ Destination-Realm ]',
] as const;

export const commands = {
  CER,
  CEA,
  DPR,
  DPA,
  DWR,
  DWA,
  CCR,
  CCA,
  RAR,
  RAA,
  STR,
  STA,
  ASR,
  ASA,
  'answer-message': answerMessage,
} as const;

/** The commands by their names in the RFCs; `answer-message` is the form of RFC 6733 7.2. */
export type CommandName = keyof typeof commands;
export type Messages = { [Name in CommandName]: Message<(typeof commands)[Name]> };

export type CER = Messages['CER'];
export type CEA = Messages['CEA'];
export type DPR = Messages['DPR'];
export type DPA = Messages['DPA'];
export type DWR = Messages['DWR'];
export type DWA = Messages['DWA'];
export type CCR = Messages['CCR'];
export type CCA = Messages['CCA'];
export type RAR = Messages['RAR'];
export type RAA = Messages['RAA'];
export type STR = Messages['STR'];
export type STA = Messages['STA'];
export type ASR = Messages['ASR'];
export type ASA = Messages['ASA'];
export type AnswerMessage = Messages['answer-message'];
