// One schedule as an SVG: time to the right, a row for every rank; used by generate-policy-figures.mjs.
const [WIDTH, LEFT, RIGHT, TOP] = [760, 64, 16, 44];
const [ROW, GAP, GROUP_GAP, WAIT] = [17, 3, 8, 4];
const LEGEND = 34;
const TEXT = 'font-family="sans-serif" font-size="11"';
const COLOURS = { wait: "#e8871e", fixed: "#555", idle: "#f1f1f1" };

const number = (value) => Number(value.toFixed(2)).toString();
const rect = (x, y, width, height, attributes) =>
  `<rect x="${number(x)}" y="${number(y)}" width="${number(width)}" height="${number(height)}" ${attributes}/>`;
const text = (x, y, content, attributes = "") =>
  `<text x="${number(x)}" y="${number(y)}" ${attributes}>${content}</text>`;

/** A sequence's letter, by length: the longest is A. */
const letter = (place) => String.fromCharCode(65 + place);

const [DARK, LIGHT] = [
  [24, 78, 140],
  [196, 221, 245],
];

/** Dark for long, light for short. */
const colourOf = (place, count) =>
  `rgb(${DARK.map((from, n) => Math.round(from + ((LIGHT[n] - from) * place) / count)).join(",")})`;

/**
 * @param schedule `{ title, time, ranks, group, steps }`; a step is `{ start, end, fixed, rows }`, a row `{ wait, blocks }`, a
 *   block `{ sequence, start, end, shared }`; all times in us
 * @param lengths of the sequences
 * @param span us that the width stands for
 */
export function policyFigure({ title, time, ranks, group, steps }, lengths, span) {
  const x = (at) => LEFT + (at / span) * (WIDTH - LEFT - RIGHT);
  const y = (rank) => TOP + rank * (ROW + GAP) + Math.floor(rank / group) * GROUP_GAP;
  const bottom = y(ranks - 1) + ROW;
  const height = bottom + LEGEND + 12;
  const order = [...lengths.keys()].sort((a, b) => lengths[b] - lengths[a] || a - b);
  const placeOf = new Map(order.map((sequence, place) => [sequence, place]));
  const labels = Array.from({ length: ranks }, (_, rank) =>
    text(LEFT - 8, y(rank) + 12, `rank ${rank}`, 'text-anchor="end" fill="#444"'),
  );
  const drawn = steps.flatMap((step) =>
    step.rows.flatMap((row, rank) => rowShapes(row, step, y(rank), x, placeOf, lengths.length)),
  );
  const ends = steps.map(
    ({ end }) =>
      `<line x1="${number(x(end))}" x2="${number(x(end))}" y1="${TOP - 6}" y2="${bottom + 4}" stroke="#222" stroke-dasharray="3 2"/>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" ${TEXT}>`,
    `<title>${title}</title>`,
    rect(0, 0, WIDTH, height, 'fill="white"'),
    text(LEFT, 20, `${title}: ${(time / 1000).toFixed(0)} ms`, 'font-size="14" font-weight="bold"'),
    ...labels,
    ...drawn,
    ...ends,
    ...legend(bottom + 16),
    "</svg>\n",
  ].join("\n");
}

function rowShapes({ wait, blocks }, { start, end, fixed }, top, x, placeOf, count) {
  const width = x(end) - x(start);
  const shapes = [rect(x(start), top, width, ROW, `fill="${COLOURS.idle}"`)];
  for (const { sequence, start: from, end: to, shared } of blocks) {
    const place = placeOf.get(sequence);
    const wide = x(to) - x(from);
    const fill = `fill="${colourOf(place, count)}" stroke="white" stroke-width="0.5"`;
    shapes.push(rect(x(from), top, wide, ROW, fill));
    if (shared) shapes.push(rect(x(from), top, wide, 3, 'fill="#2e9e5b"'));
    const ink = place < count / 2 ? "white" : "#123";
    if (wide > 9)
      shapes.push(
        text(
          (x(from) + x(to)) / 2,
          top + 12.5,
          letter(place),
          `text-anchor="middle" fill="${ink}"`,
        ),
      );
  }
  if (wait > 0)
    shapes.push(
      rect(x(start), top + ROW - WAIT, x(start + wait) - x(start), WAIT, `fill="${COLOURS.wait}"`),
    );
  shapes.push(rect(x(end - fixed), top, x(end) - x(end - fixed), ROW, `fill="${COLOURS.fixed}"`));
  return shapes;
}

function legend(top) {
  const items = [
    [colourOf(2, 12), 14, "a sequence, A the longest"],
    ["#2e9e5b", 3, "shared by a group"],
    [COLOURS.wait, WAIT, "communication"],
    [COLOURS.fixed, 14, "fixed cost"],
    [COLOURS.idle, 14, "idle"],
  ];
  let from = LEFT;
  return items.flatMap(([fill, height, label]) => {
    const at = from;
    from += 40 + label.length * 6;
    return [
      rect(at, top + (14 - height), 16, height, `fill="${fill}" stroke="#bbb" stroke-width="0.4"`),
      text(at + 22, top + 11, label, 'fill="#444"'),
    ];
  });
}
