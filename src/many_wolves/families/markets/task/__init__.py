"""What a seat is shown and asked."""
