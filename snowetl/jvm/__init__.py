"""What Java, Scala and their libraries do to text, numbers, dates, URIs, regular expressions, maps and JSON.

This package imports nothing of ours."""
