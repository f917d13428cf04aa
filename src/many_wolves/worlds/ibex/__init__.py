"""The experiment server of the IBEX lab (protocol v1) as an engine."""
