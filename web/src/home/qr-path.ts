/** The dark squares of a QR code as an SVG path of unit squares, one run of a row at a time. */
export function qrPath(rows: readonly (readonly boolean[])[]): string {
  return rows.map((row, y) => rowPath(row, y)).join('');
}

function rowPath(row: readonly boolean[], y: number): string {
  let path = '';
  for (let x = 0; x < row.length; x++) {
    if (!row[x]) continue;
    const startX = x;
    while (row[x + 1]) x++;
    const width = x + 1 - startX;
    path += `M${startX} ${y}h${width}v1h-${width}z`;
  }
  return path;
}
