"""What stands on disk, in the forms in which others write it."""
