/** One row of a specification: a fact that a test proves, or that a deviation explains. */
export interface Row {
  /** `B-001`: stable, and named at the beginning of the titles of its tests. */
  id: string;
  /** Sections of RFC 6733, or of the RFC that is named. */
  clause: string;
  strength: string;
  requirement: string;
}
