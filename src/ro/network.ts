/**
 * The network that a subscriber visits, as MCC and MNC: what a request says of its location
 * (TS 29.061 16.4.7.2, TS 29.274 8.21, TS 24.229 7.2A.4).
 */

/** 3GPP-SGSN-MCC-MNC: 5 or 6 digits. */
export function networkOfCode(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{5,6}$/.test(text) ? text : undefined;
}

/** Geographic Location Types whose value begins with a network: areas, cells and their nodes. */
const isArea = (type: number) => type <= 2 || (type >= 128 && type <= 139);

/** 3GPP-User-Location-Info: a type, then MCC and MNC as swapped digits (TS 24.008 10.5.1.13). */
export function networkOfLocation(location: Uint8Array | undefined): string | undefined {
  if (location === undefined || location.length < 4) return undefined;
  const [type, first, second, third] = location as unknown as [number, number, number, number];
  if (!isArea(type)) return undefined;
  const mcc = [first & 0xf, first >> 4, second & 0xf];
  const mnc = [third & 0xf, third >> 4];
  // With two digits of MNC the place of the third is filled up.
  if (second >> 4 !== 0xf) mnc.push(second >> 4);
  const digits = [...mcc, ...mnc];
  return digits.every((digit) => digit <= 9) ? digits.join('') : undefined;
}

/**
 * Digits that follow MCC and MNC in a cell's text, by the kind of access: location or tracking area
 * and cell identity, in hexadecimal. MNC has 2 or 3 digits, which only the length tells.
 */
const CELLS: readonly { parameter: RegExp; rest: readonly number[] }[] = [
  { parameter: /cgi-3gpp="?([0-9a-f]+)/i, rest: [4 + 4] },
  { parameter: /utran-cell-id-3gpp="?([0-9a-f]+)/i, rest: [4 + 7, 6 + 9] },
];

/** Access-Network-Information: the text of a P-Access-Network-Info header. */
export function networkOfAccess(information: Uint8Array): string | undefined {
  const text = Buffer.from(information).toString('latin1');
  for (const { parameter, rest } of CELLS) {
    const cell = parameter.exec(text)?.[1];
    if (cell === undefined) continue;
    const size = rest
      .map((length) => cell.length - length)
      .find((left) => left === 5 || left === 6);
    if (size !== undefined) return networkOfCode(cell.slice(0, size));
  }
  return undefined;
}
