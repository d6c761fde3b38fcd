"""One module per verb, imported only when its verb is called."""
