/** How a check came out: the same as what it was held against, not the same, or not to be told. */
export type Outcome = 'same' | 'different' | 'unclear';

/** A table; the first column heads its rows. */
export interface Table {
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
  /** Rows of a longer list that are not shown. */
  readonly omitted?: number;
}

/** A column's heading, and whether it holds figures (which are set to the right). */
export interface Column {
  readonly title: string;
  readonly figures?: boolean;
}

/** A picture with the words that stand for it, and its numbers as a table. */
export interface Figure {
  readonly title: string;
  /** What the picture shows, in words: its finding first. */
  readonly description: string;
  /** SVG for a phone's width and for a desktop's. */
  readonly narrow: string;
  readonly wide: string;
  readonly table: Table;
  /** What its marks mean; the symbols are SVG. */
  readonly key?: readonly { readonly symbol: string; readonly name: string }[];
}

/** A piece of a section. */
export type Block =
  | { readonly kind: 'figure'; readonly figure: Figure }
  /** A table that is open to see (`open`) or folded away. */
  | { readonly kind: 'table'; readonly table: Table; readonly open: boolean }
  | { readonly kind: 'lines'; readonly lines: readonly string[] };

/** One step, array or kind of evidence. */
export interface Section {
  readonly id: string;
  readonly title: string;
  readonly outcome: Outcome;
  /** What the badge says instead of the outcome's own word: `skipped`. */
  readonly word?: string;
  /** What was found, in a few words: stands in the list of sections. */
  readonly finding: string;
  readonly seconds?: number;
  readonly blocks: readonly Block[];
}

/** A page, whatever result it was made from. */
export interface ReportDocument {
  readonly title: string;
  readonly outcome: Outcome;
  /** The verdict in one sentence. */
  readonly headline: string;
  /** What the verdict rests on, in a few sentences. */
  readonly summary: readonly string[];
  readonly overview: readonly Block[];
  readonly sections: readonly Section[];
  /** Backend, versions, platform, times. */
  readonly environment: readonly (readonly [name: string, value: string])[];
}
