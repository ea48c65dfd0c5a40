/** No command, although named like one: what commands share may stand beside them. */
export const depthMetres = 3;
