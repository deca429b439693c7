/** Rows of CSV (RFC 4180) that a spreadsheet shows as they are. */

/** What a spreadsheet takes for the beginning of a formula (https://owasp.org/www-community/attacks/CSV_Injection). */
const FORMULA_START = /^[=+\-@\t\r\n＝＋－＠]/;

export function printCsvRow(cells: readonly string[]): string {
  return `${cells.map(printCell).join(",")}\r\n`;
}

/** Every cell is quoted, so that no character ends it; one that begins like a formula gets an apostrophe before it. */
function printCell(text: string): string {
  const shown = FORMULA_START.test(text) ? `'${text}` : text;
  return `"${shown.replaceAll('"', '""')}"`;
}
