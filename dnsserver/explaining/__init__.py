"""Why a name is answered as it is: whole objects as evidence, and pure functions from evidence to causes.

Nothing here asks anybody: sources gather the evidence, `runtime` gets the answer that is to be explained. A server
imports this package when it is first asked to explain something, and not before.
"""
