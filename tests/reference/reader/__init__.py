"""A slow reader of the tools' print-outs, written from the facts about the tools and the console's contract alone."""
