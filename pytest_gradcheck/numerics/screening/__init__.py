"""The screen: all claims compared along a few random directions, and wrong ones located."""
