/**
 * What a request says that rules match on, from octets: TS 32.299 7.2.77, 7.2.110, 7.2.158,
 * 7.2.211; TS 29.061 16.4.7.2.
 */
import { describe, expect, test } from 'vitest';
import { avp, hex } from '../diameter/bytes.ts';
import {
  asked,
  avp3,
  group3,
  imsInformation,
  mscc,
  psInformation,
  serviceInformation,
} from './asking.ts';

const factsOf = (...more: Buffer[]) => asked(more).facts;

describe('a packet session', () => {
  test('G-100 G-102 G-104 the access point, the access and the visited network', () => {
    expect(
      factsOf(
        psInformation(
          avp3(2, hex('0000002a')),
          avp(30, 'internet'),
          avp3(18, '26201'),
          avp3(22, hex('8262f2100001 62f21000000101')),
          avp3(21, hex('06')),
        ),
      ),
    ).toEqual({ apn: 'internet', rat: 6, visited: '26201' });
  });

  test('G-109 an access point is its network identifier, whatever its case', () => {
    const apn = (text: string) => factsOf(psInformation(avp(30, text)))?.apn;
    expect(apn('Internet.MVNO.mnc001.mcc262.GPRS')).toBe('internet.mvno');
    expect(apn('IoT')).toBe('iot');
    expect(apn('x.gprs')).toBe('x.gprs');
  });

  test('G-009 all of it at command level', () => {
    expect(factsOf(avp(30, 'IMS'), avp3(21, hex('01')), avp3(18, '310410'))).toEqual({
      apn: 'ims',
      rat: 1,
      visited: '310410',
    });
  });

  test('G-051 a service has an access of its own', () => {
    const request = asked([
      psInformation(avp3(21, hex('06'))),
      mscc(avp(432, 1), avp3(21, hex('03'))),
      mscc(avp(432, 2)),
    ]);
    expect(request.facts).toEqual({ rat: 6 });
    expect(request.services).toEqual([
      { ratingGroup: 1, serviceIds: [], facts: { rat: 3 } },
      { ratingGroup: 2, serviceIds: [] },
    ]);
  });

  test('a request that says nothing has no facts', () => {
    expect('facts' in asked([])).toBe(false);
    expect('facts' in asked([psInformation(avp3(2, hex('0000002a')))])).toBe(false);
  });

  test('what makes no sense is no fact, and no error', () => {
    for (const nonsense of [avp3(21, hex('')), avp3(21, hex('0606')), avp3(22, hex('01'))])
      expect(factsOf(psInformation(avp(30, 'a'), nonsense))).toEqual({ apn: 'a' });
    for (const code of ['2620', '2620100', 'abcde', ''])
      expect(factsOf(psInformation(avp(30, 'a'), avp3(18, code)))).toEqual({ apn: 'a' });
  });
});

describe('G-103 the visited network in 3GPP-User-Location-Info', () => {
  const visited = (location: string) => factsOf(psInformation(avp3(22, hex(location))))?.visited;

  test.each([
    ['CGI', '00 62f210 0001 0002', '26201'],
    ['SAI', '01 130014 0001 0002', '310410'],
    ['RAI', '02 62f210 0001 ff00', '26201'],
    ['TAI', '80 62f210 0001', '26201'],
    ['ECGI', '81 62f220 00000101', '26202'],
    ['TAI and ECGI', '82 62f210 0001 62f210 00000101', '26201'],
    ['NCGI', '87 62f210 0000000001', '26201'],
    ['TAI of 5GS', '88 62f210 000001', '26201'],
    ['TAI of 5GS and NCGI', '89 62f210 000001 62f210 0000000001', '26201'],
  ])('%s', (_, location, network) => {
    expect(visited(location)).toBe(network);
  });

  test('an unknown type or a digit that is none says nothing', () => {
    expect(visited('05 62f210 0001 0002')).toBeUndefined();
    expect(visited('00 62fa10 0001 0002')).toBeUndefined();
    expect(visited('00 62f2')).toBeUndefined();
  });

  test('3GPP-SGSN-MCC-MNC goes before it', () => {
    expect(factsOf(psInformation(avp3(18, '20801'), avp3(22, hex('8062f2100001'))))?.visited).toBe(
      '20801',
    );
  });
});

describe('G-104 the visited network in Access-Network-Information', () => {
  const visited = (...texts: string[]) =>
    factsOf(imsInformation(...texts.map((text) => avp3(1263, text))))?.visited;

  test.each([
    ['3GPP-GERAN; cgi-3gpp=2620112ab34cd', '26201'],
    ['3GPP-GERAN; cgi-3gpp=31041012ab34cd', '310410'],
    ['3GPP-UTRAN-FDD;utran-cell-id-3gpp=2620112ab0001234', '26201'],
    ['3GPP-E-UTRAN-FDD; utran-cell-id-3gpp="310410a1b20003c4d"', '310410'],
    ['3GPP-NR-FDD;utran-cell-id-3gpp=2620100a1b2000000c4d', '26201'],
    ['3GPP-NR-FDD;utran-cell-id-3gpp=31041000a1b2000000c4d', '310410'],
  ])('%s', (text, network) => {
    expect(visited(text)).toBe(network);
  });

  test('of several the first that says it', () => {
    expect(visited('IEEE-802.11; i-wlan-node-id=001122', '3GPP-GERAN;cgi-3gpp=2080112ab34cd')).toBe(
      '20801',
    );
    expect(visited('3GPP-GERAN; cgi-3gpp=262')).toBeUndefined();
  });
});

describe('a call', () => {
  const parties = [
    avp3(831, 'sip:+4917012345@ims.example;user=phone'),
    avp3(831, 'tel:+4917012345'),
    avp3(832, 'tel:+33-1-23-45-67'),
    avp3(1251, 'tel:0033123;phone-context=+49'),
  ];

  test('goes to the called party on the originating side', () => {
    expect(factsOf(imsInformation(avp3(829, 0), ...parties))).toEqual({
      role: 'originating',
      called: '331234567',
      calling: '4917012345',
    });
  });

  test('comes from the calling party on the terminating side, where nobody is called', () => {
    expect(factsOf(imsInformation(avp3(829, 1), ...parties))).toEqual({
      role: 'terminating',
      calling: '4917012345',
    });
  });

  test('goes on to the called party where it is forwarded, or else to the requested one', () => {
    expect(factsOf(imsInformation(avp3(829, 2), ...parties))).toMatchObject({
      role: 'forwarding',
      called: '331234567',
    });
    expect(factsOf(imsInformation(avp3(829, 2), parties[3]!))).toEqual({
      role: 'forwarding',
      called: '33123',
    });
  });

  test('an unknown party is none, and a B2BUA stands on no side', () => {
    expect(
      factsOf(imsInformation(avp3(829, 3), avp3(831, 'unknown'), avp3(832, 'tel:110'))),
    ).toEqual({
      called: '110',
    });
  });
});

describe('messages', () => {
  const address = (type: number, data: string) => [avp3(899, type), avp3(897, data)];

  test('a short message goes to its recipient', () => {
    expect(
      factsOf(
        serviceInformation(
          group3(
            2000,
            group3(2026, group3(1201, ...address(0, 'a@b')), group3(1201, ...address(1, '+33611'))),
            group3(2027, ...address(1, '4917012345')),
          ),
        ),
      ),
    ).toEqual({ called: '33611', calling: '4917012345' });
  });

  test('a short code, a received address, and an address that is no number', () => {
    const to = (...members: Buffer[]) =>
      factsOf(serviceInformation(group3(2000, group3(2026, ...members))))?.called;
    expect(to(group3(1201, ...address(4, '77 - 77')))).toBe('7777');
    expect(to(group3(2028, ...address(1, '0033611')))).toBe('33611');
    expect(to(group3(1201, ...address(5, 'TAXI')))).toBe('TAXI');
    expect(to(group3(1201, avp3(899, 1)))).toBeUndefined();
  });

  test('a multimedia message likewise', () => {
    expect(
      factsOf(
        serviceInformation(
          group3(
            877,
            group3(886, ...address(1, '4917012345')),
            group3(1201, ...address(1, '33611')),
            group3(1201, ...address(0, 'a@b')),
          ),
        ),
      ),
    ).toEqual({ called: '33611', calling: '4917012345' });
  });
});
