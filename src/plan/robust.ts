import type { Performance, StepParts } from "./performance.js";

/** How far figures of a machine may be off, either way, where nobody measured them. */
const OFF = 0.3;
/** Of the fastest's tokens per second: settings that are nearer to it are as good. */
const AS_FAST = 1.02;
/** Of the least loss: settings that lose no more are as robust. */
const AS_ROBUST = 1.02;

/** What parts of a step a figure that is off makes longer or shorter. */
interface Moved {
  readonly work: number;
  readonly communication: number;
  readonly fixed: number;
  readonly step: number;
  /** The time that a micro-batch takes at least, which only counts where it has less work. */
  readonly least: number;
}

/** Every figure at either end of what it may be. */
const ENDS: readonly Moved[] = Array.from({ length: 32 }, (_, n) => {
  const end = (bit: number) => ((n >> bit) & 1 ? 1 + OFF : 1 - OFF);
  return { work: end(0), communication: end(1), fixed: end(2), step: end(3), least: end(4) };
});

/**
 * Of settings that are predicted to be as fast as the fastest, those that lose least on machines whose figures are not the
 * predicted ones: at every end of the figures, how much longer a setting takes than the best of all there, and of that
 * the most. In their order.
 *
 * @param of a setting's performance; on the same global batches for all
 */
export function asGood<T>(settings: readonly T[], of: (setting: T) => Performance): readonly T[] {
  const times = settings.map((setting) => ENDS.map((moved) => secondsAt(moved, of(setting).parts)));
  const best = ENDS.map((_, n) => Math.min(...times.map((own) => own[n] as number)));
  const losses = times.map((own) =>
    Math.max(...own.map((seconds, n) => seconds / (best[n] as number))),
  );
  const seconds = settings.map((setting) => of(setting).step_seconds.mean);
  const fast = AS_FAST * Math.min(...seconds);
  const isFast = (k: number) => (seconds[k] as number) <= fast;
  const least = Math.min(...losses.filter((_, k) => isFast(k)));
  return settings.filter((_, k) => isFast(k) && (losses[k] as number) <= AS_ROBUST * least);
}

/** Of a step whose parts are moved. Where micro-batches take longer than their work, work may grow into that. */
function secondsAt(moved: Moved, parts: StepParts): number {
  const { work, waiting, communication, stalled, fixed, step } = parts;
  const busy = moved.work * (work + waiting) + moved.communication * communication;
  const least = stalled > 0 ? moved.least * (work + waiting + communication + stalled) : 0;
  return Math.max(busy, least) + moved.fixed * fixed + moved.step * step;
}
