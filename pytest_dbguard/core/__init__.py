"""Pure data and errors that every other part speaks in; standard library only."""
