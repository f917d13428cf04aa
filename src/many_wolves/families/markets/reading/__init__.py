"""From answers, exports and server records to rounds and tables."""
