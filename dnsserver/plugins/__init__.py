"""The plugins, one folder each; `table.py` names them all, in the order in which they see a query."""
