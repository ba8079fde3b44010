/**
 * The page's looks. Colours are roles; every pair of text and ground has a contrast of at least 4.5 to 1 in both schemes.
 * Outcomes carry a sign and a word, so that colour only repeats them.
 */
export const STYLESHEET = `
:root { color-scheme: light dark;
  --ground: #f4f5f7; --paper: #ffffff; --ink: #1b2028; --soft: #566070; --line: #dfe3e8;
  --first: #1f5fbf; --second: #b04a00; --good: #146c2e; --good-ground: #e3f4e7; --bad: #b3231a; --bad-ground: #fdeae8;
  --odd: #7a5200; --odd-ground: #fdf3dc; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #0e1217; --paper: #171c23; --ink: #e7ebf0; --soft: #a3adba; --line: #303845;
  --first: #7db2ff; --second: #ffab66; --good: #7fdc98; --good-ground: #12301c; --bad: #ff9b91; --bad-ground: #3a1a18;
  --odd: #f2cb74; --odd-ground: #35290d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); line-height: 1.5;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main, header, footer { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem; }
header { padding-top: 2.25rem; }
a { color: var(--first); text-underline-offset: .15em; }
:focus-visible { outline: 3px solid var(--first); outline-offset: 2px; border-radius: 3px; }
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .25rem .75rem; }
h1, h2, h3 { line-height: 1.25; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 1rem; font-weight: 600; color: var(--soft); margin: 0 0 .75rem; }
h2 { font-size: 1.25rem; margin: 0; } h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .4rem 0; max-width: 46rem; }
.verdict { border-radius: 12px; padding: 1.25rem 1.5rem; border: 1px solid; }
.verdict strong { font-size: 1.6rem; line-height: 1.2; display: block; font-weight: 700; text-wrap: balance; }
.verdict p { color: var(--ink); }
.same { background: var(--good-ground); border-color: var(--good); } .same strong, .badge.same { color: var(--good); }
.different { background: var(--bad-ground); border-color: var(--bad); } .different strong, .badge.different { color: var(--bad); }
.unclear { background: var(--odd-ground); border-color: var(--odd); } .unclear strong, .badge.unclear { color: var(--odd); }
.badge { display: inline-block; border: 1px solid; border-radius: 999px; padding: .05rem .6rem; font-size: .85rem; font-weight: 600;
  white-space: nowrap; }
.card { background: var(--paper); border: 1px solid var(--line); border-radius: 12px; padding: 1.25rem 1.5rem; margin: 1.25rem 0; }
.card > .head { display: flex; flex-wrap: wrap; gap: .35rem .9rem; align-items: baseline; }
.card > .head .badge { order: -1; } .card .id { color: var(--soft); font-size: .85rem; }
.contents { list-style: none; margin: .75rem 0 0; padding: 0; font-size: .92rem; }
.contents li { display: grid; grid-template-columns: 8.5rem minmax(0, 2fr) minmax(0, 3fr); gap: .25rem 1rem; padding: .45rem 0;
  border-top: 1px solid var(--line); align-items: baseline; }
.contents .finding { color: var(--soft); overflow-wrap: anywhere; }
@media (max-width: 40rem) { .contents li { grid-template-columns: auto minmax(0, 1fr); } .contents .finding { grid-column: 1 / -1; } }
ul.lines { margin: .6rem 0; padding-left: 1.1rem; color: var(--soft); font-size: .92rem; } ul.lines li { overflow-wrap: anywhere; white-space: pre-line; }
figure { margin: 1.25rem 0 .5rem; } figcaption { color: var(--soft); font-size: .92rem; max-width: 46rem; }
figcaption b { color: var(--ink); display: block; font-size: 1rem; }
figure svg { display: block; max-width: 100%; height: auto; margin-top: .6rem; font-family: inherit; overflow: visible; }
figure .wide { display: none; }
@media (min-width: 60rem) { figure .wide { display: block; } figure .narrow { display: none; } }
@media (max-width: 60rem) { figure .narrow svg { width: 100%; max-width: 32rem; } }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; list-style: none; margin: .5rem 0 0; padding: 0; font-size: .88rem; }
.key svg { display: inline; width: 2.2em; height: 1em; margin: 0 .35em 0 0; vertical-align: -.1em; }
.scroll { overflow-x: auto; margin: .5rem 0; }
table { border-collapse: collapse; font-size: .88rem; min-width: 20rem; }
caption { text-align: left; color: var(--soft); padding-bottom: .35rem; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { color: var(--soft); font-weight: 600; } tbody th { font-weight: 500; }
td, tbody th { overflow-wrap: anywhere; min-width: 6.5rem; } td.figures { min-width: 4rem; }
.figures { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; overflow-wrap: normal; }
details { margin: .6rem 0; } summary { cursor: pointer; color: var(--first); font-size: .92rem; width: fit-content; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1.5rem; margin: .5rem 0; font-size: .92rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
footer { color: var(--soft); font-size: .85rem; padding-bottom: 3rem; }
@media (max-width: 40rem) { main, header, footer { padding: 0 .75rem; } header { padding-top: 1rem; }
  .card, .verdict { padding: 1rem; border-radius: 10px; } .verdict strong { font-size: 1.3rem; } }
@media print { body { background: none; } .card { break-inside: avoid; } }
`;
