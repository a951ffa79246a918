# MT19937 and the recipes that turn its words into samples.
