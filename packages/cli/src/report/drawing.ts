import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

/** Widths in pixels that a picture is drawn for: a phone's, and a desktop's. */
export const WIDTHS = { narrow: 340, wide: 860 } as const;

/** Colours by role, which the page's style sheet sets for light and dark; shapes and words say the same as they do. */
export const INK = {
  first: 'var(--first)',
  second: 'var(--second)',
  bad: 'var(--bad)',
  soft: 'var(--soft)',
  line: 'var(--line)',
  paper: 'var(--paper)',
} as const;

/** What a picture is drawn with: where it goes, and how wide it may be. */
export interface Canvas {
  readonly width: number;
  /** Whether it is drawn for a phone. */
  readonly narrow: boolean;
}

/**
 * An SVG picture as text. It is named by `label` for those who do not see it; inside, nothing is named, since the table
 * beside each picture says the same.
 */
export function drawSvg(label: string, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ ...options, document: document as unknown as Document }) as unknown as SVGSVGElement;
  for (const part of svg.querySelectorAll('[aria-label], [aria-description]')) {
    part.removeAttribute('aria-label');
    part.removeAttribute('aria-description');
  }
  // The page's own style sheet says it once for all pictures.
  for (const style of svg.querySelectorAll('style')) style.remove();
  svg.removeAttribute('class');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', label);
  return svg.outerHTML;
}

/** One picture in both widths. */
export function drawBoth(
  label: string,
  options: (canvas: Canvas) => Plot.PlotOptions,
): { narrow: string; wide: string } {
  const draw = (narrow: boolean): string => {
    const width = narrow ? WIDTHS.narrow : WIDTHS.wide;
    return drawSvg(label, { width, style: { fontSize: '12px' }, ...options({ width, narrow }) });
  };
  return { narrow: draw(true), wide: draw(false) };
}
