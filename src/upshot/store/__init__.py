"""The store: the schema, and one module per noun of plain functions `f(connection, ...)`. It decides nothing."""
