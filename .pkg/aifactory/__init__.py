"""One blueprint of an AI factory becomes complete, explained stacks for every site it runs at."""
