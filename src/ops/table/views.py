"""Views: other geometry over the same storage."""
