/** Rows of CSV (RFC 4180) that a spreadsheet shows unchanged. */

/** Characters that start a formula in a spreadsheet (https://owasp.org/www-community/attacks/CSV_Injection). */
const FORMULA_START = /^[=+\-@\t\r\n＝＋－＠]/;

export function printCsvRow(cells: readonly string[]): string {
  return `${cells.map(printCell).join(",")}\r\n`;
}

/**
 * Every cell is quoted, so that no character ends it; a cell that starts like a formula gets an apostrophe in front.
 */
function printCell(text: string): string {
  const shown = FORMULA_START.test(text) ? `'${text}` : text;
  return `"${shown.replaceAll('"', '""')}"`;
}
