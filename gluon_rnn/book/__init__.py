"""Chapter 6 of the book: its sections as data, their report, what goes on inside a network, and the exercises."""
