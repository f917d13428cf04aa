"""Tables, figures, exports and replay of sessions."""
