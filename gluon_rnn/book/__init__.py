"""Chapter 6 of the book: its sections as data, their report, diagnostics of a network, and the exercises."""
