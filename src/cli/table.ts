/** Lines of a table whose columns line up; numbers (every column but the first) are right-aligned. */
export function tableLines(rows: readonly (readonly string[])[], indent = "  "): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [n, cell] of row.entries()) widths[n] = Math.max(widths[n] ?? 0, cell.length);
  }
  return rows.map((row) => {
    const cells = row.map((cell, n) =>
      n === 0 ? cell.padEnd(widths[n] as number) : cell.padStart(widths[n] as number),
    );
    return `${indent}${cells.join("  ")}`.trimEnd();
  });
}
