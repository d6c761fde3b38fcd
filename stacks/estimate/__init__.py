"""What a finished plan costs, burns and gives off. Nothing is decided here: sizes come from the plan."""
