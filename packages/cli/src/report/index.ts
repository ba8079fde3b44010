export { type ReportOptions, renderReport } from './render-report.js';
export type { Block, Column, Figure, Outcome, ReportDocument, Section, Table } from './report-document.js';
