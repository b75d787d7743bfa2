// A small chart of time against number of sequences, both logarithmic, as SVG.
const TITLE = "Constructing one schedule (TypeScript, one core)";
const [WIDTH, HEIGHT, LEFT, BOTTOM] = [640, 380, 70, 50];

/** @param points `{ sequences, ms }`, ascending */
export function growthChart(points) {
  const xs = points.map(({ sequences }) => Math.log2(sequences));
  const ys = points.map(({ ms }) => Math.log10(ms));
  const [low, high] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys))];
  const span = xs.at(-1) - xs[0];
  const x = (value) => LEFT + ((value - xs[0]) / span) * (WIDTH - LEFT - 30);
  const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - BOTTOM - 40);
  const at = (n) => `${x(xs[n]).toFixed(1)},${y(ys[n]).toFixed(1)}`;
  const linear = (n) => y(ys[0] + (xs[n] - xs[0]) * Math.log10(2)).toFixed(1);
  const text = (px, py, content, anchor = "middle") =>
    `<text x="${px}" y="${py}" text-anchor="${anchor}">${content}</text>`;
  const decades = Array.from({ length: high - low + 1 }, (_, n) => low + n);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<title>${TITLE}</title>`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    text(WIDTH / 2, 22, TITLE),
    ...decades.map(
      (decade) =>
        `<line x1="${LEFT}" x2="${WIDTH - 30}" y1="${y(decade)}" y2="${y(decade)}" stroke="#ddd"/>` +
        text(LEFT - 8, y(decade) + 4, `${10 ** decade} ms`, "end"),
    ),
    ...points.map(({ sequences }, n) =>
      n % 2 === 0 ? text(x(xs[n]).toFixed(1), HEIGHT - BOTTOM + 20, sequences) : "",
    ),
    text(WIDTH / 2, HEIGHT - 10, "sequences in the global batch"),
    `<line x1="${x(xs[0])}" y1="${y(ys[0])}" x2="${x(xs.at(-1)).toFixed(1)}" y2="${linear(points.length - 1)}" stroke="#999" stroke-dasharray="5 4"/>`,
    text(x(xs[4]).toFixed(1), Number(linear(4)) - 8, "linear", "end"),
    `<polyline points="${points.map((_, n) => at(n)).join(" ")}" fill="none" stroke="#1f6feb" stroke-width="2"/>`,
    ...points.map((_, n) => {
      const [cx, cy] = at(n).split(",");
      return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="#1f6feb"/>`;
    }),
    "</svg>\n",
  ].join("\n");
}
