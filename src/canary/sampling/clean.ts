/** What a server says, for a terminal, which must not take orders from it. */
export const clean = (text: string): string => text.replaceAll(/[^ -~]/g, '?').slice(0, 128)
