"""Engines that play sessions: in process, on oTree, on the lab's server."""
