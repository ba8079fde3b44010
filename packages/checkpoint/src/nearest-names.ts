/** The names that someone may have meant, nearest first: by edits, and by the parts between slashes. */
export function nearestNames(name: string, names: readonly string[], count = 3): string[] {
  const parts = new Set(name.toLowerCase().split(/[/.:]/));
  const scored: { candidate: string; score: number }[] = [];
  for (const candidate of names) {
    const theirs = candidate.toLowerCase().split(/[/.:]/);
    const shared = theirs.filter((part) => parts.has(part)).length;
    const likeness = shared / Math.max(parts.size, theirs.length);
    // Edits are only counted where they can decide: a checkpoint may hold a hundred thousand names.
    const close = Math.abs(candidate.length - name.length) <= 3 && names.length <= 20000 && name.length <= 200;
    const typo = close ? 1 - editDistance(name, candidate) / Math.max(name.length, 1) : 0;
    const score = Math.max(likeness, typo);
    if (score >= 0.5) scored.push({ candidate, score });
  }
  scored.sort((a, b) => b.score - a.score || (a.candidate < b.candidate ? -1 : 1));
  return scored.slice(0, count).map(({ candidate }) => candidate);
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1;
      next.push(Math.min(row[j - 1]! + same, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
