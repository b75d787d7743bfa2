// Numbers as people read them; the same on every machine, so never by locale.

/** `1234567` as `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A number as it was meant, without the noise of its last digits: `33.3333`. */
export const formatNumber = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(6)));

/** `1 file`, `2,000 files`. */
export function countOf(count: number, one: string, several = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : several}`;
}

const BYTE_UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes with a binary unit and three significant digits: `75.9 GiB`. */
export function formatBytes(bytes: number): string {
  if (bytes === 0) return "0 B";
  let value = Math.abs(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${bytes < 0 ? "-" : ""}${significant(value)} ${BYTE_UNITS[unit]}`;
}

/** Seconds with a fitting unit: `41.4 ms`, `2.31 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds === 0) return "0 s";
  if (seconds < 1e-3) return `${significant(seconds * 1e6)} us`;
  return seconds < 1 ? `${significant(seconds * 1e3)} ms` : `${significant(seconds)} s`;
}

/** A long time in the two units that matter: `41.4 s`, `12 min 30 s`, `3 h 12 min`, `5 d 4 h`. */
export function formatDuration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return formatSeconds(seconds);
  const [large, small, unit, part] =
    whole < 3600
      ? [60, 1, "min", "s"]
      : whole < 48 * 3600
        ? [3600, 60, "h", "min"]
        : [86400, 3600, "d", "h"];
  const parts = Math.round(whole / small);
  const wholes = Math.floor(parts / (large / small));
  const rest = parts - wholes * (large / small);
  return rest === 0
    ? `${formatCount(wholes)} ${unit}`
    : `${formatCount(wholes)} ${unit} ${rest} ${part}`;
}

/** A number with three significant digits: `0.137`, `25.6`, `1,234`. */
export function formatAmount(value: number): string {
  if (value === 0) return "0";
  return value < 1 ? value.toPrecision(3) : significant(value);
}

/** A share as a percentage: `52.3%`; without decimals from ten times the whole on. */
export function formatShare(share: number): string {
  return `${(100 * share).toFixed(share < 10 ? 1 : 0)}%`;
}

function significant(value: number): string {
  if (value >= 100) return formatCount(value);
  return value >= 10 ? value.toFixed(1) : value.toFixed(2);
}
