"""Print-outs as the tools' own format strings make them."""
