/** What an imported graph may be at most. Raise a limit in the options of the import function that refused. */
export interface GraphLimits {
  /** Bytes of the file. Protobuf itself ends at 2 GiB. */
  readonly bytes: number;
  /** Nodes of the graph and of its functions together. The largest published TF1 graphs (NASNet with its optimizer) have some 100,000. */
  readonly nodes: number;
  /** Values of one constant: a short proto can ask for a huge one by repeating its last value. */
  readonly constantValues: number;
}

/** The limits that hold unless others are given. */
export const GRAPH_LIMITS: GraphLimits = { bytes: 2 ** 31 - 1, nodes: 1_000_000, constantValues: 2 ** 28 };
